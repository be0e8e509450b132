"""The fake itself: takes every call of web, remembers it, and lets the fake service answer."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from shopwright.chassis import problems
from shopwright.contracts.ids import new_id
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import NotFound, Unavailable

from .after_sale import AfterSale
from .editing import Editing
from .goods import Goods
from .imports import Imports
from .marketing import Marketing
from .people import People
from .purchases import Purchases
from .routing import ROUTES, route
from .rulebook import Rulebook
from .staff_orders import StaffOrders
from .stockroom import FakeStockroom
from .till import Till
from .vault import Vault


class Asked(msgspec.Struct):
    """One call that web made."""

    service: str
    method: str
    path: str
    query: dict[str, str]
    query_string: str
    headers: dict[str, str]
    body: Any


class Operated:
    """What every service answers to operators."""

    def __init__(self) -> None:
        self.letters: dict[str, list[dict[str, Any]]] = {}
        self.replayed: list[str] = []
        self.documents: dict[str, dict[str, Any]] = {}  # OpenAPI, where the made-up one is not meant

    @route("*", "GET", "/readyz")
    def readyz(self, _request: web.Request, _body: Any) -> Any:
        return "ok"

    @route("*", "GET", "/internal/dead-letters")
    def dead_letters(self, request: web.Request, _body: Any) -> Any:
        after = request.query.get("after", "~")
        rows = [row for row in self.letters.get(request.host, []) if row["id"] < after]
        return sorted(rows, key=lambda row: str(row["id"]), reverse=True)[: int(request.query["limit"])]

    @route("*", "POST", "/internal/dead-letters/([^/]+)/replay")
    def replay(self, request: web.Request, _body: Any, letter: str) -> Any:
        if not any(row["id"] == letter for row in self.letters.get(request.host, [])):
            raise NotFound(detail=f"no dead letter {letter}")
        self.replayed.append(f"{request.host}.{letter}")

    @route("*", "POST", "/internal/dead-letters/replay")
    def replay_all(self, request: web.Request, _body: Any) -> Any:
        topic = request.query.get("topic")
        rows = [row for row in self.letters.get(request.host, []) if topic in {None, row["topic"]}]
        self.replayed += [f"{request.host}.{row['id']}" for row in rows]
        return {"replayed": len(rows)}

    @route("*", "GET", "/internal/schema/openapi.json")
    def schema(self, request: web.Request, _body: Any) -> Any:
        if request.host in self.documents:
            return self.documents[request.host]
        thing = {"$ref": "#/components/schemas/Thing"}
        answer = {"description": "Found", "content": {"application/json": {"schema": thing}}}
        operation = {"summary": "List", "operationId": "List", "responses": {"200": answer}}
        return {
            "openapi": "3.1.0",
            "info": {"title": request.host, "version": "1"},
            "paths": {f"/v1/{request.host}": {"get": operation}},
            "components": {"schemas": {"Thing": {"type": "object", "title": request.host}}},
        }


class FakeMesh:
    def __init__(self, *, token_s: int = 900) -> None:
        self.people = People(token_s=token_s)
        self.goods = Goods(self.people)
        self.purchases = Purchases(self.people, self.goods)
        self.operated = Operated()
        self.away: set[str] = set()
        self.refusals: dict[str, Problem] = {}
        self.asked: list[Asked] = []
        self.editing = Editing(self.people, self.goods)
        self.imports = Imports(self.people)
        self.stockroom = FakeStockroom(self.people)
        self.after_sale = AfterSale(self.people, self.purchases)
        self.staff_orders = StaffOrders(self.people, self.purchases)
        self.till = Till(self.people, self.purchases)
        self.vault = Vault(self.people)
        self.marketing = Marketing(self.people)
        self.rulebook = Rulebook(self.people)
        self._parts: dict[str, list[Any]] = {
            "users": [self.people], "products": [self.stockroom, self.goods, self.editing, self.imports],
            "orders": [self.purchases, self.after_sale, self.staff_orders, self.marketing, self.rulebook],
            "payments": [self.till, self.vault],
            "*": [self.operated],
        }  # fmt: skip
        self._runner: web.AppRunner | None = None

    async def start(self, socket: Path) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(socket)).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def calls(self, path: str) -> list[Asked]:
        """What web asked of paths like `path`, in order."""
        return [call for call in self.asked if re.fullmatch(path, call.path)]

    async def _answer(self, request: web.Request) -> web.Response:
        raw = await request.read()
        body = msgspec.json.decode(raw) if raw[:1] in {b"{", b"["} else raw
        self.asked.append(
            Asked(
                service=request.host, method=request.method, path=request.path, query=dict(request.query),
                query_string=request.query_string,
                headers=dict(request.headers), body=body,
            )
        )  # fmt: skip
        try:
            status, answer = self._dispatch(request, body)
        except Problem as problem:
            return web.Response(
                body=problems.encode(problem),
                status=problems.http_status(problem),
                content_type=problems.MEDIA_TYPE,
            )
        if answer is None:
            return web.Response(status=204)
        return web.Response(body=msgspec.json.encode(answer), status=status, content_type="application/json")

    def _dispatch(self, request: web.Request, body: Any) -> tuple[int, Any]:
        service = request.host
        if service in self.away:
            raise Unavailable(detail=f"{service} is away", part=service)
        if request.path in self.refusals:
            raise self.refusals.pop(request.path)
        for owner, method, pattern, name in ROUTES:
            match = pattern.match(request.path)
            if match and method == request.method and owner in {service, "*"}:
                part = next(part for part in self._parts[owner] if hasattr(part, name))
                answer = getattr(part, name)(request, body, *match.groups())
                return answer if isinstance(answer, tuple) else (200, answer)
        raise NotFound(detail=f"{service} has no {request.method} {request.path}")


def dead_letter(subject: str, error: str = "ValueError: no such thing") -> dict[str, Any]:
    """A dead letter as a service lists it."""
    now = datetime.now(UTC)
    return {
        "id": str(new_id()), "topic": "orders.order_confirmed.v1", "subject": subject, "state": "dead",
        "attempts": 6, "error": error, "first_failed_at": now, "next_attempt_at": now,
        "payload": {"data": {"email": "***", "order_id": subject}},
    }  # fmt: skip
