"""What orders can ask: the calls of payments.proto, parsed, handed to one command each, and answered."""

from __future__ import annotations

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
    PaymentState,
    RefundRequest,
)

from .commands import Payments
from .domain import Order, Payment

CALLERS = ("orders", "web")
TEXT_MAX = 2_000


class PaymentsRpc:
    def __init__(self, payments: Payments) -> None:
        self._payments = payments

    async def authorise(self, request: AuthoriseRequest) -> PaymentState:
        for name in ("token", "return_url", "description"):
            if len(getattr(request, name)) > TEXT_MAX:
                raise invalid(f"/{name}", f"must be at most {TEXT_MAX} characters")
        order = Order(
            id=_uuid(request.payment_id, "payment_id"),
            order_id=_uuid(request.order_id, "order_id"),
            amount=_money(request.amount, request.currency),
            method=request.method,
            token=request.token,
            return_url=request.return_url,
            description=request.description,
        )
        return _state(await self._payments.authorise(order))

    async def capture(self, request: PaymentId) -> PaymentState:
        return _state(await self._payments.capture(_uuid(request.payment_id, "payment_id")))

    async def void(self, request: PaymentId) -> PaymentState:
        return _state(await self._payments.void(_uuid(request.payment_id, "payment_id")))

    async def refund(self, request: RefundRequest) -> PaymentState:
        refund_id, payment_id = (
            _uuid(request.refund_id, "refund_id"), _uuid(request.payment_id, "payment_id")
        )  # fmt: skip
        state = _state(await self._payments.refund(refund_id, payment_id, request.amount))
        state.refund_status = await self._payments.refund_status(refund_id, payment_id)
        return state

    async def get(self, request: PaymentId) -> PaymentState:
        return _state(await self._payments.get(_uuid(request.payment_id, "payment_id")))


def create_rpc(socket: Path, payments: Payments) -> RpcServer:
    calls = PaymentsRpc(payments)
    methods: list[Serves[Any, Any]] = [
        Serves(AUTHORISE, calls.authorise),
        Serves(CAPTURE, calls.capture),
        Serves(VOID, calls.void),
        Serves(REFUND, calls.refund),
        Serves(GET, calls.get),
    ]
    return RpcServer(socket, methods, CALLERS)


def _state(payment: Payment) -> PaymentState:
    return PaymentState(
        payment_id=str(payment.id),
        status=payment.status,
        action_url=(payment.action_url or "") if payment.status == "requires_action" else "",
        decline_code=payment.decline_code or "",
        amount=payment.amount,
        captured=payment.captured,
        refunded=payment.refunded,
        currency=payment.currency,
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
