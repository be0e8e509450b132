"""The books of stored value: accounts, what is held of them, and their entries. All its SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from shopwright.chassis.db import Database, Row
from shopwright.contracts.money import Money


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A wallet or a gift card; `held` is promised to orders and not yet taken."""

    id: UUID
    kind: str
    user_id: UUID | None
    currency: str
    balance: int
    held: int
    last4: str
    issued: int
    note: str
    expires_at: datetime | None
    disabled_at: datetime | None
    created_at: datetime

    @property
    def available(self) -> int:
        return self.balance - self.held

    def problem(self, currency: str, now: datetime) -> str:
        """Why it pays nothing in `currency`; empty if it does."""
        if self.disabled_at is not None:
            return "gift_card_disabled"
        if self.expires_at is not None and self.expires_at <= now:
            return "gift_card_expired"
        if self.currency != currency:
            return "gift_card_other_currency"
        return "" if self.available > 0 else "gift_card_empty"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a wallet's balance, and the balance after it."""

    id: int
    amount: Money
    balance: Money
    reason: str
    payment_id: UUID | None
    at: datetime


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    state: str
    amount: int
    decline_code: str
    captured: int
    refunds: dict[str, int]


class Books:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def authorise(
        self, key: str, account_id: UUID, reference: UUID, amount: Money
    ) -> Charge | None:  # fmt: skip
        await self._db.commit(
            "SELECT stored_authorise($1, $2, $3, $4, $5)",
            key, account_id, reference, amount.minor, amount.currency,
        )  # fmt: skip
        return await self.by_key(key)

    async def capture(self, charge_id: UUID, amount: int) -> Charge | None:
        await self._db.commit("SELECT stored_capture($1, $2)", charge_id, amount)
        return await self.by_id(charge_id)

    async def void(self, charge_id: UUID) -> Charge | None:
        await self._db.commit("SELECT stored_void($1)", charge_id)
        return await self.by_id(charge_id)

    async def refund(self, charge_id: UUID, amount: int, key: str) -> Charge | None:
        await self._db.commit("SELECT stored_refund($1, $2, $3)", charge_id, amount, key)
        return await self.by_id(charge_id)

    async def by_key(self, key: str) -> Charge | None:
        async with self._db.read() as connection:
            return _charge(await connection.fetchrow("SELECT * FROM stored_reports WHERE key = $1", key))

    async def by_id(self, charge_id: UUID) -> Charge | None:
        async with self._db.read() as connection:
            return _charge(await connection.fetchrow("SELECT * FROM stored_reports WHERE id = $1", charge_id))

    async def issue(
        self, card: Account, code_hash: bytes, by_user: UUID
    ) -> Account | None:  # fmt: skip
        """The new gift card; None if its code is taken."""
        return _account(
            await self._db.commit(
                "SELECT * FROM issue_gift_card($1, $2, $3, $4, $5, $6, $7, $8)",
                card.id, code_hash, card.last4, card.issued, card.currency, card.expires_at, card.note,
                by_user,
            )
        )  # fmt: skip

    async def gift_cards_of(self, hashes: Sequence[bytes]) -> list[Account | None]:
        """The gift cards with these codes, in the same order."""
        async with self._db.read() as connection:
            rows = await connection.fetch(
                "SELECT * FROM stored_accounts WHERE code_hash = ANY($1)", list(hashes)
            )
        known = {row["code_hash"]: _account(row) for row in rows}
        return [known.get(wanted) for wanted in hashes]

    async def gift_cards(self, before: UUID | None, limit: int) -> list[Account]:
        async with self._db.read() as connection:
            rows = await connection.fetch(_GIFT_CARDS, before, limit)
        return [account for row in rows if (account := _account(row)) is not None]

    async def gift_card(self, card_id: UUID) -> Account | None:
        async with self._db.read() as connection:
            return _account(await connection.fetchrow(_GIFT_CARD, card_id))

    async def disable(self, card_id: UUID) -> Account | None:
        async with self._db.read() as connection:
            return _account(await connection.fetchrow(_DISABLE, card_id))

    async def wallets(self, user_id: UUID) -> list[Account]:
        async with self._db.read() as connection:
            rows = await connection.fetch(_WALLETS, user_id)
        return [account for row in rows if (account := _account(row)) is not None]

    async def entries(self, user_id: UUID, before: int | None, limit: int) -> list[Entry]:
        """The changes of all wallets of a buyer, newest first."""
        async with self._db.read() as connection:
            rows = await connection.fetch(_ENTRIES, user_id, before, limit)
        return [
            Entry(
                id=row["id"], amount=Money(row["amount"], row["currency"]),
                balance=Money(row["balance"], row["currency"]), reason=row["reason"],
                payment_id=row["payment_id"], at=row["at"],
            )
            for row in rows
        ]  # fmt: skip


def _account(row: Row | None) -> Account | None:
    return None if row is None else Account(**{name: row[name] for name in Account.__struct_fields__})


def _charge(row: Row | None) -> Charge | None:
    return None if row is None else Charge(**{name: row[name] for name in Charge.__struct_fields__})


_GIFT_CARDS = """
SELECT * FROM stored_accounts WHERE kind = 'gift_card' AND ($1::uuid IS NULL OR id < $1)
ORDER BY id DESC LIMIT $2
"""
_GIFT_CARD = "SELECT * FROM stored_accounts WHERE id = $1 AND kind = 'gift_card'"
_DISABLE = """
UPDATE stored_accounts SET disabled_at = coalesce(disabled_at, now())
WHERE id = $1 AND kind = 'gift_card' RETURNING *
"""
_WALLETS = "SELECT * FROM stored_accounts WHERE kind = 'wallet' AND user_id = $1 ORDER BY currency"
_ENTRIES = """
SELECT e.*, a.currency FROM stored_entries e JOIN stored_accounts a ON a.id = e.account_id
WHERE a.kind = 'wallet' AND a.user_id = $1 AND ($2::bigint IS NULL OR e.id < $2) ORDER BY e.id DESC LIMIT $3
"""
