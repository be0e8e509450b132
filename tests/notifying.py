"""Notifications in tests: the service in process, a process of it, a post office, and waiting for things."""

from __future__ import annotations

import asyncio
import signal
import ssl
import subprocess
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default as modern
from pathlib import Path

import httpx
from aiosmtpd.smtp import AuthResult

from shopwright.notifications.testing import tell

WEB = {"x-caller": "spiffe://shopwright.local/ns/default/sa/web"}
STAFF = {"x-user-id": "01900000-0000-7000-8000-000000000001", "x-user-scope": "notifications:read"}


def as_user(user_id):
    return {"x-user-id": str(user_id), "x-user-scope": "shop"}


async def until(condition, seconds=60):
    """What `condition` gives, once it is something."""
    for _ in range(int(seconds / 0.02)):
        if found := await condition():
            return found
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen in time")


@dataclass
class Running:
    """The service in process, its database, and the bus that it listens to."""

    client: httpx.AsyncClient
    db: object
    valkey: object

    async def tell(self, fact, **more):
        await tell(self.valkey, fact, **more)

    async def rows(self):
        async with self.db.read() as connection:
            return await connection.fetch("SELECT * FROM notifications ORDER BY id")

    async def mails(self, to=None):
        return (await self.client.get("/mailbox.json", params={"to": to} if to else {})).json()

    async def settled(self, count):
        """The rows, once there are `count` and no mail waits."""

        async def done():
            rows = await self.rows()
            return len(rows) == count and all(row["state"] in {"sent", "skipped"} for row in rows) and rows

        return await until(done)

    async def letters(self):
        return (await self.client.get("/internal/dead-letters", headers=WEB)).json()

    async def hasten(self):
        """Make parked messages due, whatever their pause."""
        async with self.db.read() as connection:
            await connection.execute("UPDATE dead_letters SET next_attempt_at = now() - interval '1 second'")


@dataclass
class Process:
    """`shopwright serve notifications`, as the supervisor runs it."""

    popen: subprocess.Popen
    socket: Path
    log: Path

    def client(self):
        transport = httpx.AsyncHTTPTransport(uds=str(self.socket), http1=False, http2=True)
        return httpx.AsyncClient(transport=transport, base_url="http://service", timeout=60)

    async def died(self, seconds=60):
        async def ended():
            return self.popen.poll() is not None

        await until(ended, seconds)
        return self.popen.returncode

    async def ready(self):
        async def answers():
            assert self.popen.poll() is None, self.log.read_text()[-2_000:]
            try:
                async with self.client() as client:
                    return (await client.get("/readyz")).status_code == 200
            except httpx.HTTPError:
                return False

        await until(answers)
        return self

    def terminate(self):
        self.popen.send_signal(signal.SIGTERM)


@dataclass
class PostOffice:
    """What an SMTP server got, and what it says; `refusal` is its answer to DATA."""

    port: int = 0
    refusal: str = ""
    accepted: list = field(default_factory=list)
    recipients: list = field(default_factory=list)
    logins: list = field(default_factory=list)
    encrypted: list = field(default_factory=list)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if "refused" in address:
            return f"550 5.1.1 <{address}>: no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.refusal:
            return self.refusal
        self.accepted.append(message_from_bytes(envelope.content, policy=modern))
        self.recipients.extend(envelope.rcpt_tos)
        self.encrypted.append(session.ssl is not None)
        return "250 OK"

    def authenticate(self, server, session, envelope, mechanism, data):
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"right, with:signs@", handled=False)


@dataclass
class Authority:
    """A certificate for localhost that signed itself."""

    pem: Path
    context: ssl.SSLContext
