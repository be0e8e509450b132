"""What a mail says and how it travels: exact, escaped, and with headers that nobody can add to."""

from email import message_from_bytes
from email.policy import default as modern
from html.parser import HTMLParser

import msgspec
import pytest

from shopwright.contracts.money import Money
from shopwright.contracts.orders import Total
from shopwright.notifications import domain
from shopwright.notifications.domain import MailNotSent
from shopwright.notifications.mail import compose
from shopwright.notifications.rendering import money, render
from shopwright.notifications.testing import (
    ADDRESS,
    a_line,
    awaited,
    cancelled,
    changed_password,
    confirmed,
    drafted,
    forgot_password,
    refunded,
    registered,
    requested,
    shipped,
)
from writing import NOW, SHOP, letter_of

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=y>\r\nTotal: €0.00'


def mail_of(letter):
    """The mail as it stands on the wire."""
    mail = compose(letter, render(letter, SHOP), shop=SHOP, sender="shop@example.org", now=NOW)
    return message_from_bytes(mail.message.as_bytes(), policy=modern)


class Tags(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.seen = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))


EVERY = [
    domain.welcome(registered(), "Shopwright"),
    domain.password_changed(changed_password()),
    domain.password_reset(forgot_password()),
    domain.order_confirmed(confirmed()),
    domain.order_cancelled(cancelled()),
    domain.order_shipped(shipped()),
    domain.order_refunded(refunded()),
    domain.order_drafted(drafted()),
    domain.payment_requested(requested()),
    domain.payment_requested(requested(purpose="exchange")),
    domain.transfer_awaited(awaited()),
]


@pytest.mark.parametrize("draft", EVERY, ids=lambda draft: draft.kind)
class TestEveryKind:
    def test_says_the_same_as_text_and_as_html(self, draft):
        rendered = render(letter_of(draft), SHOP)

        for part in (rendered.text, rendered.html):
            assert "Hello Ada Lovelace," in part
            assert SHOP.url + draft.link in part
        assert rendered.subject == draft.title
        assert "<" not in rendered.text

    def test_tells_machines_what_it_is(self, draft):
        letter = letter_of(draft)

        message = mail_of(letter)

        assert message["To"].addresses[0].addr_spec == "ada@example.com"
        assert message["From"].addresses[0].addr_spec == "shop@example.org"
        assert message["Message-ID"] == f"<{letter.id}@example.org>"
        assert message["Date"].datetime == NOW
        assert message["Auto-Submitted"] == "auto-generated"
        assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]

    def test_only_what_is_optional_has_a_way_out(self, draft):
        message = mail_of(letter_of(draft))

        expected = f"<{SHOP.url}/unsubscribe/token>" if draft.kind == "welcome" else None
        assert message["List-Unsubscribe"] == expected
        assert bool(message["List-Unsubscribe-Post"]) == (draft.kind == "welcome")

    def test_loads_nothing_from_elsewhere(self, draft):
        tags = Tags(render(letter_of(draft), SHOP).html).seen

        assert not [
            tag for tag, attributes in tags if tag in {"img", "script", "link"} or "src" in attributes
        ]


class TestConfirmation:
    def test_has_every_line_the_totals_and_the_address(self):
        draft = domain.order_confirmed(confirmed(lines=[a_line(), a_line(sku="CAP", name="Cap", quantity=1)]))

        rendered = render(letter_of(draft), SHOP)

        for part in (rendered.text, rendered.html):
            for word in ("SW-1001", "Red shirt", "SHIRT-RED-M", "Cap", "€19.99", "€39.98", "€4.90", "€44.88",
                         "Subtotal", "Delivery", "1 Lane", "3000 Bern", "Switzerland"):  # fmt: skip
                assert word in part

    def test_leaves_the_address_out_when_there_is_none(self):
        rendered = render(letter_of(domain.order_confirmed(confirmed(address=None))), SHOP)

        assert "Delivery to" not in rendered.text + rendered.html

    def test_a_hostile_product_name_is_only_text(self):
        fact = confirmed(
            lines=[a_line(name=HOSTILE, sku=HOSTILE)],
            number=HOSTILE,
            address=msgspec.structs.replace(ADDRESS, name=HOSTILE, city=HOSTILE),
            totals=[Total(HOSTILE, Money(1, "EUR"))],
            name=HOSTILE,
        )

        rendered = render(letter_of(domain.order_confirmed(fact)), SHOP)

        harmless = Tags(render(letter_of(domain.order_confirmed(confirmed())), SHOP).html).seen
        assert {tag for tag, _ in Tags(rendered.html).seen} == {tag for tag, _ in harmless}
        assert "<script>" not in rendered.html
        assert not [line for line in rendered.text.splitlines() if line.startswith("Total: €0.00")]

    @pytest.mark.parametrize(
        ("amount", "text"),
        [
            (Money(123_456, "EUR"), "€1,234.56"), (Money(5, "USD"), "$0.05"), (Money(1_234, "JPY"), "¥1,234"),
            (Money(1_234, "KWD"), "KWD\u00a01.234"), (Money(-500, "GBP"), "-£5.00"),
            (Money(0, "CHF"), "CHF\u00a00.00"),
            (Money(2**63 - 1, "EUR"), "€92,233,720,368,547,758.07"),
        ],
    )  # fmt: skip
    def test_amounts_are_exact(self, amount, text):
        assert money(amount) == text


class TestAfterSale:
    def test_a_parcel_says_what_is_in_it_and_where_it_is(self):
        rendered = render(letter_of(domain.order_shipped(shipped(complete=False))), SHOP)

        assert rendered.subject == "Part of order SW-1003 is on its way"
        for part in (rendered.text, rendered.html):
            for word in ("Red shirt", "Post", "CH-123", "https://post.example/CH-123", "the rest follows"):
                assert word in part

    @pytest.mark.parametrize(
        "url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "ftp://x", ""]
    )
    def test_a_tracking_link_leads_to_the_web_or_nowhere(self, url):
        rendered = render(letter_of(domain.order_shipped(shipped(tracking_url=url))), SHOP)

        links = [attributes["href"] for tag, attributes in Tags(rendered.html).seen if tag == "a"]
        assert all(link.startswith(SHOP.url) for link in links)
        assert "Track it" not in rendered.text

    def test_a_refund_says_how_much_and_how_much_in_all(self):
        rendered = render(letter_of(domain.order_refunded(refunded())), SHOP)

        for part in (rendered.text, rendered.html):
            for word in ("€19.99", "€39.98", "one shirt was too small"):
                assert word in part


class TestHeaders:
    @pytest.mark.parametrize("hostile", ["Ada\r\nBcc: everybody@example.com", "Ada\nX: y", "Ada\r\n\r\nbody"])
    def test_nobody_can_add_one(self, hostile):
        letter = letter_of(domain.order_confirmed(confirmed(name=hostile, number=hostile)))

        message = mail_of(letter)

        assert message["Bcc"] is None
        assert message["X"] is None
        assert set(message.keys()) == set(mail_of(letter_of(domain.order_confirmed(confirmed()))).keys())
        assert len(message["To"].addresses) == 1

    @pytest.mark.parametrize(
        "email",
        ["a@example.com\r\nBcc: b@example.com", "a@example.com, b@example.com", "no address", "", "@"],
    )
    def test_an_address_that_is_none_gets_no_mail(self, email):
        with pytest.raises(MailNotSent):
            mail_of(letter_of(domain.order_confirmed(confirmed(email=email))))

    def test_names_in_every_script_arrive(self):
        message = mail_of(letter_of(domain.order_confirmed(confirmed(name="Zoë 名前"))))

        assert message["To"].addresses[0].display_name == "Zoë 名前"

    def test_addresses_in_every_script_stand_as_they_are(self):
        letter = letter_of(domain.order_confirmed(confirmed(email="zoë@exämple.com")))

        mail = compose(letter, render(letter, SHOP), shop=SHOP, sender="shop@example.org", now=NOW)

        assert "<zoë@exämple.com>".encode() in mail.message.as_bytes()


class TestPasswordReset:
    def test_only_the_mail_carries_what_opens_the_account(self):
        draft = domain.password_reset(forgot_password(token="opens-it"))

        rendered = render(letter_of(draft), SHOP)

        assert f"{SHOP.url}/password/reset?token=opens-it" in rendered.text
        assert f"{SHOP.url}/password/reset?token=opens-it" in rendered.html
        assert "opens-it" not in draft.title + draft.link
