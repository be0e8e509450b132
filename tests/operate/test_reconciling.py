"""What `shopwright reconcile` shows, and what its exit status says."""

from datetime import date

import pytest

from shopwright.operate import reconciling

TODAY = date(2026, 11, 24)


def eur(amount):
    return {"amount": amount, "currency": "EUR"}


def side(captured, fees, refunded=0):
    return {
        "captured": eur(captured), "refunded": eur(refunded), "charged_back": eur(0), "fees": eur(fees),
        "net": eur(captured - refunded - fees),
    }  # fmt: skip


class Shop:
    """A gateway whose shop has found `differences` after a look or two."""

    def __init__(self, *differences, refunded=0, error=""):
        self._items, self._refunded, self._error = list(differences), refunded, error
        self.asked = None
        self._looks = 0

    def call(self, method, path, *, query=None, body=None):
        if method == "POST":
            self.asked = body
            return {"items": [{"id": "7"}]}
        self._looks += 1
        there = side(10_000, 140, self._refunded)
        total = {"currency": "EUR", "provider": there, "ledger": side(10_000, 140)}
        total["difference"] = eur(-self._refunded)
        seen = {
            "id": "7", "provider": "sandbox", "day": "2026-11-24", "error": self._error, "rows": 1,
            "status": "done" if self._looks > 1 else "queued", "totals": [total],
            "differences": len(self._items),
        }  # fmt: skip
        return {"reconciliation": seen, "items": self._items}


def a_difference(what="missing_here"):
    return {
        "what": what, "kind": "refund", "payment_id": None, "ref": "ch_[1]", "key": "desk",
        "provider": {"amount": eur(250), "fee": eur(0)}, "ledger": None, "at": "2026-11-24T12:00:00Z",
    }  # fmt: skip


class TestRun:
    def test_a_clean_day_is_told_and_good(self, capsys):
        shop = Shop()

        assert reconciling.run(shop, TODAY, "sandbox")

        assert shop.asked == {"day": "2026-11-24", "provider": "sandbox"}
        words = capsys.readouterr().out
        assert "Nets to zero" in words
        assert words.count("98.60 EUR") == 2

    def test_a_difference_is_listed_and_not_good(self, capsys):
        assert not reconciling.run(Shop(a_difference(), refunded=250), TODAY, "")

        words = capsys.readouterr().out
        assert "1 difference; the provider's net less ours: -2.50 EUR" in words
        assert "not in our books" in words
        assert "ch_[1]" in words

    def test_one_that_nets_out_is_not_good_either(self):
        assert not reconciling.run(Shop(a_difference("twice")), TODAY, "")

    def test_a_report_that_does_not_come_is_told(self):
        with pytest.raises(reconciling.NotReconciled, match="no report of 2026-11-24: closed"):
            reconciling.run(Shop(error="closed"), TODAY, "")


class TestDay:
    @pytest.mark.parametrize(
        ("text", "day"),
        [("", TODAY), ("today", TODAY), ("yesterday", date(2026, 11, 23)), ("2026-01-02", date(2026, 1, 2))],
    )
    def test_is_named_or_dated(self, text, day):
        assert reconciling.day_of(text, TODAY) == day

    @pytest.mark.parametrize("text", ["tomorrow", "24.11.2026", "2026-02-30"])
    def test_is_refused_otherwise(self, text):
        with pytest.raises(reconciling.BadDay, match=text):
            reconciling.day_of(text, TODAY)
