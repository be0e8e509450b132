"""Rules of notifications, without I/O."""

import pytest

from shopwright.notifications import domain
from shopwright.notifications.domain import AlwaysSent, Preference
from shopwright.notifications.pool import IDLE_LOOKS, wanted


def choice(kind, channel, enabled):
    return Preference(kind=kind, channel=channel, enabled=enabled)


class TestPreferences:
    def test_everything_is_on_that_nobody_switched_off(self):
        found = domain.preferences({("welcome", "email"): False})

        assert [(item.kind, item.channel) for item in found if not item.enabled] == [("welcome", "email")]
        assert len(found) == len(domain.KINDS) * len(domain.CHANNELS)

    @pytest.mark.parametrize(
        "kind", ["password_changed", "order_confirmed", "order_cancelled", "order_shipped"]
    )
    def test_mails_about_security_and_orders_cannot_be_switched_off(self, kind):
        fine = choice("welcome", "email", enabled=False)

        with pytest.raises(AlwaysSent) as refused:
            domain.check_preferences([fine, choice(kind, "email", enabled=False)])

        assert [error.pointer for error in refused.value.errors] == ["/items/1/enabled"]
        domain.check_preferences([fine, choice(kind, "in_app", enabled=False)])


class TestGreeting:
    @pytest.mark.parametrize(
        "name", ["Ada Lovelace", "Zoë Ünïcode 名前", "Dr. Ada", "O'Neill-Smith", "J. R. R."]
    )
    def test_names_people(self, name):
        assert domain.greeting(name) == name

    @pytest.mark.parametrize(
        "name", ["win at evil.example", "https://evil", "a@b", "evil.example/x", r"\\host"]
    )
    def test_names_nothing_that_becomes_a_link(self, name):
        assert not domain.greeting(name)

    def test_stays_on_one_line(self):
        assert domain.greeting("Ada\r\nBcc: x\x00\u2028y") == "Ada Bcc: x y"


def test_an_address_is_masked():
    assert domain.masked("ada@example.com") == "a***@example.com"


class TestPool:
    @pytest.mark.parametrize(
        ("depth", "running", "idle", "workers"),
        [(0, 1, 0, 1), (9, 1, 0, 1), (10, 1, 0, 2), (35, 2, 0, 4), (10_000, 4, 0, 4)],
    )
    def test_grows_with_the_queue_within_bounds(self, depth, running, idle, workers):
        assert wanted(depth, running, idle, 4) == workers

    def test_shrinks_only_after_it_was_calm_for_a_while(self):
        assert wanted(0, 4, IDLE_LOOKS - 1, 4) == 4
        assert wanted(0, 4, IDLE_LOOKS, 4) == 1
