"""What can change in users, and when it is refused."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from shopwright.chassis.db import Database, Once, UniqueViolation
from shopwright.contracts.ids import new_id
from shopwright.contracts.orders import Address
from shopwright.contracts.problems import NotFound, TooManyRequests
from shopwright.contracts.users import PasswordChanged, PasswordResetRequested, UserErased, UserRegistered

from . import domain, store
from .domain import EmailTaken, InvalidCredentials, ResetLinkEnded, Session, SessionEnded, User
from .passwords import Passwords
from .store import SavedAddress
from .tokens import Tokens

ADDRESSES_MAX = 50  # an address book, not a mailing list


class Grant(msgspec.Struct, frozen=True):
    """What a log-in or refresh gives (RFC 6749 §5.1)."""

    access_token: str
    refresh_token: str
    expires_in: int
    token_type: str = "Bearer"


class Users:
    def __init__(self, db: Database, passwords: Passwords, tokens: Tokens, session_life: timedelta) -> None:
        self._db, self._passwords, self._tokens, self._session_life = db, passwords, tokens, session_life

    async def register(self, email: str, password: str, name: str, once: Once | None) -> User:
        """Make a buyer's account; publishes UserRegistered. Raises EmailTaken, InvalidInput."""
        user = User(
            id=new_id(),
            email=domain.clean_email(email),
            name=domain.clean_name(name),
            role="buyer",
            created_at=datetime.now(UTC),
        )
        domain.check_password(password)
        hashed = await self._passwords.hash(password)
        try:
            async with self._db.begin(once) as tx:
                if tx.repeated and tx.stored:
                    return msgspec.json.decode(tx.stored, type=User)
                await store.insert(tx, user, hashed)
                tx.publish(UserRegistered(user_id=user.id, email=user.email, name=user.name))
                tx.remember(msgspec.json.encode(user))
        except UniqueViolation as error:
            raise EmailTaken from error
        return user

    async def log_in(self, email: str, password: str, agent: str) -> Grant:
        """Begin a session.

        Raises:
            InvalidCredentials: whether or not there is such an account.
            TooManyRequests: too many wrong passwords in a row for this e-mail address.
        """
        email_hash = _email_hash(email)
        async with self._db.read() as connection:
            failures, age_s = await store.failures(connection, email_hash)
            account = await store.by_email(connection, email.strip())
        wait = domain.wait_s(failures) - age_s
        if wait > 0:
            raise TooManyRequests(detail="too many wrong passwords in a row", retry_after_s=int(wait) + 1)
        good = await self._passwords.matches(
            password[: domain.PASSWORD_MAX], account.password_hash if account else None
        )
        if account is None or not good:
            async with self._db.begin() as tx:
                await store.note_failure(tx, email_hash)
            raise InvalidCredentials
        refresh, session_id = secrets.token_urlsafe(32), new_id()
        async with self._db.begin() as tx:
            if failures:
                await store.forget_failures(tx, email_hash)
            await store.begin_session(
                tx, session_id, account.user.id, agent, self._session_life, _hash(refresh)
            )
        return self._grant(account.user, session_id, refresh)

    async def refresh(self, token: str) -> Grant:
        """Trade a refresh token for new ones. A token shown twice was stolen: its session ends.

        Raises:
            SessionEnded: unknown, used before, revoked or expired.
        """
        fresh = secrets.token_urlsafe(32)
        async with self._db.begin() as tx:
            shown = await store.use_refresh(tx, _hash(token))
            good = shown is not None and not shown.reused and not shown.ended
            if shown is not None and good:
                await store.add_refresh(tx, shown.session_id, _hash(fresh))
            elif shown is not None:
                await store.end_session(tx, shown.session_id)
        if shown is None or not good:
            raise SessionEnded
        return self._grant(shown.user, shown.session_id, fresh)

    async def log_out(self, session_id: str) -> None:
        """End the session; access tokens already given live out their quarter of an hour."""
        if session_id:
            async with self._db.begin() as tx:
                await store.end_session(tx, UUID(session_id))

    async def find(self, user_id: UUID) -> User:
        async with self._db.read() as connection:
            account = await store.by_id(connection, user_id)
        if account is None:
            raise NotFound(detail="there is no such account any more")
        return account.user

    async def rename(self, user_id: UUID, name: str, once: Once | None) -> User:
        async with self._db.begin(once) as tx:
            await store.rename(tx, user_id, domain.clean_name(name))
        return await self.find(user_id)

    async def by_email(self, email: str) -> User | None:
        async with self._db.read() as connection:
            account = await store.by_email(connection, email)
        return account.user if account else None

    async def set_groups(self, user_id: UUID, groups: Sequence[str], once: Once | None) -> User:
        """Put an account into groups of customers, and out of all others."""
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                await store.set_groups(tx, user_id, sorted(set(groups)))
        return await self.find(user_id)

    async def change_password(
        self, user_id: UUID, current: str, new: str, *, keep_session: str, once: Once | None
    ) -> None:
        """Set a new password and end all other sessions; publishes PasswordChanged."""
        user = await self._prove(user_id, current)
        domain.check_password(new, "/new")
        hashed = await self._passwords.hash(new)
        async with self._db.begin(once) as tx:
            if tx.repeated:
                return
            await store.set_password(tx, user_id, hashed)
            await store.end_sessions_of(tx, user_id, UUID(keep_session) if keep_session else None)
            tx.publish(PasswordChanged(user_id=user.id, email=user.email, name=user.name))

    async def ask_reset(self, email: str) -> None:
        """Have a link for a new password mailed to the owner (PasswordResetRequested); asked again too soon,
        and for no account, it does nothing and says the same.
        """
        user = await self.by_email(email.strip())
        if user is None:
            return
        token, life = secrets.token_urlsafe(32), timedelta(minutes=domain.RESET_MINUTES)
        pause = timedelta(seconds=domain.RESET_PAUSE_S)
        async with self._db.begin() as tx:
            if await store.ask_reset(tx, user.id, _hash(token), life, pause):
                tx.publish(
                    PasswordResetRequested(
                        user_id=user.id, email=user.email, name=user.name, token=token,
                        minutes=domain.RESET_MINUTES,
                    )
                )  # fmt: skip

    async def reset_password(self, token: str, password: str) -> None:
        """Set a new password by a mailed link, which is used up; all sessions end (PasswordChanged).

        Raises:
            ResetLinkEnded: unknown, used before, replaced or too old.
        """
        domain.check_password(password)
        async with self._db.read() as connection:
            user = await store.reset_of(connection, _hash(token))
        if user is None:
            raise ResetLinkEnded
        hashed = await self._passwords.hash(password)
        async with self._db.begin() as tx:
            if not await store.use_reset(tx, _hash(token)):
                raise ResetLinkEnded
            await store.set_password(tx, user.id, hashed)
            await store.end_sessions_of(tx, user.id)
            await store.forget_failures(tx, _email_hash(user.email))
            tx.publish(PasswordChanged(user_id=user.id, email=user.email, name=user.name))

    async def erase(self, user_id: UUID, password: str, once: Once | None) -> None:
        """Delete the account; every service forgets the person (UserErased)."""
        await self._prove(user_id, password)
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                await store.erase(tx, user_id)
                tx.publish(UserErased(user_id=user_id))

    async def _prove(self, user_id: UUID, password: str) -> User:
        async with self._db.read() as connection:
            account = await store.by_id(connection, user_id)
        if not await self._passwords.matches(password, account.password_hash if account else None):
            raise InvalidCredentials
        assert account is not None, "a password matched without an account"
        return account.user

    async def sessions(self, user_id: UUID) -> list[Session]:
        async with self._db.read() as connection:
            return await store.sessions_of(connection, user_id)

    async def end_session(self, user_id: UUID, session_id: UUID) -> None:
        """End one of the account's sessions; raises NotFound for a stranger's or one that is over."""
        async with self._db.begin() as tx:
            if not await store.end_own_session(tx, user_id, session_id):
                raise NotFound(detail=f"no session {session_id}")

    async def addresses(self, user_id: UUID) -> list[SavedAddress]:
        async with self._db.read() as connection:
            return await store.addresses_of(connection, user_id)

    async def save_address(
        self, user_id: UUID, address_id: UUID | None, address: Address, *, is_default: bool, once: Once | None
    ) -> SavedAddress:
        """Add an address, or change the one with `address_id`."""
        known = await self.addresses(user_id)
        if address_id is not None and address_id not in {saved.id for saved in known}:
            raise NotFound(detail=f"no address {address_id}")
        if address_id is None and len(known) >= ADDRESSES_MAX:
            raise domain.AddressBookFull(addresses_max=ADDRESSES_MAX)
        saved = SavedAddress(address_id or new_id(), address, is_default or not known)
        async with self._db.begin(once) as tx:
            if tx.repeated and tx.stored:
                return msgspec.json.decode(tx.stored, type=SavedAddress)
            await store.save_address(tx, user_id, saved)
            tx.remember(msgspec.json.encode(saved))
        return saved

    async def remove_address(self, user_id: UUID, address_id: UUID, once: Once | None) -> None:
        async with self._db.begin(once) as tx:
            if not tx.repeated and not await store.remove_address(tx, user_id, address_id):
                raise NotFound(detail=f"no address {address_id}")

    async def prune(self) -> None:
        async with self._db.read() as connection:
            await store.prune(connection)

    def _grant(self, user: User, session_id: UUID, refresh: str) -> Grant:
        access = self._tokens.access(user.id, session_id, user.scope)
        return Grant(access, refresh, int(self._tokens.life.total_seconds()))


def _email_hash(email: str) -> bytes:
    return hashlib.sha256(email.strip().lower().encode()).digest()


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
