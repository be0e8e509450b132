"""Drafts: staff put an order together for a buyer, and place it or send the buyer a link to pay it.

A draft is a cart, priced by the same engine, reached by its unguessable id like any other. A price that
staff name stands on its line and in the placed order's history; the buyer may take fewer at it, not more.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from shopwright.chassis.db import Database, Once, Transaction
from shopwright.chassis.validation import invalid
from shopwright.contracts.money import Money
from shopwright.contracts.orders import OrderDrafted
from shopwright.contracts.problems import NotFound
from shopwright.contracts.products import Quote

from .. import domain
from ..clients import Products, Users
from ..domain import Order
from ..domain.drafts import Draft, DraftTerms
from ..store import carts as cart_store
from ..store import drafts as store
from ..store import timeline
from .carts import Carts, PricedCart
from .orders import Orders, Payment
from .repeats import made_before


class Drafts:
    def __init__(
        self, db: Database, products: Products, users: Users, carts: Carts, orders: Orders, currency: str
    ) -> None:
        self._db, self._products, self._users = db, products, users
        self._carts, self._orders, self._currency = carts, orders, currency

    async def create(
        self, staff_id: UUID, user_id: UUID | None, currency: str | None, terms: DraftTerms, once: Once | None
    ) -> UUID:
        """Begin a draft; its id.

        Raises:
            NotForSale, InvalidInput: nothing was made.
        """
        if (known := await made_before(self._db, once)) is not None:
            return known
        currency = currency or self._currency
        if user_id is not None and await self._users.buyer(user_id) is None:
            raise invalid("/user_id", "is no account")
        quotes = await self._quotes(terms, currency)
        draft_id = uuid4()
        async with self._db.begin(once) as tx:
            if tx.repeated and tx.stored:
                return UUID(bytes=tx.stored)
            await cart_store.insert(tx, draft_id, user_id, currency)
            await store.mark(tx, draft_id, staff_id)
            await self._write(tx, draft_id, terms, quotes)
            tx.remember(draft_id.bytes)
        return draft_id

    async def change(self, draft_id: UUID, terms: DraftTerms, once: Once | None) -> None:
        """Replace what is given; raises CartAlreadyOrdered once it was placed."""
        draft = await self.find(draft_id)
        quotes = await self._quotes(terms, draft.currency)
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                await self._write(tx, draft_id, terms, quotes)

    async def delete(self, draft_id: UUID, once: Once | None) -> None:
        """Raises CartAlreadyOrdered once it was placed."""
        async with self._db.begin(once) as tx:
            if not tx.repeated and not await store.delete(tx, draft_id):
                raise await self._why_not(tx, draft_id)

    async def place(self, draft_id: UUID, payment: Payment, once: Once | None, *, by: UUID | None) -> Order:
        """Place the draft for its buyer, who pays with `payment`; raises what Orders.place raises."""
        draft = await self.find(draft_id)
        named = await self._named_prices(draft_id)
        order = await self._orders.place(
            draft_id, draft.user_id, payment, email=draft.email, expected_total=None, once=once
        )
        async with self._db.begin(f"draft-placed:{order.id}") as tx:
            if not tx.repeated:
                await timeline.note(tx, order.id, "draft", by, named)
        return order

    async def invoice(self, draft_id: UUID, once: Once | None) -> None:
        """Send the buyer a link to pay the draft. Event: OrderDrafted.

        Raises:
            EmailMissing, CartEmpty, CartAlreadyOrdered: nothing is sent.
        """
        draft = await self.find(draft_id)
        cart = await self.show(draft)
        if cart.status != "open":
            raise domain.CartAlreadyOrdered
        if not cart.lines:
            raise domain.CartEmpty
        buyer = await self._users.buyer(draft.user_id) if draft.user_id else None
        email = draft.email or (buyer.email if buyer else "")
        if not email:
            raise domain.EmailMissing(detail="give the draft an `email`")
        name = cart.address.name if cart.address else (buyer.name if buyer else "")
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                tx.publish(
                    OrderDrafted(
                        draft_id=draft_id, user_id=draft.user_id, email=email, name=name, total=cart.total,
                        note=draft.note,
                    )
                )  # fmt: skip

    async def find(self, draft_id: UUID) -> Draft:
        async with self._db.read() as connection:
            draft = await store.find(connection, draft_id)
        if draft is None:
            raise NotFound(detail=f"no draft {draft_id}")
        return draft

    async def show(self, draft: Draft) -> PricedCart:
        """What it costs now."""
        return await self._carts.show(draft.id, draft.user_id)

    async def staff_priced(self, draft_id: UUID) -> list[UUID]:
        """The lines whose price one of the staff named."""
        async with self._db.read() as connection:
            cart = await cart_store.find(connection, draft_id)
        return [line.id for line in cart.lines if line.staff_price is not None] if cart else []

    async def listing(self, after: store.Place | None, limit: int) -> list[Draft]:
        async with self._db.read() as connection:
            return await store.listing(connection, after, limit)

    async def _quotes(self, terms: DraftTerms, currency: str) -> dict[str, Quote]:
        if not terms.lines:
            return {}
        for place, line in enumerate(terms.lines):
            price = line.unit_price
            if price is not None and (price.currency != currency or price.minor < 0):
                raise invalid(f"/lines/{place}/unit_price", f"must be an amount of {currency}")
        skus = [line.sku for line in terms.lines]
        if len(set(skus)) < len(skus):
            raise invalid("/lines", "names a SKU twice")
        quotes = await self._products.quotes(skus, currency, fresh=True)
        if gone := [sku for sku in skus if sku not in quotes]:
            raise domain.NotForSale(skus=gone)
        return quotes

    async def _write(
        self, tx: Transaction, draft_id: UUID, terms: DraftTerms, quotes: dict[str, Quote]
    ) -> None:
        given: dict[str, Any] = {
            name: value
            for name in ("email", "address", "shipping_method", "coupons")
            if (value := getattr(terms, name)) is not None
        }
        if await cart_store.touch(tx, draft_id, **given) is None:
            raise await self._why_not(tx, draft_id)
        if terms.note is not None:
            await store.set_note(tx, draft_id, terms.note)
        if terms.lines is not None:
            seen = [domain.seen_of(quotes[line.sku]) for line in terms.lines]
            await store.set_lines(tx, draft_id, terms.lines, seen)

    async def _why_not(self, tx: Transaction, draft_id: UUID) -> Exception:
        if await store.find(tx, draft_id) is None:
            return NotFound(detail=f"no draft {draft_id}")
        return domain.CartAlreadyOrdered()

    async def _named_prices(self, draft_id: UUID) -> str:
        """`MUG at 5.00 EUR` for each line whose price one of the staff named."""
        async with self._db.read() as connection:
            cart = await cart_store.find(connection, draft_id)
        return ", ".join(
            f"{line.sku} at {Money(line.staff_price, cart.currency)}"
            for line in (cart.lines if cart else [])
            if cart and line.staff_price is not None
        )
