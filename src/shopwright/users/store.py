"""All SQL of users."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from shopwright.chassis.db import Connection, Transaction
from shopwright.contracts.orders import Address

from .domain import Session, User

_USER = "id, email, name, role, created_at, groups"


class Account(NamedTuple):
    user: User
    password_hash: bytes


class Refresh(NamedTuple):
    """A refresh token that was shown: whose session, and whether it may still be used."""

    session_id: UUID
    user: User
    reused: bool
    ended: bool


class SavedAddress(msgspec.Struct, frozen=True):
    id: UUID
    address: Address
    is_default: bool


async def insert(tx: Transaction, user: User, password_hash: bytes) -> None:
    await tx.execute(
        _INSERT,
        user.id, user.email, user.name, password_hash, user.role, user.created_at,
    )  # fmt: skip


async def by_email(connection: Connection, email: str) -> Account | None:
    row = await connection.fetchrow(
        f"SELECT {_USER}, password_hash FROM users WHERE lower(email) = lower($1)", email
    )
    return Account(_user(row), row["password_hash"]) if row else None


async def by_id(connection: Connection, user_id: UUID) -> Account | None:
    row = await connection.fetchrow(f"SELECT {_USER}, password_hash FROM users WHERE id = $1", user_id)
    return Account(_user(row), row["password_hash"]) if row else None


async def rename(tx: Transaction, user_id: UUID, name: str) -> None:
    await tx.execute("UPDATE users SET name = $2, updated_at = now() WHERE id = $1", user_id, name)


async def set_groups(tx: Transaction, user_id: UUID, groups: Sequence[str]) -> bool:
    return bool(
        await tx.execute(
            "UPDATE users SET groups = $2, updated_at = now() WHERE id = $1", user_id, list(groups)
        )
    )


async def set_password(tx: Transaction, user_id: UUID, password_hash: bytes) -> None:
    await tx.execute(
        "UPDATE users SET password_hash = $2, updated_at = now() WHERE id = $1", user_id, password_hash
    )


async def ask_reset(
    tx: Transaction, user_id: UUID, token_hash: bytes, life: timedelta, pause: timedelta
) -> bool:
    """Replace the account's request, unless it is younger than `pause`; tells whether this one counts."""
    return bool(await tx.execute(_ASK_RESET, user_id, token_hash, life, pause))


async def reset_of(connection: Connection, token_hash: bytes) -> User | None:
    """Whose request this is, if it can still be used."""
    row = await connection.fetchrow(_RESET_OF, token_hash)
    return _user(row) if row else None


async def use_reset(tx: Transaction, token_hash: bytes) -> bool:
    return bool(
        await tx.execute("DELETE FROM password_resets WHERE hash = $1 AND expires_at > now()", token_hash)
    )


async def erase(tx: Transaction, user_id: UUID) -> None:
    await tx.execute("DELETE FROM users WHERE id = $1", user_id)


async def upsert(tx: Transaction, user: User, password_hash: bytes) -> None:
    await tx.execute(_UPSERT, user.id, user.email, user.name, password_hash, user.role)


async def failures(connection: Connection, email_hash: bytes) -> tuple[int, float]:
    """How often the password was wrong in a row, and how many seconds ago last."""
    row = await connection.fetchrow(_FAILURES, email_hash)
    return (row["failures"], row["age"]) if row else (0, 0.0)


async def note_failure(tx: Transaction, email_hash: bytes) -> None:
    await tx.execute(_NOTE_FAILURE, email_hash)


async def forget_failures(tx: Transaction, email_hash: bytes) -> None:
    await tx.execute("DELETE FROM failed_logins WHERE email_hash = $1", email_hash)


async def begin_session(
    tx: Transaction, session_id: UUID, user_id: UUID, agent: str, life: timedelta, token_hash: bytes
) -> None:
    await tx.execute(_BEGIN_SESSION, session_id, user_id, agent[:200], life, token_hash)


async def use_refresh(tx: Transaction, token_hash: bytes) -> Refresh | None:
    """Use up a refresh token; tells whether it had been used before."""
    row = await tx.fetchrow(_USE_REFRESH, token_hash)
    if row is None:
        return None
    return Refresh(row["session_id"], _user(row), row["reused"], row["ended"])


async def add_refresh(tx: Transaction, session_id: UUID, token_hash: bytes) -> None:
    await tx.execute("INSERT INTO refresh_tokens (hash, session_id) VALUES ($1, $2)", token_hash, session_id)
    await tx.execute("UPDATE sessions SET used_at = now() WHERE id = $1", session_id)


async def end_session(tx: Transaction, session_id: UUID) -> None:
    await tx.execute("UPDATE sessions SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1", session_id)


async def end_own_session(tx: Transaction, user_id: UUID, session_id: UUID) -> bool:
    return bool(await tx.execute(_END_OWN_SESSION, user_id, session_id))


async def end_sessions_of(tx: Transaction, user_id: UUID, except_id: UUID | None = None) -> None:
    await tx.execute(_END_SESSIONS, user_id, except_id)


async def sessions_of(connection: Connection, user_id: UUID) -> list[Session]:
    rows = await connection.fetch(_SESSIONS, user_id)
    return [Session(**row) for row in rows]


async def prune(connection: Connection) -> None:
    await connection.execute("DELETE FROM sessions WHERE expires_at < now() - interval '1 day'")
    await connection.execute("DELETE FROM failed_logins WHERE last_at < now() - interval '1 day'")
    await connection.execute("DELETE FROM password_resets WHERE expires_at < now()")


async def addresses_of(connection: Connection, user_id: UUID) -> list[SavedAddress]:
    rows = await connection.fetch(
        "SELECT id, address, is_default FROM addresses WHERE user_id = $1 ORDER BY is_default DESC, id",
        user_id,
    )
    return [
        SavedAddress(row["id"], msgspec.convert(row["address"], Address), row["is_default"]) for row in rows
    ]


async def save_address(tx: Transaction, user_id: UUID, saved: SavedAddress) -> None:
    if saved.is_default:
        await tx.execute("UPDATE addresses SET is_default = false WHERE user_id = $1 AND is_default", user_id)
    await tx.execute(_SAVE_ADDRESS, saved.id, user_id, msgspec.to_builtins(saved.address), saved.is_default)


async def remove_address(tx: Transaction, user_id: UUID, address_id: UUID) -> bool:
    return bool(await tx.execute("DELETE FROM addresses WHERE user_id = $1 AND id = $2", user_id, address_id))


def _user(row: Any) -> User:
    return User(**{name: row[name] for name in User.__struct_fields__})


_INSERT = """
INSERT INTO users (id, email, name, password_hash, role, created_at) VALUES ($1, $2, $3, $4, $5, $6)
"""
_FAILURES = """
SELECT failures, extract(epoch FROM now() - last_at)::float AS age FROM failed_logins WHERE email_hash = $1
"""
_ASK_RESET = """
INSERT INTO password_resets AS r (user_id, hash, expires_at) VALUES ($1, $2, now() + $3::interval)
ON CONFLICT (user_id) DO UPDATE
    SET hash = excluded.hash, asked_at = excluded.asked_at, expires_at = excluded.expires_at
    WHERE r.asked_at <= now() - $4::interval
"""
_RESET_OF = f"""
SELECT {_USER} FROM users WHERE id = (
    SELECT user_id FROM password_resets WHERE hash = $1 AND expires_at > now())
"""
_END_SESSIONS = """
UPDATE sessions SET revoked_at = now() WHERE user_id = $1 AND revoked_at IS NULL AND id IS DISTINCT FROM $2
"""
_END_OWN_SESSION = """
UPDATE sessions SET revoked_at = now() WHERE user_id = $1 AND id = $2 AND revoked_at IS NULL
"""
_UPSERT = """
INSERT INTO users (id, email, name, password_hash, role) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (lower(email)) DO UPDATE SET password_hash = excluded.password_hash, role = excluded.role
"""
_NOTE_FAILURE = """
INSERT INTO failed_logins AS f (email_hash, failures, last_at) VALUES ($1, 1, now())
ON CONFLICT (email_hash) DO UPDATE SET last_at = now(),
    failures = CASE WHEN f.last_at < now() - interval '1 hour' THEN 1 ELSE f.failures + 1 END
"""
_BEGIN_SESSION = """
WITH begun AS (
    INSERT INTO sessions (id, user_id, agent, expires_at) VALUES ($1, $2, $3, now() + $4::interval)
    RETURNING id)
INSERT INTO refresh_tokens (hash, session_id) SELECT $5, id FROM begun
"""
_USE_REFRESH = """
WITH before AS (SELECT hash, session_id, used_at FROM refresh_tokens WHERE hash = $1 FOR UPDATE),
used AS (
    UPDATE refresh_tokens t SET used_at = coalesce(t.used_at, now()) FROM before WHERE t.hash = before.hash)
SELECT s.id AS session_id, before.used_at IS NOT NULL AS reused,
    s.revoked_at IS NOT NULL OR s.expires_at < now() AS ended, u.id, u.email, u.name, u.role, u.created_at,
    u.groups
FROM before JOIN sessions s ON s.id = before.session_id JOIN users u ON u.id = s.user_id
"""
_SESSIONS = """
SELECT id, agent, created_at, used_at, expires_at FROM sessions
WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > now() ORDER BY used_at DESC LIMIT 100
"""
_SAVE_ADDRESS = """
INSERT INTO addresses AS a (id, user_id, address, is_default) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET address = excluded.address, is_default = excluded.is_default
    WHERE a.user_id = $2
"""
