"""What is to be received by hand, and what was. All its SQL."""

from __future__ import annotations

import secrets
from typing import Final
from uuid import UUID

import msgspec

from shopwright.chassis.db import Database, Row

ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # people write it on a form: no 0 and O, no 1 and I


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    ref: str
    payment_id: UUID
    method: str
    state: str
    amount: int
    captured: int
    refunds: dict[str, int]
    received_ref: str


class Books:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def open(self, charge: Charge, key: str, currency: str) -> Charge:
        """Write a charge down, or return the one that was made under its key."""
        async with self._db.read() as connection:
            await connection.execute(
                _OPEN,
                key,
                charge.ref,
                charge.payment_id,
                charge.method,
                charge.amount,
                currency,
                charge.state,
            )
        known = await self.by_key(key)
        assert known is not None, "it was just written"
        return known

    async def by_key(self, key: str) -> Charge | None:
        async with self._db.read() as connection:
            return _charge(await connection.fetchrow("SELECT * FROM manual_reports WHERE key = $1", key))

    async def by_payment(self, payment_id: UUID) -> Charge | None:
        async with self._db.read() as connection:
            return _charge(
                await connection.fetchrow("SELECT * FROM manual_reports WHERE payment_id = $1", payment_id)
            )

    async def void(self, payment_id: UUID) -> None:
        async with self._db.read() as connection:
            await connection.execute(_VOID, payment_id)

    async def received(self, payment_id: UUID, reference: str, by_user: UUID) -> bool:
        """Whether the money is in: now, or before. False for a charge that is over."""
        async with self._db.read() as connection:
            return bool(await connection.fetchrow(_RECEIVED, payment_id, reference, by_user))

    async def refund(self, payment_id: UUID, amount: int, key: str) -> None:
        """Note that `amount` is handed back, if so much is left; once per key."""
        async with self._db.begin() as tx:
            await tx.execute("SELECT FROM manual_charges WHERE payment_id = $1 FOR UPDATE", payment_id)
            if await tx.execute(_REFUND, key, payment_id, amount):
                await tx.execute(
                    "UPDATE manual_charges SET refunded = refunded + $2 WHERE payment_id = $1",
                    payment_id, amount,
                )  # fmt: skip


def new_ref() -> str:
    return "SW" + "".join(secrets.choice(ALPHABET) for _ in range(8))


def _charge(row: Row | None) -> Charge | None:
    return None if row is None else Charge(**{name: row[name] for name in Charge.__struct_fields__})


_OPEN = """
INSERT INTO manual_charges (key, ref, payment_id, method, amount, currency, state)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (key) DO NOTHING
"""
_VOID = """
UPDATE manual_charges SET state = 'voided' WHERE payment_id = $1 AND captured = 0
"""
_RECEIVED = """
UPDATE manual_charges SET state = 'authorised', captured = amount, received_at = coalesce(received_at, now()),
    received_by = coalesce(received_by, $3),
    received_ref = CASE WHEN captured = 0 THEN $2 ELSE received_ref END
WHERE payment_id = $1 AND state <> 'voided' RETURNING id
"""
_REFUND = """
INSERT INTO manual_refunds (key, charge_id, amount)
SELECT $1, c.id, $3::bigint FROM manual_charges c
WHERE c.payment_id = $2 AND c.captured - c.refunded >= $3::bigint
ON CONFLICT DO NOTHING
"""
