"""Orders changed in the back office: before they are shipped, and when goods come back or are exchanged;
their papers; and the push for one that waits.
"""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from litestar import Response

from shopwright.contracts.money import Money
from shopwright.contracts.problem import Problem

from ..clients.orders import LineCount, Order
from ..clients.remote import is_away
from ..clients.staff_orders import Paying
from ..forms import Form
from .counts import ROWS, counts, sku_rows
from .desk import Desk, action, page

AT = "/admin/orders/{order_id:uuid}"
WRITE = "orders:write"
PAY_BACK = "orders:refund"


@action(f"{AT}/look-again", WRITE)
async def look_again(desk: Desk, order_id: UUID) -> Response[bytes]:
    """Let the order's sagas try their next steps now instead of waiting for their turn."""
    await desk.site.staff_orders.retry(await desk.token(), order_id)
    return await desk.done("The next step was tried again.", f"/admin/orders/{order_id}")


@page(f"{AT}/invoice.pdf", "orders:read")
async def invoice(desk: Desk, order_id: UUID) -> Response[bytes]:
    return _pdf(await desk.site.orders.invoice(await desk.token(), order_id))


@page(f"{AT}/packing-slip.pdf", "orders:read")
async def packing_slip(desk: Desk, order_id: UUID) -> Response[bytes]:
    """Of one parcel (`?fulfilment=`), or of what is left to ship."""
    parcel = desk.query.get("fulfilment", "")
    return _pdf(await desk.site.staff_orders.packing_slip(await desk.token(), order_id, parcel))


@page(f"{AT}/edit", PAY_BACK)
async def edit_page(desk: Desk, order_id: UUID) -> Response[bytes]:
    return await _edit_form(desk, await desk.site.orders.order(await desk.token(), order_id))


@action(f"{AT}/edit", PAY_BACK)
async def edit(desk: Desk, order_id: UUID) -> Response[bytes]:
    """Take units out and put others in, before anything is shipped."""
    form, token = desk.form, await desk.token()
    order = await desk.site.orders.order(token, order_id)
    form.require({"reason": "Say why, for the books"})
    keep = counts(form, "keep-", {line.id: line.quantity - line.cancelled for line in order.lines})
    add = sku_rows(form)
    asks: Money | None = None
    if not form.errors:
        staff = desk.site.staff_orders
        try:
            paying = Paying(await staff.quote_edit(token, order_id, keep, add), form["paid"])
            if _chosen(form, paying):
                made = await staff.edit(
                    token, order_id, keep, add, form["reason"], paying=paying, key=form["key"]
                )
                return await desk.done(_told(made.status), f"/admin/orders/{order_id}")
            asks = paying.difference
        except Problem as problem:
            _refuse(form, problem)
    return await _edit_form(desk, order, form, asks=asks, status=422 if form.errors else 200)


@action(f"{AT}/edits/{{edit_id:uuid}}/withdraw", WRITE)
async def withdraw(desk: Desk, order_id: UUID, edit_id: UUID) -> Response[bytes]:
    """Give up a change that waits for its payment."""
    back = f"/admin/orders/{order_id}"
    try:
        await desk.site.staff_orders.withdraw_edit(await desk.token(), order_id, edit_id)
    except Problem as problem:
        if problem.kind != "conflict":
            raise
        return await desk.not_done(f"Not withdrawn: {problem.title.rstrip('.')}.", back)
    return await desk.done("The change is withdrawn; the order stays as it was.", back)


@page(f"{AT}/return", PAY_BACK)
async def return_page(desk: Desk, order_id: UUID) -> Response[bytes]:
    return await _return_form(desk, await desk.site.orders.order(await desk.token(), order_id))


@action(f"{AT}/return", PAY_BACK)
async def take_return(desk: Desk, order_id: UUID) -> Response[bytes]:
    """Goods came back: pay them back, or send others for them."""
    form, token = desk.form, await desk.token()
    order = await desk.site.orders.order(token, order_id)
    form.require({"reason": "Say why, for the books"})
    typed = counts(form, "back-", {line.id: line.fulfilled - line.returned for line in order.lines})
    back = [LineCount(line_id, count) for line_id, count in typed.items() if count]
    send = sku_rows(form)
    refund = form.money("refund", order.total.currency) if form["refund"] and not send else None
    if not back and not form.errors:
        form.errors[""] = "Enter how many of which line came back"
    if not form.errors:
        restock, staff = form["restock"] == "yes", desk.site.staff_orders
        try:
            if send:
                paying = Paying(await staff.quote_exchange(token, order_id, back, send), form["paid"])
                if not _chosen(form, paying):
                    return await _return_form(desk, order, form, asks=paying.difference)
                made = await staff.exchange(
                    token, order_id, back, send, form["reason"], restock=restock, paying=paying,
                    key=form["key"],
                )  # fmt: skip
                told = (
                    f"{made.order.number} is sent for what came back."
                    if made.refund
                    else f"{made.order.number} waits for its payment; what came back is booked then."
                )
            else:
                await staff.take_return(
                    token, order_id, back, form["reason"], refund=refund, restock=restock,
                    to="wallet" if form["to"] == "wallet" else "source", key=form["key"],
                )  # fmt: skip
                told = "The return is booked."
        except Problem as problem:
            _refuse(form, problem)
        else:
            return await desk.done(told, f"/admin/orders/{order_id}")
    return await _return_form(desk, order, form, status=422)


async def _edit_form(
    desk: Desk, order: Order, form: Form | None = None, *, asks: Money | None = None, status: int = 200
) -> Response[bytes]:
    blank = {f"keep-{line.id}": str(line.quantity - line.cancelled) for line in order.lines}
    return await desk.page(
        "admin/order_edit.html", status=status, order=order, rows=range(ROWS), form=form or _fresh(blank),
        asks=asks, ways=_ways(order),
    )  # fmt: skip


async def _return_form(
    desk: Desk, order: Order, form: Form | None = None, *, asks: Money | None = None, status: int = 200
) -> Response[bytes]:
    shown = form or _fresh({"restock": "yes", "to": "source"})
    return await desk.page(
        "admin/order_return.html", status=status, order=order, rows=range(ROWS), form=shown, asks=asks,
        ways=_ways(order),
    )  # fmt: skip


def _ways(order: Order) -> list[tuple[str, str]]:
    """How what it costs more may be paid."""
    wallet = [("wallet", "The buyer’s wallet")] if order.user_id else []
    return [
        ("link", "Mail the buyer a link to pay it"), *wallet,
        ("cash_on_delivery", "Cash on delivery"), ("bank_transfer", "Bank transfer"),
    ]  # fmt: skip


def _chosen(form: Form, paying: Paying) -> bool:
    """Whether what it costs more was seen, and how it is paid chosen; the form asks for both else."""
    difference = paying.difference
    if difference.minor <= 0:
        return True
    seen, form.values["seen"] = form["seen"], str(difference.minor)
    return bool(paying.method) and seen == str(difference.minor)


def _told(status: str) -> str:
    return {
        "applied": "The order is changed.",
        "awaiting_payment": "The change waits for its payment; the order stays as it is until then.",
    }.get(status, "The order is being changed.")


def _fresh(values: dict[str, str]) -> Form:
    return Form(values | {"key": secrets.token_hex(16)})


def _refuse(form: Form, problem: Problem) -> None:
    """What refused it, at the top of the form; another try is another request."""
    if problem.kind not in {"invalid", "conflict"} and not is_away(problem):
        raise problem
    form.refuse(problem, ("reason", "refund", "to"))
    if not is_away(problem):
        form.values["key"] = secrets.token_hex(16)


def _pdf(content: bytes) -> Response[bytes]:
    return Response(content, media_type="application/pdf", headers={"cache-control": "no-store"})


HANDLERS: list[Any] = [
    look_again, invoice, packing_slip, edit_page, edit, withdraw, return_page, take_return,
]  # fmt: skip
