"""SMTP against a real server: encrypted, logged in, in every script; and what a wrong setting says."""

import pytest

from shopwright.chassis.settings import BadSetting
from shopwright.notifications.clients import smtp
from shopwright.notifications.clients.smtp import Smtp
from shopwright.notifications.domain import MailNotSent
from shopwright.notifications.testing import confirmed, registered
from writing import mail_about

LOGIN = "shop:right%2C%20with%3Asigns%40"


class TestSend:
    async def test_hands_over_what_was_written(self, post_office):
        office = await post_office()
        mail = mail_about(confirmed(name="Zoë 名前"))

        await Smtp(f"smtp://127.0.0.1:{office.port}?starttls=off").send(mail)

        message = office.accepted[0]
        assert message["Message-ID"] == f"<{mail.id}@example.org>"
        assert message["To"].addresses[0].display_name == "Zoë 名前"
        assert "€44.88" in message.get_body(("plain",)).get_content()
        assert "€44.88" in message.get_body(("html",)).get_content()
        assert office.recipients == ["ada@example.com"]

    async def test_encrypts_before_it_logs_in(self, post_office, authority):
        office = await post_office(tls_context=authority.context, require_starttls=True, auth_required=True)

        await Smtp(f"smtp://{LOGIN}@localhost:{office.port}", authority.pem).send(mail_about(registered()))

        assert office.logins == [(b"shop", b"right, with:signs@")]
        assert office.encrypted == [True]

    async def test_speaks_tls_from_the_first_byte(self, post_office, authority):
        office = await post_office(implicit_tls=authority.context)

        await Smtp(f"smtps://localhost:{office.port}", authority.pem).send(mail_about(registered()))

        assert len(office.accepted) == 1

    async def test_an_address_in_another_script_arrives(self, post_office):
        office = await post_office()

        await Smtp(f"smtp://127.0.0.1:{office.port}?starttls=off").send(
            mail_about(registered(email="zoë@exämple.com"))
        )

        assert office.recipients == ["zoë@exämple.com"]


class TestRefusals:
    async def test_a_certificate_nobody_vouches_for_gets_no_mail(self, post_office, authority):
        office = await post_office(tls_context=authority.context)

        with pytest.raises(MailNotSent):
            await Smtp(f"smtp://localhost:{office.port}").send(mail_about(registered()))

        assert office.accepted == []

    async def test_a_server_without_encryption_gets_no_mail(self, post_office):
        office = await post_office()

        with pytest.raises(MailNotSent):
            await Smtp(f"smtp://shop:secret@127.0.0.1:{office.port}").send(mail_about(registered()))

        assert (office.accepted, office.logins) == ([], [])

    async def test_a_wrong_password_is_told(self, post_office, authority):
        office = await post_office(tls_context=authority.context, require_starttls=True, auth_required=True)

        with pytest.raises(MailNotSent, match="535"):
            await Smtp(f"smtp://shop:wrong@localhost:{office.port}", authority.pem).send(
                mail_about(registered())
            )

    async def test_a_refused_recipient_is_told_without_the_address(self, post_office):
        office = await post_office()

        with pytest.raises(MailNotSent) as refused:
            await Smtp(f"smtp://127.0.0.1:{office.port}?starttls=off").send(
                mail_about(registered(email="refused@example.com"))
            )

        assert "550 5.1.1 <***>: no such user" in str(refused.value)

    async def test_nobody_at_home_is_told(self):
        with pytest.raises(MailNotSent):
            await Smtp("smtp://127.0.0.1:9?starttls=off").send(mail_about(registered()))


class TestSetting:
    @pytest.mark.parametrize(
        ("url", "host", "port", "implicit_tls", "starttls"),
        [
            ("smtp://mail.example.com", "mail.example.com", 587, False, True),
            ("smtps://mail.example.com", "mail.example.com", 465, True, False),
            ("smtp://[::1]:2525?starttls=off", "::1", 2525, False, False),
        ],
    )
    def test_says_where_and_how(self, url, host, port, implicit_tls, starttls):
        server = smtp.parse(url)

        assert (server.host, server.port) == (host, port)
        assert (server.implicit_tls, server.starttls) == (implicit_tls, starttls)

    @pytest.mark.parametrize(
        "url",
        [
            "http://mail.example.com", "smtp://", "smtp://host:notaport", "smtp://host?starttls=maybe",
            "smtps://host?starttls=off", "smtp://shop:hunter2@host?starttls=off", "mail.example.com:587",
        ],
    )  # fmt: skip
    def test_a_wrong_one_is_named_without_its_password(self, url):
        with pytest.raises(BadSetting, match="SHOPWRIGHT_SMTP_URL") as refused:
            smtp.parse(url)

        assert "hunter2" not in str(refused.value)

    @pytest.mark.parametrize("sender", ["", "shop", "a@example.com, b@example.com", "shop@ex ample.com"])
    async def test_mails_that_leave_need_a_sender(self, running, sender):
        with pytest.raises(BadSetting, match="SHOPWRIGHT_MAIL_FROM"):
            await running(smtp_url="smtp://mail.example.com", mail_from=sender)
