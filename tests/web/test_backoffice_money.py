"""Gift cards and reconciliations in the back office: a code is shown once, a difference is listed."""

from datetime import UTC, datetime

import pytest

from officing import Office, hire
from shopwright.contracts.ids import new_id

CARDS, RUNS = "/admin/gift-cards", "/admin/reconciliations"


@pytest.fixture
async def office(web, mesh):
    browser = Office(web)
    await browser.enter()
    return browser


def eur(minor):
    return {"amount": minor, "currency": "EUR"}


def side(captured, net):
    return {"captured": eur(captured), "refunded": eur(0), "charged_back": eur(0), "fees": eur(30)} | {
        "net": eur(net)
    }


def run(**more):
    return {
        "id": str(new_id()), "provider": "sandbox", "day": "2026-01-31", "status": "done", "error": "",
        "rows": 12, "differences": 0, "totals": [], "asked_at": datetime.now(UTC), "finished_at": None,
        **more,
    }  # fmt: skip


class TestGiftCards:
    async def test_the_code_is_shown_once(self, office, mesh):
        page = await office.send(await office.get(CARDS), CARDS, amount="25", note="For Ida")

        assert "€25.00" in page.text
        code = next(iter(mesh.vault.cards.values()))["code"]
        assert page.text.count(code) == 1
        assert code not in (await office.get(CARDS)).html

    async def test_the_same_form_sent_twice_issues_one(self, office, mesh):
        page = await office.get(CARDS)

        await office.send(page, CARDS, amount="25")
        await office.send(page, CARDS, amount="25")

        keys = {call.headers["idempotency-key"] for call in mesh.calls("/v1/gift-cards") if call.body}
        assert len(keys) == 1

    async def test_is_refused_beside_the_field(self, office, mesh):
        typed = {"amount": "a lot", "expires_at": "2001-01-01", "note": "kept"}
        page = await office.send(await office.get(CARDS), CARDS, **typed)
        assert page.status == 422
        assert {"#amount", "#expires_at"} <= set(page.links)
        assert page.form(CARDS)["note"] == "kept"

        page = await office.send(page, CARDS, amount="5000", expires_at="")
        assert "Enter at most 100000" in page.text
        assert not mesh.vault.cards

    async def test_is_disabled(self, office, mesh):
        card = mesh.vault.add_card("GIFT-ABCD-1234", 2_000)

        page = await office.send(await office.get(CARDS), f"{CARDS}/{card['id']}/disable")

        assert "Disabled" in page.text
        assert card["disabled_at"] is not None

    async def test_reading_alone_shows_them_masked_and_without_a_form(self, web, mesh):
        mesh.vault.add_card("GIFT-ABCD-1234", 2_000)
        office = Office(web)
        await office.enter(**hire(mesh, "payments:read"))

        page = await office.get(CARDS)

        assert "1234 " in page.text
        assert [form.action for form in page.forms] == ["/admin/logout"]


class TestReconciliations:
    async def test_lists_what_agrees_and_what_does_not(self, office, mesh):
        mesh.vault.reconciliations = [run(), run(differences=2), run(status="failed", error="No report")]

        text = (await office.get(RUNS)).text

        for words in ("All agree", "2 differences", "Failed"):
            assert words in text

    async def test_shows_both_sides_and_each_difference(self, office, mesh):
        sums = {"currency": "EUR", "provider": side(5_000, 4_970), "ledger": side(4_000, 3_970)}
        found = run(differences=1, totals=[sums | {"difference": eur(1_000)}])
        mesh.vault.reconciliations = [found]
        mesh.vault.differences = [
            {"what": "missing_here", "kind": "capture", "ref": "ch_1", "at": datetime.now(UTC), "key": "",
             "payment_id": None, "provider": {"amount": eur(1_000), "fee": eur(0)}, "ledger": None}
        ]  # fmt: skip

        text = (await office.get(f"{RUNS}/{found['id']}")).text

        assert "Difference €10.00" in text
        assert "Only the provider has it Payment ch_1 €10.00 –" in text

    async def test_a_day_can_be_asked_for_and_a_wrong_one_is_told(self, office, mesh):
        page = await office.send(await office.get(RUNS), RUNS, day="soon")
        assert page.status == 422
        assert page.form(RUNS)["day"] == "soon"
        assert "Enter a day" in page.text

        page = await office.send(page, RUNS, day="2026-01-31")

        assert mesh.vault.asked_days == ["2026-01-31"]
        assert "is being compared" in page.text

    async def test_says_so_when_there_are_none(self, office):
        assert "No reconciliations yet" in (await office.get(RUNS)).text
