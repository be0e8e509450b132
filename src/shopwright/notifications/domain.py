"""What is true of notifications: their kinds, what each says, which of them one may switch off, and the
problems that refuse. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, Literal, get_args
from uuid import UUID

import msgspec

from shopwright.contracts.events import Event, event
from shopwright.contracts.money import Money
from shopwright.contracts.orders import (
    Address,
    OrderCancelled,
    OrderConfirmed,
    OrderDrafted,
    OrderedLine,
    OrderRefunded,
    OrderShipped,
    PaymentRequested,
    ShippedLine,
    Total,
    TransferAwaited,
)
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import FieldError
from shopwright.contracts.users import PasswordChanged, PasswordResetRequested, UserRegistered

Kind = Literal[
    "welcome", "password_changed", "order_confirmed", "order_cancelled", "order_shipped", "order_refunded",
    "order_drafted", "payment_requested", "password_reset",
]  # fmt: skip
Channel = Literal["email", "in_app"]
State = Literal["queued", "retrying", "sent", "skipped"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
CHANNELS: Final[tuple[Channel, ...]] = get_args(Channel)

#: Mails that keep an account safe or that the law wants; everything else may be switched off.
ALWAYS: Final[frozenset[tuple[Kind, Channel]]] = frozenset(
    {(kind, "email") for kind in KINDS if kind != "welcome"}
)
NAME_MAX = 100


class AlwaysSent(Problem):
    """Mails about security and orders cannot be switched off."""

    kind = "invalid"
    errors: list[FieldError]


class BeingDelivered(Problem):
    """Another worker is sending this mail."""

    kind = "conflict"


class MailNotSent(Problem):
    """The mail could not be handed over."""

    kind = "unavailable"


class LinkTooOld(Problem):
    """This link no longer works."""

    kind = "gone"


@event("notifications.notification_queued.v1", subject="notification_id")
class NotificationQueued(Event, frozen=True):
    """A mail waits to be sent; carries no personal data."""

    notification_id: UUID
    kind: Kind


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    pass


class PasswordNotice(msgspec.Struct, frozen=True, tag="password_changed"):
    pass


class ResetLink(msgspec.Struct, frozen=True, tag="password_reset"):
    """`token` opens the account, so it is in the mail only; nothing that is kept of it tells."""

    token: str
    minutes: int


class OrderConfirmation(msgspec.Struct, frozen=True, kw_only=True, tag="order_confirmed"):
    number: str
    lines: list[OrderedLine]
    totals: list[Total]
    total: Money
    address: Address | None = None


class OrderCancellation(msgspec.Struct, frozen=True, kw_only=True, tag="order_cancelled"):
    number: str
    total: Money


class Shipment(msgspec.Struct, frozen=True, kw_only=True, tag="order_shipped"):
    """`complete`: nothing of the order is left to ship."""

    number: str
    lines: list[ShippedLine]
    carrier: str
    tracking_number: str
    tracking_url: str
    complete: bool


class OrderRefund(msgspec.Struct, frozen=True, kw_only=True, tag="order_refunded"):
    """`refunded`: all that went back so far."""

    number: str
    amount: Money
    refunded: Money
    reason: str


class OrderOffer(msgspec.Struct, frozen=True, kw_only=True, tag="order_drafted"):
    """An order that staff put together; `note` is what they say of it."""

    total: Money
    note: str


class PaymentRequest(msgspec.Struct, frozen=True, kw_only=True, tag="payment_requested"):
    """What a change of an order costs, goods that are sent in `exchange`, or an order that a `transfer` pays.

    To be paid `until` then; `instructions`: how, where no page takes the money.
    """

    number: str
    amount: Money
    until: datetime
    purpose: str
    instructions: str = ""


Content = (
    PaymentRequest
    | Shipment
    | OrderRefund
    | OrderOffer
    | Welcome
    | PasswordNotice
    | ResetLink
    | OrderConfirmation
    | OrderCancellation
)


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What an event makes: to whom, and what it says. `link` is a path of the shop."""

    kind: Kind
    user_id: UUID | None
    email: str
    name: str
    title: str
    link: str
    content: Content


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A notification whose mail is to be sent."""

    id: UUID
    guest: bool
    kind: Kind
    email: str
    name: str
    title: str
    link: str
    content: Content
    created_at: datetime
    unsubscribe_token: str | None


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A notification as its owner sees it."""

    id: UUID
    kind: Kind
    title: str
    link: str
    position: int
    created_at: datetime
    read_at: datetime | None


class Preference(msgspec.Struct, frozen=True, kw_only=True):
    kind: Kind
    channel: Channel
    enabled: bool


def welcome(fact: UserRegistered, shop_name: str) -> Draft:
    return Draft(
        kind="welcome", user_id=fact.user_id, email=fact.email, name=fact.name,
        title=f"Welcome to {shop_name}", link="/", content=Welcome(),
    )  # fmt: skip


def password_changed(fact: PasswordChanged) -> Draft:
    return Draft(
        kind="password_changed", user_id=fact.user_id, email=fact.email, name=fact.name,
        title="Your password was changed", link="/account", content=PasswordNotice(),
    )  # fmt: skip


def password_reset(fact: PasswordResetRequested) -> Draft:
    return Draft(
        kind="password_reset", user_id=fact.user_id, email=fact.email, name=fact.name,
        title="Choose a new password", link="/password/reset",
        content=ResetLink(token=fact.token, minutes=fact.minutes),
    )  # fmt: skip


def order_confirmed(fact: OrderConfirmed) -> Draft:
    content = OrderConfirmation(
        number=fact.number, lines=fact.lines, totals=fact.totals, total=fact.total, address=fact.address
    )
    return Draft(
        kind="order_confirmed", user_id=fact.user_id, email=fact.email, name=fact.name,
        title=f"Order {fact.number} is confirmed", link=f"/orders/{fact.order_id}", content=content,
    )  # fmt: skip


def order_cancelled(fact: OrderCancelled) -> Draft:
    return Draft(
        kind="order_cancelled", user_id=fact.user_id, email=fact.email, name=fact.name,
        title=f"Order {fact.number} was cancelled", link=f"/orders/{fact.order_id}",
        content=OrderCancellation(number=fact.number, total=fact.total),
    )  # fmt: skip


def order_shipped(fact: OrderShipped) -> Draft:
    what = f"Order {fact.number}" if fact.complete else f"Part of order {fact.number}"
    content = Shipment(
        number=fact.number, lines=fact.lines, carrier=fact.carrier, tracking_number=fact.tracking_number,
        tracking_url=_web_address(fact.tracking_url), complete=fact.complete,
    )  # fmt: skip
    return Draft(
        kind="order_shipped", user_id=fact.user_id, email=fact.email, name=fact.name,
        title=f"{what} is on its way", link=f"/orders/{fact.order_id}", content=content,
    )  # fmt: skip


def order_refunded(fact: OrderRefunded) -> Draft:
    content = OrderRefund(
        number=fact.number, amount=fact.amount, refunded=fact.refunded, reason=fact.reason
    )  # fmt: skip
    return Draft(
        kind="order_refunded", user_id=fact.user_id, email=fact.email, name=fact.name,
        title=f"A refund for order {fact.number}", link=f"/orders/{fact.order_id}", content=content,
    )  # fmt: skip


def order_drafted(fact: OrderDrafted) -> Draft:
    return Draft(
        kind="order_drafted", user_id=fact.user_id, email=fact.email, name=fact.name,
        title="Your order is ready to be paid", link=f"/drafts/{fact.draft_id}",
        content=OrderOffer(total=fact.total, note=fact.note),
    )  # fmt: skip


def payment_requested(fact: PaymentRequested) -> Draft:
    return Draft(
        kind="payment_requested", user_id=fact.user_id, email=fact.email, name=fact.name,
        title=f"Please pay {fact.amount} for order {fact.number}", link=f"/pay/{fact.link_id}",
        content=PaymentRequest(
            number=fact.number, amount=fact.amount, until=fact.until, purpose=fact.purpose
        ),
    )  # fmt: skip


def transfer_awaited(fact: TransferAwaited) -> Draft:
    return Draft(
        kind="payment_requested", user_id=fact.user_id, email=fact.email, name=fact.name,
        title=f"Please transfer {fact.amount} for order {fact.number}", link=f"/orders/{fact.order_id}",
        content=PaymentRequest(
            number=fact.number, amount=fact.amount, until=fact.until, purpose="transfer",
            instructions=fact.instructions,
        ),
    )  # fmt: skip


def _web_address(url: str) -> str:
    """`url` if a mail may lead there, else nothing."""
    return url if re.match(r"https?://[^\s]+$", url) else ""


def optional(kind: Kind, channel: Channel) -> bool:
    return (kind, channel) not in ALWAYS


def preferences(chosen: Mapping[tuple[Kind, Channel], bool]) -> list[Preference]:
    """Every kind and channel; what nobody chose is on."""
    return [
        Preference(kind=kind, channel=channel, enabled=chosen.get((kind, channel), True))
        for kind in KINDS
        for channel in CHANNELS
    ]


def check_preferences(wanted: Iterable[Preference]) -> None:
    """Raises AlwaysSent naming each mail that cannot be switched off."""
    errors = [
        FieldError(f"/items/{index}/enabled", f"{item.kind} by {item.channel} is always sent; must be true")
        for index, item in enumerate(wanted)
        if not item.enabled and not optional(item.kind, item.channel)
    ]
    if errors:
        raise AlwaysSent(detail="; ".join(error.detail for error in errors), errors=errors)


def one_line(text: str, limit: int = 1_000) -> str:
    """`text` without line breaks and control characters: safe in a header and in a line of plain text."""
    spaced = " ".join(text.split())
    return "".join(character for character in spaced if character.isprintable())[:limit]


def greeting(name: str) -> str:
    """How to address a person; empty for a name that mail programs would turn into a link.

    Names are whatever a stranger typed, and a welcome goes to whatever address the stranger gave.
    """
    clean = one_line(name, NAME_MAX)
    return "" if re.search(r"[/@\\]|\w\.\w", clean) else clean


def masked(email: str) -> str:
    """`ada@example.com` as `a***@example.com`."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}***@{domain}"
