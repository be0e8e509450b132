"""What can change in a cart, and how one is shown with the prices of the moment.

A cart is reached by its unguessable id; one that belongs to an account only with that account. A guest's
cart is adopted by the account that first uses it logged in. Prices are never taken from the caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import msgspec

from shopwright.chassis.db import Database, Once, Transaction
from shopwright.chassis.validation import invalid
from shopwright.contracts.money import Money
from shopwright.contracts.orders import Address, Total
from shopwright.contracts.problems import NotFound, OutOfStock, Shortage, Unavailable, UnknownSku
from shopwright.contracts.products import Quote

from .. import domain
from ..clients import Products
from ..domain import Cart, Seen, ShippingMethod
from ..store import carts as store


class PricedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as the buyer sees it; `available` tells whether as many can be bought right now."""

    id: UUID
    sku: str
    name: str
    slug: str
    options: dict[str, str]
    picture: str | None
    quantity: int
    unit_price: Money
    total: Money
    available: bool


class PricedCart(msgspec.Struct, frozen=True, kw_only=True):
    """A cart with its sum; `stale` when the catalogue was away and prices are those last seen."""

    id: UUID
    currency: str
    status: str
    version: int
    email: str | None
    address: Address | None
    shipping_method: str | None
    lines: list[PricedLine]
    totals: list[Total]
    total: Money
    stale: bool = False


class Carts:
    def __init__(self, db: Database, products: Products, currency: str) -> None:
        self._db, self._products, self._currency = db, products, currency

    async def create(self, user_id: UUID | None, currency: str | None, once: Once | None) -> PricedCart:
        """Begin an empty cart."""
        cart_id = uuid4()
        async with self._db.begin(once) as tx:
            if tx.repeated and tx.stored:
                cart_id = UUID(bytes=tx.stored)
            else:
                await store.insert(tx, cart_id, user_id, currency or self._currency)
                tx.remember(cart_id.bytes)
        return await self.show(cart_id, user_id)

    async def current(self, user_id: UUID) -> PricedCart:
        """The account's newest open cart; raises NotFound when it has none."""
        async with self._db.read() as connection:
            newest = await store.newest_of(connection, user_id)
        if newest is None:
            raise NotFound(detail="there is no open cart")
        return await self.show(newest, user_id)

    async def show(self, cart_id: UUID, user_id: UUID | None) -> PricedCart:
        """The cart with the prices of the moment; raises NotFound for a stranger's."""
        async with self._db.read() as connection:
            cart = await store.find(connection, cart_id)
            methods = await store.shipping_methods(connection, cart.currency) if cart and cart.lines else []
        return await self._priced(visible(cart, cart_id, user_id), methods)

    async def shipping(self, cart_id: UUID, user_id: UUID | None) -> list[tuple[ShippingMethod, Money]]:
        """The ways of shipping this cart, each with its price."""
        async with self._db.read() as connection:
            cart = visible(await store.find(connection, cart_id), cart_id, user_id)
            methods = await store.shipping_methods(connection, cart.currency)
        quotes, _ = await self._quotes(cart)
        subtotal = _subtotal(cart, quotes)
        return [(method, method.price(subtotal)) for method in methods]

    async def add(
        self,
        cart_id: UUID,
        user_id: UUID | None,
        sku: str,
        quantity: int,
        once: Once | None,
        *,
        shown_in: str | None = None,
    ) -> PricedCart:
        """Put `quantity` more of `sku` into the cart; `shown_in` is the currency of the price that was seen.

        Raises:
            CurrencyDiffers, UnknownSku, OutOfStock, CartFull: nothing was added.
        """
        currency = await self._currency_of(cart_id, user_id)
        quote = (await self._products.quotes([sku], currency)).get(sku)
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                _check_currency(sku, currency, shown_in)
                if quote is None:
                    raise UnknownSku(
                        detail=f"{sku} is not for sale in {currency}", sku=sku, currency=currency
                    )
                cart = await self._open(tx, cart_id, user_id)
                held = sum(line.quantity for line in cart.lines if line.sku == sku)
                if held + quantity > quote.available:
                    raise OutOfStock(shortages=[Shortage(sku, held + quantity, quote.available)])
                if not held and len(cart.lines) >= domain.LINES_MAX:
                    raise domain.CartFull
                seen = domain.seen_of(quote)
                if not await store.add_line(
                    tx, cart_id, uuid4(), sku, quantity, seen=seen, quantity_max=domain.QUANTITY_MAX
                ):
                    raise invalid("/quantity", f"a line holds at most {domain.QUANTITY_MAX}")
        return await self.show(cart_id, user_id)

    async def set_quantity(
        self, cart_id: UUID, user_id: UUID | None, line_id: UUID, quantity: int, once: Once | None
    ) -> PricedCart:
        """Set a line's quantity; 0 removes it."""
        currency = await self._currency_of(cart_id, user_id)
        async with self._db.read() as connection:
            before = await store.find(connection, cart_id)
        line = next((line for line in before.lines if line.id == line_id), None) if before else None
        if line is not None and quantity > line.quantity:
            quote = (await self._products.quotes([line.sku], currency)).get(line.sku)
            if quote is None or quantity > quote.available:
                raise OutOfStock(shortages=[Shortage(line.sku, quantity, quote.available if quote else 0)])
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                if line is None:
                    raise NotFound(detail=f"the cart has no line {line_id}")
                await self._open(tx, cart_id, user_id)
                if quantity:
                    await store.set_quantity(tx, cart_id, line_id, quantity)
                else:
                    await store.remove_line(tx, cart_id, line_id)
        return await self.show(cart_id, user_id)

    async def set_address(
        self,
        cart_id: UUID,
        user_id: UUID | None,
        email: str | None,
        address: Address | None,
        once: Once | None,
    ) -> PricedCart:
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                given: dict[str, Any] = {}
                if email is not None:
                    given["email"] = email
                if address is not None:
                    given["address"] = address
                await self._open(tx, cart_id, user_id, **given)
        return await self.show(cart_id, user_id)

    async def set_shipping(
        self, cart_id: UUID, user_id: UUID | None, method: str, once: Once | None
    ) -> PricedCart:
        """Choose how to ship; raises ShippingUnavailable."""
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                cart = await self._open(tx, cart_id, user_id, shipping_method=method)
                methods = await store.shipping_methods(tx, cart.currency)
                if method not in {offered.code for offered in methods}:
                    raise domain.ShippingUnavailable(shipping_method=method)
        return await self.show(cart_id, user_id)

    async def forget_old(self, days: int) -> int:
        async with self._db.read() as connection:
            return await store.forget_old(connection, days)

    async def _currency_of(self, cart_id: UUID, user_id: UUID | None) -> str:
        async with self._db.read() as connection:
            return visible(await store.find(connection, cart_id), cart_id, user_id).currency

    async def _open(self, tx: Transaction, cart_id: UUID, user_id: UUID | None, **fields: Any) -> Cart:
        """Lock the cart for a change; adopt it when an account uses a guest's."""
        cart = await store.touch(tx, cart_id, **fields)
        if cart is None:
            if await store.find(tx, cart_id) is None:
                raise NotFound(detail=f"no cart {cart_id}")
            raise domain.CartAlreadyOrdered
        visible(cart, cart_id, user_id)
        if user_id is not None and cart.user_id is None:
            await store.touch(tx, cart_id, user_id=user_id)
        return cart

    async def _quotes(self, cart: Cart) -> tuple[Mapping[str, Quote], bool]:
        try:
            return await self._products.quotes(cart.skus, cart.currency) if cart.lines else {}, False
        except Unavailable:
            return {}, True

    async def _priced(self, cart: Cart, methods: Sequence[ShippingMethod]) -> PricedCart:
        quotes, stale = await self._quotes(cart)
        subtotal = _subtotal(cart, quotes)
        try:
            method = domain.choose_shipping(cart, methods) if cart.lines else None
        except (domain.AddressMissing, domain.ShippingUnavailable):
            method = next((offer for offer in methods if offer.code == cart.shipping_method), None)
        totals, total = domain.totals_of(subtotal, method.price(subtotal) if method else None)
        return PricedCart(
            id=cart.id,
            currency=cart.currency,
            status=cart.status,
            version=cart.version,
            email=cart.email,
            address=cart.address,
            shipping_method=method.code if method else None,
            lines=[_line(line, quotes.get(line.sku), stale=stale) for line in cart.lines],
            totals=totals,
            total=total,
            stale=stale,
        )


def visible(cart: Cart | None, cart_id: UUID, user_id: UUID | None) -> Cart:
    if cart is None or (cart.user_id is not None and cart.user_id != user_id):
        raise NotFound(detail=f"no cart {cart_id}")
    return cart


def _check_currency(sku: str, currency: str, shown_in: str | None) -> None:
    """Raises CurrencyDiffers: what was seen in one currency is not charged in another."""
    if shown_in not in {None, currency}:
        raise domain.CurrencyDiffers(
            detail=f"the price was shown in {shown_in}, and the cart is in {currency}",
            sku=sku,
            cart_currency=currency,
        )


def _subtotal(cart: Cart, quotes: Mapping[str, Quote]) -> Money:
    prices = {
        line.sku: quotes[line.sku].unit_price if line.sku in quotes else line.seen.unit_price
        for line in cart.lines
    }
    return domain.subtotal_of(cart.lines, prices, cart.currency)


def _line(line: domain.CartLine, quote: Quote | None, *, stale: bool) -> PricedLine:
    seen: Seen = domain.seen_of(quote) if quote else line.seen
    return PricedLine(
        id=line.id,
        sku=line.sku,
        name=seen.name,
        slug=seen.slug,
        options=seen.options,
        picture=seen.picture,
        quantity=line.quantity,
        unit_price=seen.unit_price,
        total=seen.unit_price * line.quantity,
        available=stale or (quote is not None and quote.available >= line.quantity),
    )
