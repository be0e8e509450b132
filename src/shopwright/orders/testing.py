"""Orders in a test: the shop at the other end of the mesh, faked at the wire.

`FakeShop` listens on the mesh socket as the node's Envoy does and answers for products and users over HTTP
and for payments over gRPC, with the promises of the real ones: reservations are all or nothing and
idempotent by id, a payment is authorised once, a void after a capture is refused. `faults` makes the next
call of a name fail before or after it acted.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from aiohttp import web

from shopwright.chassis import problems
from shopwright.chassis.rpc import RpcServer, Serves
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.contracts.payments import PaymentAlreadyCaptured, PaymentNotAuthorised, ProviderRefused
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
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import NotFound, OutOfStock, Shortage, Unavailable
from shopwright.contracts.products import Quote, QuoteRequest, Quotes, Reservation, Reserve, Restock

HTTP2_PREFACE = b"PRI * HTTP/2.0"


class Faults:
    """What goes wrong next: `faults["claim"] = ["before", "after"]` fails the next two claims."""

    def __init__(self) -> None:
        self._script: dict[str, list[str]] = {}
        self.calls: Counter[str] = Counter()

    def __setitem__(self, name: str, faults: list[str]) -> None:
        self._script[name] = list(faults)

    def enter(self, name: str) -> Callable[[], None]:
        """Counts the call; fails now ("before"), or when the answer is to be given ("after")."""
        self.calls[name] += 1
        fault = self._script[name].pop(0) if self._script.get(name) else ""
        if fault == "before":
            raise Unavailable(detail=f"{name} fails before it acts")

        def leave() -> None:
            if fault == "after":
                raise Unavailable(detail=f"{name} acted, its answer is lost")

        return leave


class Stockroom:
    """Products' side: SKUs with a price and a count, reservations by id."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.free: dict[str, int] = {}
        self.prices: dict[str, Money] = {}
        self.preorders: dict[str, date] = {}
        self.held: dict[UUID, dict[str, int]] = {}
        self.status: dict[UUID, str] = {}
        self.restocks: dict[UUID, Restock] = {}
        self.away = False
        self._takers: dict[str, int] = {}

    def put(self, sku: str, price: int = 1_000, free: int = 10, currency: str = "EUR") -> str:
        self.free[sku], self.prices[sku] = free, Money(price, currency)
        return sku

    def sold_elsewhere(self, sku: str, quantity: int) -> None:
        """Somebody else takes these between the next quote and the next reservation."""
        self._takers[sku] = quantity

    def quotes(self, wanted: QuoteRequest) -> Quotes:
        known = [sku for sku in wanted.skus if sku in self.prices]
        return Quotes(
            [
                Quote(
                    sku=sku, product_id=new_id(), variant_id=new_id(), slug=sku.lower(),
                    name=f"Product {sku}", options={}, unit_price=self.prices[sku], available=self.free[sku],
                    preorder_from=self.preorders.get(sku),
                )
                for sku in known
                if self.prices[sku].currency == wanted.currency
            ]
        )  # fmt: skip

    def reserve(self, reservation: UUID, wanted: Reserve) -> Reservation:
        leave = self._faults.enter("reserve")
        for sku, quantity in self._takers.items():
            self.free[sku] -= quantity
        self._takers.clear()
        if reservation not in self.status:
            short = [
                Shortage(line.sku, line.quantity, self.free.get(line.sku, 0))
                for line in wanted.lines
                if self.free.get(line.sku, 0) < line.quantity
            ]
            if short:
                raise OutOfStock(shortages=short)
            self.held[reservation] = {line.sku: line.quantity for line in wanted.lines}
            self._move(reservation, -1)
            self.status[reservation] = "held"
        leave()
        return self._answer(reservation)

    def settle(self, reservation: UUID, how: str) -> Reservation:
        leave = self._faults.enter(how)
        before = self.status.get(reservation)
        if how == "claim" and before is None:
            raise NotFound(detail=f"no reservation {reservation}")
        if how == "release" and before == "held":
            self._move(reservation, 1)
        if before != "claimed":
            self.status[reservation] = "claimed" if how == "claim" else "released"
        leave()
        return self._answer(reservation)

    def restock(self, restock_id: UUID, back: Restock) -> None:
        leave = self._faults.enter("restock")
        if restock_id not in self.restocks:
            self.restocks[restock_id] = back
            for line in back.lines:
                self.free[line.sku] += line.quantity
        leave()

    def _move(self, reservation: UUID, sign: int) -> None:
        for sku, quantity in self.held[reservation].items():
            self.free[sku] += sign * quantity

    def _answer(self, reservation: UUID) -> Reservation:
        return msgspec.convert({"id": reservation, "status": self.status[reservation]}, Reservation)


class Till:
    """Payments' side: what a token does, and how each payment stands."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.payments: dict[str, PaymentState] = {}
        self.refunds: dict[str, int] = {}
        self.wallets: dict[str, int] = {}  # what was given back to accounts' wallets
        self.captures: list[str] = []  # the next ones: of unknown outcome, or refused and the payment is so
        self.refuses_refunds = False
        self.never_refunds: set[str] = set()  # payments that give nothing back
        self.others_unknown = False  # another refund of the same payment is open
        self.gate: asyncio.Event | None = None
        self.waiting = 0

    async def authorise(self, request: AuthoriseRequest) -> PaymentState:
        leave = self._faults.enter("authorise")
        if self.gate is not None:
            self.waiting += 1
            await self.gate.wait()
        if request.payment_id not in self.payments:
            status = {"tok_ok": "authorised", "tok_declined": "declined", "tok_unknown": "unknown"}
            self.payments[request.payment_id] = PaymentState(
                payment_id=request.payment_id,
                status=status.get(request.token, "requires_action"),
                action_url="https://pay.example/page" if request.token not in status else "",
                decline_code="card_declined" if request.token == "tok_declined" else "",
                amount=request.amount,
                currency=request.currency,
            )
        leave()
        return self.payments[request.payment_id]

    async def capture(self, request: PaymentId) -> PaymentState:
        leave = self._faults.enter("capture")
        state = self.payments[request.payment_id]
        if state.status not in {"authorised", "captured"}:
            raise PaymentNotAuthorised(payment_status=state.status)
        refused = self.captures.pop(0) if self.captures else ""
        if refused == "unknown":
            return PaymentState(payment_id=request.payment_id, status=refused)
        state.status = refused or "captured"
        state.captured = state.amount if state.status == "captured" else 0
        leave()
        if refused:
            raise ProviderRefused(detail="the provider refused the capture: expired", code="expired")
        return state

    async def void(self, request: PaymentId) -> PaymentState:
        leave = self._faults.enter("void")
        state = self.payments.setdefault(request.payment_id, PaymentState(payment_id=request.payment_id))
        if state.status == "captured":
            raise PaymentAlreadyCaptured(payment_status=state.status)
        if state.status != "declined":
            state.status = "voided"
        leave()
        return state

    async def refund(self, request: RefundRequest) -> PaymentState:
        leave = self._faults.enter("refund")
        state = self.payments[request.payment_id]
        if self.refuses_refunds or request.payment_id in self.never_refunds:
            raise ProviderRefused(code="too_late")
        if request.refund_id not in self.refunds:
            self.refunds[request.refund_id] = request.amount
            if request.to == "wallet":
                self.wallets[request.user_id] = self.wallets.get(request.user_id, 0) + request.amount
            state.refunded += request.amount
            state.status = "refunded" if state.refunded == state.amount else "partially_refunded"
        leave()
        answer = PaymentState()
        answer.CopyFrom(state)
        answer.refund_status = "succeeded"
        if self.others_unknown:
            answer.status = "unknown"
        return answer

    async def get(self, request: PaymentId) -> PaymentState:
        leave = self._faults.enter("get")
        leave()
        return self.payments[request.payment_id]

    def act(self, payment_id: object, status: str) -> None:
        """The buyer did something on the provider's page."""
        self.payments[str(payment_id)].status = status


class FakeShop:
    """`faults`, `stock`, `till` and `buyers` ({id: {id, email, name}}) are the test's hands in it."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.stock = Stockroom(self.faults)
        self.till = Till(self.faults)
        self.buyers: dict[str, dict[str, str]] = {}
        self._closers: list[Any] = []

    async def start(self, socket: Path) -> None:
        http, rpc = socket.with_suffix(".http"), socket.with_suffix(".rpc")
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.UnixSite(runner, str(http)).start()
        methods: list[Serves[Any, Any]] = [
            Serves(AUTHORISE, self.till.authorise),
            Serves(CAPTURE, self.till.capture),
            Serves(VOID, self.till.void),
            Serves(REFUND, self.till.refund),
            Serves(GET, self.till.get),
        ]
        server = RpcServer(rpc, methods, callers=("",))
        await server.start()
        door = await asyncio.start_unix_server(_splitter(http, rpc), str(socket))
        self._closers = [runner.cleanup, lambda: server.stop(0)]
        self._door = door

    async def stop(self) -> None:
        self._door.close()
        for close in self._closers:
            await close()

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            answer = self._http(request, await request.read())
        except Problem as problem:
            return web.Response(
                body=problems.encode(problem),
                status=problems.http_status(problem),
                content_type=problems.MEDIA_TYPE,
            )
        return web.Response(body=msgspec.json.encode(answer), content_type="application/json")

    def _http(self, request: web.Request, body: bytes) -> Any:
        if self.stock.away and request.host == "products":
            raise Unavailable(detail="products is away", part="products")
        _, _, what, *rest = request.path.split("/")
        match [what, *rest]:
            case ["quotes"]:
                return self.stock.quotes(msgspec.json.decode(body, type=QuoteRequest))
            case ["reservations", reservation]:
                return self.stock.reserve(UUID(reservation), msgspec.json.decode(body, type=Reserve))
            case ["reservations", reservation, how]:
                return self.stock.settle(UUID(reservation), how)
            case ["restocks", restock]:
                return self.stock.restock(UUID(restock), msgspec.json.decode(body, type=Restock))
            case ["users", user] if user in self.buyers:
                return self.buyers[user]
        raise NotFound(detail=f"nothing at {request.path}")


def _splitter(http: Path, rpc: Path) -> Callable[..., Any]:
    """HTTP/1 and gRPC on one socket, told apart by HTTP/2's preface, as the mesh takes both."""

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(len(HTTP2_PREFACE))
        path = rpc if first.startswith(HTTP2_PREFACE[:3]) else http
        inner_reader, inner_writer = await asyncio.open_unix_connection(str(path))
        inner_writer.write(first)
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))

    return connect


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()
