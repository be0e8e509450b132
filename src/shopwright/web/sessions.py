"""Sessions: what the server remembers of a browser, and its way to a fresh access token.

The browser holds an opaque id only. Logging in moves the session to a new id (no fixation). An access token
that is about to end is renewed once per session however many requests ask at the same time, because a
refresh token that is used twice is revoked with its whole family.
"""

from __future__ import annotations

import asyncio
import base64
import time
from datetime import timedelta
from typing import Literal
from uuid import UUID

import msgspec
import structlog

from shopwright.chassis.db import Row
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import NotAuthenticated, Unavailable

from .clients.users import Tokens, Users
from .sealing import Seal, hash_of, new_session_id
from .store import SessionStore

log = structlog.get_logger()

Audience = Literal["shop", "staff"]

RENEW_BEFORE_S = 30  # an access token that ends sooner is renewed first
REFRESH_LEASE = timedelta(seconds=6)
REFRESH_POLL_S = 0.05
PURCHASES_MAX = 20  # a guest's orders that this browser may open
PRUNE_EVERY_S = 300


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who is logged in, with the tokens that say so to the services; sealed in the database."""

    user_id: str
    email: str
    name: str
    scopes: frozenset[str]
    access_token: str
    refresh_token: str
    expires_at: float  # of the access token, seconds since the epoch
    log_in_id: str = ""  # what users calls this log-in

    @property
    def is_staff(self) -> bool:
        return any(scope != "shop" and ":" in scope for scope in self.scopes)


class Purchase(msgspec.Struct, frozen=True):
    """An order placed from this browser and the cart that opens it; the provider names the payment."""

    order_id: UUID
    cart_id: UUID
    payment_id: str = ""


class Tender(msgspec.Struct, frozen=True, kw_only=True):
    """How this buyer means to pay for the cart; gift cards first, then the wallet, the rest by `method`."""

    method: str = ""
    gift_cards: list[str] = []
    use_wallet: bool = False


class Session(msgspec.Struct, kw_only=True):
    """One browser's session as this request read it."""

    id: str
    audience: Audience
    identity: Identity | None = None
    sealed: bytes | None = None
    cart_id: UUID | None = None
    cart_count: int = 0
    cart_currency: str = ""
    purchases: list[Purchase] = []
    notice: str | None = None
    tender: Tender = Tender()

    @property
    def prices_in(self) -> str:
        """The currency that a filled cart binds this browser to; empty while there is none."""
        return self.cart_currency if self.cart_count else ""

    def cart_of(self, order_id: UUID) -> UUID | None:
        """The cart that opens an order of this browser."""
        return next((item.cart_id for item in self.purchases if item.order_id == order_id), None)


class Lifetimes(msgspec.Struct, frozen=True):
    idle: timedelta
    longest: timedelta


class Sessions:
    def __init__(
        self, store: SessionStore, seal: Seal, users: Users, lifetimes: dict[Audience, Lifetimes]
    ) -> None:
        self._store = store
        self._seal = seal
        self._users = users
        self._lifetimes = lifetimes

    async def find(self, session_id: str, audience: Audience) -> Session | None:
        """The living session of a cookie; None for one that ended or never was."""
        row = await self._store.find(hash_of(session_id), audience, self._lifetimes[audience].idle)
        return None if row is None else self._session(session_id, audience, row)

    async def start(self, audience: Audience) -> Session:
        """A new session of nobody."""
        session = Session(id=new_session_id(), audience=audience)
        lifetime = self._lifetimes[audience]
        await self._store.insert(hash_of(session.id), audience, lifetime.idle, lifetime.longest)
        return session

    async def log_in(
        self, old: Session | None, audience: Audience, tokens: Tokens, *, email: str, name: str
    ) -> Session:
        """The session under a new id, with this identity; the old id is worth nothing afterwards."""
        session = Session(id=new_session_id(), audience=audience, identity=identity_of(tokens, email, name))
        lifetime = self._lifetimes[audience]
        await self._store.replace(
            hash_of(old.id) if old else None, hash_of(session.id), audience, self._sealed(session),
            idle=lifetime.idle, longest=lifetime.longest,
        )  # fmt: skip
        if old is not None:
            session.cart_id, session.cart_count = old.cart_id, old.cart_count
            session.cart_currency = old.cart_currency
            session.purchases = old.purchases
            await self.set_tender(session, old.tender)
        return session

    async def log_out(self, session: Session) -> None:
        """End the session here and its tokens at users; a users service that is away does not keep it
        alive.
        """
        await self.end(session)
        if session.identity is None:
            return
        try:
            await self._users.log_out(session.identity.access_token)
        except Problem as problem:
            log.info("tokens were not revoked at log-out", problem=problem.slug)

    async def end(self, session: Session) -> None:
        """The id is worth nothing from now on."""
        await self._store.delete(hash_of(session.id))

    async def rename(self, session: Session, name: str) -> None:
        """Remember the account's new name."""
        if session.identity is None or session.sealed is None:
            return
        seen, session.identity = session.sealed, msgspec.structs.replace(session.identity, name=name)
        await self._store.swap_identity(hash_of(session.id), seen, self._sealed(session))

    async def forget_identity(self, session: Session) -> None:
        """The tokens are no longer good; cart and purchases stay."""
        session.identity = None
        await self._store.set_identity(hash_of(session.id), None)

    async def access_token(self, session: Session | None) -> str:
        """A token that is good for the next seconds; empty for a guest.

        Raises:
            NotAuthenticated: the log-in has ended at users.
            Unavailable: users cannot be asked and the token has run out.
        """
        if session is None or session.identity is None:
            return ""
        if session.identity.expires_at - time.time() > RENEW_BEFORE_S:
            return session.identity.access_token
        return await self._renew(session)

    async def set_cart(
        self, session: Session, cart_id: UUID | None, count: int = 0, currency: str = ""
    ) -> None:
        """The cart of this browser, how much is in it, and what it is counted in."""
        if (session.cart_id, session.cart_count, session.cart_currency) == (cart_id, count, currency):
            return
        session.cart_id, session.cart_count, session.cart_currency = cart_id, count, currency
        await self._store.set_cart(hash_of(session.id), cart_id, count, currency)

    async def add_purchase(self, session: Session, purchase: Purchase) -> None:
        """Let this browser open the order later; the newest `PURCHASES_MAX` are kept."""
        others = [item for item in session.purchases if item.order_id != purchase.order_id]
        session.purchases = [purchase, *others][:PURCHASES_MAX]
        await self._store.set_purchases(hash_of(session.id), msgspec.to_builtins(session.purchases))

    async def set_tender(self, session: Session, tender: Tender) -> None:
        """How the buyer means to pay; an empty one forgets it."""
        if session.tender == tender:
            return
        session.tender = tender
        sealed = self._seal.seal(msgspec.msgpack.encode(tender), session.id) if tender != Tender() else None
        await self._store.set_tender(hash_of(session.id), sealed)

    async def set_notice(self, session: Session, notice: str | None) -> None:
        """A sentence for the top of the next page."""
        session.notice = notice
        await self._store.set_notice(hash_of(session.id), notice)

    def form_token(self, session_id: str) -> str:
        return self._seal.form_token(session_id)

    def is_form_token(self, token: str, session_id: str) -> bool:
        return self._seal.is_form_token(token, session_id)

    async def prune(self, stop: asyncio.Event) -> None:
        """Worker: delete ended sessions every few minutes."""
        while not stop.is_set():
            try:
                await self._store.prune()
            except Unavailable:
                log.warning("ended sessions were not pruned: the database is away")
            try:
                await asyncio.wait_for(stop.wait(), PRUNE_EVERY_S)
            except TimeoutError:
                continue

    async def _renew(self, session: Session) -> str:
        give_up = time.monotonic() + REFRESH_LEASE.total_seconds()
        while session.identity is not None and session.sealed is not None and time.monotonic() < give_up:
            if await self._store.claim_refresh(hash_of(session.id), session.sealed, REFRESH_LEASE):
                return await self._refresh(session, session.identity)
            await asyncio.sleep(REFRESH_POLL_S)
            session.sealed = await self._store.identity(hash_of(session.id))
            session.identity = self._identity(session.sealed, session.id)
            if session.identity and session.identity.expires_at - time.time() > RENEW_BEFORE_S:
                return session.identity.access_token
        if session.identity is None:
            raise NotAuthenticated(detail="the log-in has ended")
        raise Unavailable(detail="the log-in could not be renewed in time", part="users")

    async def _refresh(self, session: Session, identity: Identity) -> str:
        try:
            tokens = await self._users.refresh(identity.refresh_token)
        except Problem as problem:
            if problem.kind in {"unauthenticated", "denied", "invalid", "not_found", "gone"}:
                await self.forget_identity(session)
                raise NotAuthenticated(detail="the log-in has ended") from problem
            await self._store.set_identity(hash_of(session.id), session.sealed)
            raise
        session.identity = identity_of(tokens, identity.email, identity.name, identity.refresh_token)
        session.sealed = self._sealed(session)
        await self._store.set_identity(hash_of(session.id), session.sealed)
        return tokens.access_token

    def _session(self, session_id: str, audience: Audience, row: Row) -> Session:
        return Session(
            id=session_id,
            audience=audience,
            identity=self._identity(row["identity"], session_id),
            sealed=row["identity"],
            cart_id=row["cart_id"] and UUID(str(row["cart_id"])),
            cart_count=row["cart_count"],
            cart_currency=row["cart_currency"],
            purchases=msgspec.convert(row["purchases"], list[Purchase]),
            notice=row["notice"],
            tender=self._tender(row["tender"], session_id),
        )

    def _sealed(self, session: Session) -> bytes:
        session.sealed = self._seal.seal(msgspec.msgpack.encode(session.identity), session.id)
        return session.sealed

    def _tender(self, sealed: bytes | None, session_id: str) -> Tender:
        plain = self._seal.open(sealed, session_id) if sealed else None
        return msgspec.msgpack.decode(plain, type=Tender) if plain else Tender()

    def _identity(self, sealed: bytes | None, session_id: str) -> Identity | None:
        plain = self._seal.open(sealed, session_id) if sealed else None
        return msgspec.msgpack.decode(plain, type=Identity) if plain else None


class _Claims(msgspec.Struct):
    sub: str = ""
    sid: str = ""
    scope: str = ""


def identity_of(tokens: Tokens, email: str, name: str, refresh_token: str = "") -> Identity:
    """Who `tokens` speak for. They come from users over mTLS, so their signature is not checked again."""
    payload = tokens.access_token.split(".")[1] if tokens.access_token.count(".") == 2 else ""
    try:
        decoded = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        claims = msgspec.json.decode(decoded, type=_Claims)
    except (ValueError, msgspec.DecodeError):
        claims = _Claims()
    return Identity(
        user_id=claims.sub,
        log_in_id=claims.sid,
        email=email,
        name=name,
        scopes=frozenset(claims.scope.split()),
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token or refresh_token,
        expires_at=time.time() + tokens.expires_in,
    )
