"""Wallets and gift cards over HTTP: buyers see and fill their own, staff give cards away."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post

from shopwright.chassis.auth import Principal
from shopwright.chassis.idempotency import once_of
from shopwright.chassis.paging import Limit, Page, decode_cursor, page_of
from shopwright.chassis.validation import invalid
from shopwright.contracts.money import Money
from shopwright.contracts.payments import PaymentStatus

from ..domain import Payment
from .books import Account, Books, Entry
from .commands import GiftCards, Wallets

Code = Annotated[str, msgspec.Meta(min_length=4, max_length=64)]
WRITE = "payments:write"


class WalletView(msgspec.Struct, frozen=True, kw_only=True):
    """What the buyer can spend by currency, and what changed it, newest first."""

    balances: list[Money]
    items: list[Entry]
    next_cursor: str | None


class CardInput(msgspec.Struct, frozen=True, kw_only=True):
    """Without a token the buyer pays on the provider's page."""

    token: Annotated[str, msgspec.Meta(max_length=255)] | None = None
    return_url: Annotated[str, msgspec.Meta(max_length=2_000)] | None = None


class TopUp(msgspec.Struct, frozen=True, kw_only=True):
    amount: Money
    payment: CardInput


class TopUpView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    amount: Money
    status: PaymentStatus
    action_url: str | None


class NewGiftCard(msgspec.Struct, frozen=True, kw_only=True):
    """Without a code one is made. The code is in the answer, and nowhere else ever again."""

    amount: Money
    code: Annotated[str, msgspec.Meta(min_length=12, max_length=48)] | None = None
    expires_at: datetime | None = None
    note: Annotated[str, msgspec.Meta(max_length=200)] = ""


class GiftCardView(msgspec.Struct, frozen=True, kw_only=True):
    """`code` is masked but in the answer that makes the card; `held`: promised to orders."""

    id: UUID
    code: str
    issued: Money
    balance: Money
    held: Money
    expires_at: datetime | None
    disabled_at: datetime | None
    note: str
    created_at: datetime


class GiftCardCode(msgspec.Struct, frozen=True):
    code: Code


class GiftCardBalance(msgspec.Struct, frozen=True):
    balance: Money
    expires_at: datetime | None


@get("/v1/wallet", tags=["payments"])
async def read_wallet(
    principal: Principal,
    wallets: Wallets,
    stored: Books,
    limit: Limit = 20,
    cursor: str | None = None,
) -> WalletView:
    """The buyer's own wallet, in every currency it holds."""
    user_id = principal.require_user()
    entries = await stored.entries(user_id, decode_cursor(cursor, int), limit + 1)
    page = page_of(entries, limit, lambda entry: entry.id)
    balances = [Money(wallet.available, wallet.currency) for wallet in await wallets.balances(user_id)]
    return WalletView(balances=balances, items=page.items, next_cursor=page.next_cursor)


@post("/v1/wallet/top-ups", tags=["payments"])
async def top_up(
    data: TopUp, request: Request, principal: Principal, wallets: Wallets
) -> Response[TopUpView]:
    """Pay money into the wallet. 201 it is there; 202 in progress, or the buyer must act at `action_url`."""
    user_id = principal.require_user()
    payment = await wallets.top_up(
        user_id,
        data.amount,
        token=data.payment.token or "",
        return_url=data.payment.return_url or "",
        once=await once_of(request, str(user_id)),
    )
    return Response(
        _top_up(payment),
        status_code=201 if payment.captured else 202,
        headers={"location": f"/v1/wallet/top-ups/{payment.id}"},
    )


@get("/v1/wallet/top-ups/{payment_id:uuid}", tags=["payments"])
async def read_top_up(payment_id: UUID, principal: Principal, wallets: Wallets) -> TopUpView:
    """How a top-up stands, once the provider was asked."""
    return _top_up(await wallets.of_user(principal.require_user(), payment_id))


@post("/v1/gift-cards", tags=["payments"])
async def issue_gift_card(
    data: NewGiftCard, request: Request, principal: Principal, gift_cards: GiftCards
) -> GiftCardView:
    """Give a gift card away; the answer alone tells its code. Scope payments:write."""
    principal.require(WRITE)
    user_id = principal.require_user()
    if data.expires_at is not None and data.expires_at.tzinfo is None:
        raise invalid("/expires_at", "needs a time zone, such as 2027-01-31T00:00:00Z")
    card, code = await gift_cards.issue(
        data.amount,
        user_id,
        code=data.code or "",
        expires_at=data.expires_at,
        note=data.note,
        once=await once_of(request, str(user_id)),
    )
    return msgspec.structs.replace(_card(card), code=code)


@get("/v1/gift-cards", tags=["payments"])
async def list_gift_cards(
    principal: Principal, gift_cards: GiftCards, limit: Limit = 20, cursor: str | None = None
) -> Page[GiftCardView]:
    """All gift cards, newest first, their codes masked. Scope payments:read."""
    principal.require("payments:read")
    cards = await gift_cards.listing(decode_cursor(cursor, UUID), limit + 1)
    return page_of([_card(card) for card in cards], limit, lambda card: card.id)


@post("/v1/gift-cards/check", status_code=200, tags=["payments"])
async def check_gift_card(data: GiftCardCode, gift_cards: GiftCards) -> GiftCardBalance:
    """What a gift card can pay, for whoever has its code."""
    card = await gift_cards.check(data.code)
    return GiftCardBalance(Money(card.available, card.currency), card.expires_at)


@post("/v1/gift-cards/{card_id:uuid}/disable", status_code=200, tags=["payments"])
async def disable_gift_card(card_id: UUID, principal: Principal, gift_cards: GiftCards) -> GiftCardView:
    """A card that was lost pays nothing from now on. Scope payments:write."""
    principal.require(WRITE)
    return _card(await gift_cards.disable(card_id))


HANDLERS = (
    read_wallet, top_up, read_top_up, issue_gift_card, list_gift_cards, check_gift_card, disable_gift_card,
)  # fmt: skip


def _top_up(payment: Payment) -> TopUpView:
    waits = payment.status == "requires_action"
    return TopUpView(
        id=payment.id,
        amount=payment.money(payment.amount),
        status=payment.status,
        action_url=payment.action_url if waits else None,
    )


def _card(card: Account) -> GiftCardView:
    return GiftCardView(
        id=card.id,
        code=f"•••• {card.last4}",
        issued=Money(card.issued, card.currency),
        balance=Money(card.balance, card.currency),
        held=Money(card.held, card.currency),
        expires_at=card.expires_at,
        disabled_at=card.disabled_at,
        note=card.note,
        created_at=card.created_at,
    )
