"""A double of Stripe: `localstripe` as a process of its own, behind a front that a test can break.

The front makes up for what localstripe lacks, and nothing else: it takes away parameters that localstripe
refuses (`return_url`, `description`), gives only what was `created` when a list asks for it, and turns 3-D
Secure into a page with an address, as Stripe does for those who give a `return_url`. Checkout's pages are in
`stripepages`; disputes are what a test says. `Idempotency-Key` is not told to localstripe, which ignores it.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import aiohttp
import pytest
from aiohttp import web

from platforms import free_port
from shopwright.chassis.db import Database
from shopwright.payments.commands import Payments
from shopwright.payments.domain import Order, Payment
from shopwright.payments.sites import Sites
from shopwright.payments.store import payments as store
from shopwright.payments.stripe.account import Account
from shopwright.payments.stripe.provider import StripeProvider
from shopwright.payments.testing import SITE, an_order
from stripepages import Pages

KEY = "sk_test_shopwright"
SECRET = "whsec_of_the_tests"
OK, DECLINED = "pm_card_visa", "pm_card_chargeCustomerFail"
CARD_3DS = "4000002760003184"
UP_S = 120
LIMIT_S = 2.0  # that our side waits for an answer
LATE_S = 2.2
TAKEN_AWAY = ("return_url", "description", "created[")
OPERATIONS = {"capture": "capture", "cancel": "void"}


@contextmanager
def localstripe() -> Iterator[str]:
    """Its address; skips the test when it is not installed or does not start."""
    pytest.importorskip("localstripe", reason="localstripe is not installed")
    port = free_port()
    command = [sys.executable, "-m", "localstripe", "--port", str(port), "--from-scratch"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + UP_S
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > until:
                pytest.skip(f"localstripe does not start on port {port}")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class Front:
    """`faults` of an operation are used up by its next calls: "lost" (never arrives), "silent" (done, but the
    answer is lost), "late" (done, answered after our side has given up). `reached` counts what arrived.
    """

    def __init__(self, behind: str) -> None:
        self._behind = behind
        self.url = ""
        self.faults: dict[str, list[str]] = {}
        self.reached: Counter[str] = Counter()
        self.keys: list[str] = []
        self.pages = Pages(self.ask)
        self.disputes: dict[str, list[dict]] = {}
        self._back: dict[str, str] = {}
        self._session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, **form: str) -> dict:
        """A call past the front, as somebody at Stripe's desk would make it."""
        headers = {"authorization": f"Bearer {KEY}"}
        data = form or None
        async with self._session.request(method, self._behind + path, data=data, headers=headers) as answer:
            text = await answer.text()
            return json.loads(text) if text else {}

    async def card(self, number: str = CARD_3DS) -> str:
        made = await self.ask(
            "POST", "/v1/payment_methods", type="card",
            **{"card[number]": number, "card[exp_month]": "12", "card[exp_year]": "2030", "card[cvc]": "123"},
        )  # fmt: skip
        return made["id"]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        operation = _operation(request)
        fault = (self.faults.get(operation) or [""]).pop(0)
        if fault == "lost":
            return _broken_off(request)
        self.reached[operation] += 1
        if "idempotency-key" in request.headers:
            self.keys.append(request.headers["idempotency-key"])
        form = parse_qsl((await request.read()).decode())
        if request.path.startswith("/v1/checkout/"):
            status, told = await self.pages.answer(request.method, request.path, dict(form), self.url)
            return _broken_off(request) if fault == "silent" else web.json_response(told, status=status)
        if request.path == "/v1/disputes":
            found = self.disputes.get(request.query["payment_intent"], [])
            return web.json_response({"object": "list", "data": found, "has_more": False})
        path = request.path
        if query := _taken(parse_qsl(request.query_string)):
            path += f"?{urlencode(query)}"
        async with self._session.request(
            request.method, self._behind + path,
            data=urlencode(_taken(form)) if form else None,
            headers={"authorization": request.headers["authorization"],
                     "content-type": "application/x-www-form-urlencoded"},
        ) as answer:  # fmt: skip
            status, told = answer.status, await answer.json(content_type=None)
        if fault == "silent":
            return _broken_off(request)
        if fault == "late":
            await asyncio.sleep(LATE_S)
        if "data" in told:
            told["data"] = [found for found in told["data"] if _in_time(found, request.query)]
        for found in told.get("data", [told]):
            if found.get("object") == "payment_intent":
                if found["id"] in self.disputes:
                    found["latest_charge"]["disputed"] = True
                self._redirect(found, dict(form).get("return_url", ""))
        return web.json_response(told, status=status)

    def _redirect(self, intent: dict, return_url: str) -> None:
        if return_url:
            self._back[intent["id"]] = return_url
        if intent["next_action"]:
            page = {"url": f"{self.url}/3ds/{intent['id']}", "return_url": self._back.get(intent["id"])}
            intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": page}

    async def confirm(self, request: web.Request) -> web.Response:
        """The bank's page: the buyer says yes, or with `?no` no."""
        await self.decide(request.match_info["id"], yes="no" not in request.query)
        return web.Response(status=303, headers={"location": self._back[request.match_info["id"]]})

    async def decide(self, intent_id: str, *, yes: bool) -> None:
        intent = await self.ask("GET", f"/v1/payment_intents/{intent_id}")
        await self.ask(
            "POST", f"/v1/payment_intents/{intent_id}/_authenticate",
            client_secret=intent["client_secret"], success=str(yes).lower(),
        )  # fmt: skip


@asynccontextmanager
async def front(behind: str) -> AsyncIterator[Front]:
    result = Front(behind)
    app = web.Application()
    app.router.add_get("/3ds/{id}", result.confirm)
    app.router.add_get("/checkout/{id}", result.pages.show)
    app.router.add_route("*", "/{path:.*}", result.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    result.url = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession() as result._session:
        await result.ask("DELETE", "/_config/data")
        yield result
    await runner.cleanup()


@dataclass
class Shop:
    """A shop that is paid by Stripe; `front` is what stands between."""

    db: Database
    front: Front
    provider: StripeProvider
    payments: Payments

    async def authorised(self, amount: int = 1_999) -> Payment:
        return await self.payments.authorise(by_card(amount=amount))

    async def captured(self, amount: int = 1_999) -> Payment:
        return await self.payments.capture((await self.authorised(amount)).id)

    async def charges(self) -> list[dict]:
        return (await self.front.ask("GET", "/v1/charges"))["data"]

    async def refunds(self, payment: Payment) -> list[int]:
        """What Stripe has given back of it."""
        found = await self.front.ask("GET", f"/v1/refunds?payment_intent={payment.provider_ref}")
        return sorted(refund["amount"] for refund in found["data"])


@asynccontextmanager
async def shop(db: Database, behind: str) -> AsyncIterator[Shop]:
    async def recall(payment_id: UUID) -> Payment | None:
        return await store.find(db, payment_id)

    async with front(behind) as double:
        provider = StripeProvider(Account(KEY, SECRET, double.url), Sites((SITE,)), recall)
        payments = Payments(db, {provider.name: provider}, provider_timeout_s=LIMIT_S)
        yield Shop(db, double, provider, payments)
        await payments.finish(5)
        await provider.close()


def by_card(token: str = OK, **changes: object) -> Order:
    return an_order(token=token, **changes)


def _operation(request: web.Request) -> str:
    if request.method == "GET":
        return "report" if "balance" in request.path else "find"
    if request.path.endswith("/refunds"):
        return "refund"
    return OPERATIONS.get(request.path.rpartition("/")[2], "authorise")


def _taken(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in pairs if not name.startswith(TAKEN_AWAY)]


def _in_time(found: dict, query: Mapping[str, str]) -> bool:
    """Whether a list that is asked for what was made at a time has it."""
    return int(query.get("created[gte]", 0)) <= found["created"] <= int(query.get("created[lte]", 1 << 60))


def _broken_off(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
