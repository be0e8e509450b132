"""Rules of notifications, without I/O."""

import pytest

from shopwright.notifications import domain
from shopwright.notifications.domain import AlwaysSent, Preference


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
