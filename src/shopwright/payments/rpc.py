"""What orders can ask: the calls of payments.proto, parsed, handed to one command each, and answered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from shopwright.chassis.rpc import RpcServer, Serves
from shopwright.chassis.validation import invalid
from shopwright.contracts.money import Money
from shopwright.contracts.payments_rpc import (
    AUTHORISE,
    CAPTURE,
    GET,
    REFUND,
    VOID,
    AuthoriseRequest,
    PaymentId,
    PaymentPart,
    PaymentState,
    RefundRequest,
)

from .commands import Tenders
from .domain import Order, Part, Tender, Wanted

CALLERS = ("orders", "web")
TEXT_MAX = 2_000
CODE_MAX = 64

Instructions = Callable[[Tender], str]  # how a buyer pays by hand


class PaymentsRpc:
    def __init__(self, tenders: Tenders, instructions: Instructions) -> None:
        self._tenders, self._instructions = tenders, instructions

    async def authorise(self, request: AuthoriseRequest) -> PaymentState:
        for name in ("token", "return_url", "description"):
            if len(getattr(request, name)) > TEXT_MAX:
                raise invalid(f"/{name}", f"must be at most {TEXT_MAX} characters")
        for code in request.gift_cards:
            if len(code) > CODE_MAX:
                raise invalid("/gift_cards", f"must be codes of at most {CODE_MAX} characters")
        order = Order(
            id=_uuid(request.payment_id, "payment_id"),
            order_id=_uuid(request.order_id, "order_id"),
            amount=_money(request.amount, request.currency),
            method=request.method,
            token=request.token,
            return_url=request.return_url,
            description=request.description,
            user_id=_uuid(request.user_id, "user_id") if request.user_id else None,
        )
        wanted = Wanted(
            order=order,
            gift_cards=tuple(request.gift_cards),
            use_wallet=request.use_wallet,
            country=request.country,
        )
        return self._state(await self._tenders.authorise(wanted))

    async def capture(self, request: PaymentId) -> PaymentState:
        return self._state(await self._tenders.capture(_uuid(request.payment_id, "payment_id")))

    async def void(self, request: PaymentId) -> PaymentState:
        return self._state(await self._tenders.void(_uuid(request.payment_id, "payment_id")))

    async def refund(self, request: RefundRequest) -> PaymentState:
        refund_id, payment_id = (
            _uuid(request.refund_id, "refund_id"), _uuid(request.payment_id, "payment_id")
        )  # fmt: skip
        if request.to not in {"", "source", "wallet"}:
            raise invalid("/to", "must be source or wallet")
        to_wallet_of = _uuid(request.user_id, "user_id") if request.to == "wallet" else None
        tender, status = await self._tenders.refund(refund_id, payment_id, request.amount, to_wallet_of)
        state = self._state(tender)
        state.refund_status = status
        return state

    async def get(self, request: PaymentId) -> PaymentState:
        return self._state(await self._tenders.get(_uuid(request.payment_id, "payment_id")))

    def _state(self, tender: Tender) -> PaymentState:
        status = tender.status
        return PaymentState(
            payment_id=str(tender.id),
            status=status,
            action_url=tender.action_url if status == "requires_action" else "",
            decline_code=tender.decline_code,
            amount=tender.amount,
            captured=tender.captured,
            refunded=tender.refunded,
            currency=tender.currency,
            parts=[_part(part) for part in tender.live] if tender.in_parts else [],
            instructions=self._instructions(tender) if tender.by_hand is not None else "",
            gift_card_balance=tender.gift_card_left,
        )


def create_rpc(socket: Path, tenders: Tenders, instructions: Instructions) -> RpcServer:
    calls = PaymentsRpc(tenders, instructions)
    methods: list[Serves[Any, Any]] = [
        Serves(AUTHORISE, calls.authorise),
        Serves(CAPTURE, calls.capture),
        Serves(VOID, calls.void),
        Serves(REFUND, calls.refund),
        Serves(GET, calls.get),
    ]
    return RpcServer(socket, methods, CALLERS)


def _part(part: Part) -> PaymentPart:
    refunded = part.payment.refunded if part.payment is not None else 0
    return PaymentPart(
        method=part.method, amount=part.amount, status=part.status, captured=part.captured, refunded=refunded
    )


def _uuid(text: str, field: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise invalid(f"/{field}", "must be a UUID") from None


def _money(amount: int, currency: str) -> Money:
    try:
        return Money(amount, currency)
    except ValueError as error:
        raise invalid("/currency", str(error)) from None
