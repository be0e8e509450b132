"""The sandbox' books: charges, refunds and the queue of webhooks. All its SQL.

Guarantees: one charge per key, whatever is asked twice; a charge is captured or voided at most once; never
more refunded than captured; a change that the merchant did not ask for commits with the webhook that tells.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from shopwright.chassis.db import Connection, Database, Row
from shopwright.contracts.money import round_half_away

FEE_PER_MILLE: Final = 14  # what card payments in Europe cost a merchant, about
SESSION: Final = timedelta(hours=1)  # to pay; the shop itself gives up after half of it
KEEP_DELIVERED: Final = timedelta(days=7)
SEND_LEASE: Final = timedelta(seconds=30)

State = Literal["requires_action", "authorised", "declined", "voided"]


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """A charge as the provider tells of it."""

    id: str
    key: str
    reference: str
    amount: int
    currency: str
    description: str = ""
    state: str = "authorised"
    stage: str | None = None
    session: str | None = None
    action_url: str = ""
    return_url: str = ""
    decline_code: str = ""
    captured: int = 0
    fee: int = 0
    refunds: dict[str, int] = {}


class Webhook(msgspec.Struct, frozen=True):
    """What is sent to the merchant: a charge as it is after a change."""

    id: str
    created: datetime
    charge: Charge
    type: str = "charge.updated"


class Queued(msgspec.Struct, frozen=True):
    id: int
    event_id: str
    body: bytes
    attempts: int


class Movement(msgspec.Struct, frozen=True):
    """Money that was taken or given back, as the provider's report tells it."""

    ref: str
    reference: str
    kind: Literal["capture", "refund"]
    key: str
    amount: int
    fee: int
    currency: str
    at: datetime


class Books:
    """`on_queued` is called after a webhook was queued."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.on_queued: Callable[[], None] = lambda: None

    async def open(self, charge: Charge, *, settles_in: timedelta, notices: int) -> Charge:
        """Write a new charge down, or return the one that was made under its key.

        `notices`: how many times a webhook tells of it once it has settled.
        """
        values = (
            charge.id, charge.key, charge.reference, charge.amount, charge.currency, charge.description,
            charge.state, charge.stage, charge.session, charge.action_url, charge.return_url,
            charge.decline_code, settles_in, SESSION,
        )  # fmt: skip
        if notices == 0:
            made = await self._db.commit(_OPEN, *values, publishes=False)
        else:
            async with self._db.begin() as tx:
                made = await tx.fetchrow(_OPEN, *values)
                if made is not None:
                    await _queue(tx, charge, settles_in, notices)
            self.on_queued()
        if made is not None:
            return charge
        known = await self.by_key(charge.key)
        assert known is not None, "the key was taken"
        return known

    async def by_key(self, key: str) -> Charge | None:
        return await self._one("SELECT * FROM sandbox.reports WHERE key = $1", key)

    async def by_id(self, charge_id: str) -> Charge | None:
        return await self._one("SELECT * FROM sandbox.reports WHERE id = $1", charge_id)

    async def by_session(self, session: str) -> Charge | None:
        return await self._one("SELECT * FROM sandbox.reports WHERE session = $1", session)

    async def capture(self, charge_id: str, amount: int) -> Charge | None:
        """The captured charge; None if it is not there to capture, or already is."""
        fee = round_half_away(Decimal(amount * FEE_PER_MILLE) / 1_000)
        return _charge(await self._db.commit(_CAPTURE, charge_id, amount, fee, publishes=False))

    async def void(self, charge_id: str) -> bool:
        return await self._db.commit(_VOID, charge_id, publishes=False) is not None

    async def refund(self, charge_id: str, amount: int, key: str) -> bool:
        """Whether the refund under `key` stands; false if it is more than what is left."""
        async with self._db.begin() as tx:
            await tx.execute("SELECT FROM sandbox.charges WHERE id = $1 FOR UPDATE", charge_id)
            if await tx.fetchval("SELECT true FROM sandbox.refunds WHERE key = $1", key):
                return True
            return bool(await tx.execute(_REFUND, key, charge_id, amount))

    async def challenge(self, session: str) -> bool:
        """The card wants the buyer to confirm at the bank's page."""
        async with self._db.read() as connection:
            return bool(await connection.execute(_CHALLENGE, session))

    async def complete(self, session: str, stage: str, state: State, decline_code: str = "") -> bool:
        """The buyer has decided; false if the session is over or at another stage."""
        async with self._db.begin() as tx:
            row = await tx.fetchrow(_COMPLETE, session, stage, state, decline_code)
            if row is None:
                return False
            charge = _charge(await tx.fetchrow("SELECT * FROM sandbox.reports WHERE session = $1", session))
            assert charge is not None, "it was just changed"
            await _queue(tx, charge, timedelta(0), 1)
        self.on_queued()
        return True

    async def movements(self, first: datetime, end: datetime) -> list[Movement]:
        """What moved from `first` on and before `end`."""
        async with self._db.read() as connection:
            rows = await connection.fetch(_MOVEMENTS, first, end)
        return [Movement(**row) for row in rows]

    async def to_send(self, limit: int) -> list[Queued]:
        """Webhooks that are due, leased to the caller."""
        async with self._db.read() as connection:
            rows = await connection.fetch(_TO_SEND, limit, SEND_LEASE)
        ordered = sorted(rows, key=lambda row: row["id"])
        return [Queued(row["id"], row["event_id"], row["body"], row["attempts"]) for row in ordered]

    async def sent(self, queued: Queued) -> None:
        async with self._db.read() as connection:
            await connection.execute(
                "UPDATE sandbox.webhooks SET delivered_at = now() WHERE id = $1", queued.id
            )

    async def not_sent(self, queued: Queued, again_in: timedelta) -> None:
        async with self._db.read() as connection:
            await connection.execute(_NOT_SENT, queued.id, again_in)

    async def forget_old(self, attempts_max: int) -> None:
        async with self._db.read() as connection:
            await connection.execute(_FORGET, KEEP_DELIVERED, attempts_max)

    async def _one(self, sql: str, value: str) -> Charge | None:
        async with self._db.read() as connection:
            return _charge(await connection.fetchrow(sql, value))


def new_charge(
    *, key: str, reference: UUID, amount: int, currency: str, description: str, **more: Any
) -> Charge:
    return Charge(
        id=f"ch_{secrets.token_hex(12)}",
        key=key,
        reference=str(reference),
        amount=amount,
        currency=currency,
        description=description,
        **more,
    )


def _charge(row: Row | None) -> Charge | None:
    if row is None:
        return None
    return Charge(**{name: row[name] for name in Charge.__struct_fields__})


async def _queue(tx: Connection, charge: Charge, send_in: timedelta, times: int) -> None:
    """One event, sent `times` times: a merchant must know a repeat by the event's id."""
    event_id = f"evt_{secrets.token_hex(12)}"
    told = msgspec.structs.replace(charge, session=None, action_url="")
    if told.state == "processing":
        told = msgspec.structs.replace(told, state="authorised")
    body = msgspec.json.encode(Webhook(event_id, datetime.now(UTC), told))
    for _ in range(times):
        await tx.execute(_QUEUE, event_id, body, send_in)


_OPEN = """
INSERT INTO sandbox.charges (id, key, reference, amount, currency, description, state, stage, session,
    action_url, return_url, decline_code, settles_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, CASE $7 WHEN 'processing' THEN 'authorised' ELSE $7 END, $8, $9,
    $10, $11, $12, now() + $13::interval, now() + $14::interval)
ON CONFLICT (key) DO NOTHING RETURNING id
"""
_CAPTURE = """
UPDATE sandbox.charges SET captured = $2, fee = $3, captured_at = now()
WHERE id = $1 AND state = 'authorised' AND settles_at <= now() AND captured = 0 AND $2 <= amount
RETURNING *, '{}'::jsonb AS refunds
"""
_VOID = """
UPDATE sandbox.charges SET state = 'voided', stage = NULL
WHERE id = $1 AND state IN ('authorised', 'requires_action') AND captured = 0 RETURNING id
"""
_REFUND = """
INSERT INTO sandbox.refunds (key, charge_id, amount)
SELECT $1, c.id, $3::bigint FROM sandbox.charges c WHERE c.id = $2
    AND c.captured >= $3::bigint
        + (SELECT coalesce(sum(r.amount), 0) FROM sandbox.refunds r WHERE r.charge_id = c.id)
"""
_CHALLENGE = """
UPDATE sandbox.charges SET stage = 'challenge'
WHERE session = $1 AND state = 'requires_action' AND stage = 'card' AND expires_at > now()
"""
_COMPLETE = """
UPDATE sandbox.charges SET state = $3, stage = NULL, decline_code = $4
WHERE session = $1 AND stage = $2 AND state = 'requires_action' AND expires_at > now() RETURNING id
"""
_MOVEMENTS = "SELECT * FROM sandbox.movements WHERE at >= $1 AND at < $2"
_QUEUE = "INSERT INTO sandbox.webhooks (event_id, body, send_at) VALUES ($1, $2, now() + $3::interval)"
_TO_SEND = """
UPDATE sandbox.webhooks SET send_at = now() + $2::interval, attempts = attempts + 1
WHERE id IN (SELECT id FROM sandbox.webhooks WHERE delivered_at IS NULL AND send_at <= now()
             ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING id, event_id, body, attempts
"""
_NOT_SENT = "UPDATE sandbox.webhooks SET send_at = now() + $2::interval WHERE id = $1"
_FORGET = """
DELETE FROM sandbox.webhooks
WHERE delivered_at < now() - $1::interval OR delivered_at IS NULL AND attempts >= $2
"""
