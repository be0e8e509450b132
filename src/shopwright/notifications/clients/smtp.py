"""SMTP: mails leave through a server that `smtp://user:password@host:587` or `smtps://host:465` names.

Encrypted with a certificate that is checked, by STARTTLS or from the first byte; `?starttls=off` allows a
relay on this machine that has no certificate, and then no password. A connection per mail; the whole hand-
over takes at most `TIMEOUT_S`. Addresses never stand in an error.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

import aiosmtplib

from shopwright.chassis.settings import BadSetting
from shopwright.notifications.domain import MailNotSent
from shopwright.notifications.mail import Mail

TIMEOUT_S = 30.0
PORTS = {"smtp": 587, "smtps": 465}


class SmtpServer(NamedTuple):
    host: str
    port: int
    user: str
    password: str
    implicit_tls: bool
    starttls: bool


def parse(url: str) -> SmtpServer:
    """Raises BadSetting; its message never holds the password."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        raise _bad("it is not a URL") from None
    if parts.scheme not in PORTS or not parts.hostname:
        raise _bad("it must be smtp://host:587 or smtps://host:465")
    starttls = parse_qs(parts.query).get("starttls", ["on"])[-1]
    if starttls not in {"on", "off"} or (parts.scheme == "smtps" and starttls == "off"):
        raise _bad("starttls is on, or off with smtp:// only")
    if parts.username and starttls == "off":
        raise _bad("a password is never sent unencrypted; leave starttls on")
    return SmtpServer(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        implicit_tls=parts.scheme == "smtps",
        starttls=parts.scheme == "smtp" and starttls == "on",
    )


def _bad(reason: str) -> BadSetting:
    return BadSetting(f"SHOPWRIGHT_SMTP_URL: {reason}")


class Smtp:
    at_once = 1

    def __init__(self, url: str, authority: Path | None = None) -> None:
        self._server = parse(url)
        try:
            self._tls = ssl.create_default_context(cafile=str(authority) if authority else None)
        except OSError as error:
            raise BadSetting(f"SHOPWRIGHT_SMTP_CA: cannot read {authority}: {error}") from error

    async def send(self, mail: Mail) -> None:
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            use_tls=server.implicit_tls,
            start_tls=server.starttls,
            tls_context=self._tls if server.implicit_tls or server.starttls else None,
            local_hostname=str(mail.message["From"].addresses[0].domain),
            timeout=TIMEOUT_S,
        )
        try:
            async with asyncio.timeout(TIMEOUT_S), client:
                await client.send_message(mail.message, recipients=[mail.recipient])
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            raise MailNotSent(detail=_reason(error, mail.recipient)) from error

    async def forget(self, mails: Sequence[UUID]) -> None:
        """Nothing stays with us."""


def _reason(error: Exception, recipient: str) -> str:
    """What the server said, without the address, which error lists would keep."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused) and error.recipients:
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPResponseException):
        said = f"{error.code} {error.message}"
    else:
        said = f"{type(error).__name__}: {error}"
    return re.sub(re.escape(recipient), "***", said, flags=re.IGNORECASE)[:300]
