"""What can change in a cart, and how one is shown with the prices of the moment.

A cart is reached by its unguessable id; one that belongs to an account only with that account. A guest's
cart is adopted by the account that first uses it logged in. Prices are never taken from the caller.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import date
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
from ..domain import Cart, CouponProblem, Discount, Offer, Priced, PricedItem, Seen, Tax
from ..domain.drafts import at_staff_prices
from ..store import carts as store
from .pricing import Pricing, customer_of

CURRENCIES_MAX = 20_000


class PricedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as the buyer sees it; `available` tells whether as many can be bought right now.

    `preorder_from`: the day from which goods that are not there yet are sent.
    """

    id: UUID
    sku: str
    name: str
    slug: str
    options: dict[str, str]
    picture: str | None
    quantity: int
    unit_price: Money
    total: Money
    discount: Money
    tax: Money
    available: bool
    preorder_from: date | None = None


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
    coupons: list[str] = []
    discounts: list[Discount] = []
    taxes: list[Tax] = []
    coupon_problems: list[CouponProblem] = []
    stale: bool = False


class Carts:
    def __init__(self, db: Database, products: Products, pricing: Pricing, currency: str) -> None:
        self._db, self._products, self._pricing, self._currency = db, products, pricing, currency
        self._currencies: OrderedDict[UUID, str] = OrderedDict()

    async def create(self, user_id: UUID | None, currency: str | None, once: Once | None) -> PricedCart:
        """Begin an empty cart."""
        cart = empty_cart(uuid4(), user_id, currency or self._currency)
        if once is None:
            await self._db.commit_together([store.inserted(cart)])
            self._remember(cart)
            return await self._shown(cart)
        async with self._db.begin(once) as tx:
            if tx.repeated and tx.stored:
                known = UUID(bytes=tx.stored)
            else:
                known = cart.id
                change = store.inserted(cart)
                tx.also(change.sql, *change.values)
                tx.remember(cart.id.bytes)
        return await self.show(known, user_id)

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
            cart = visible(await store.find(connection, cart_id), cart_id, user_id)
        return await self._shown(cart)

    async def shipping(self, cart_id: UUID, user_id: UUID | None) -> list[Offer]:
        """The ways of shipping this cart, each with its price."""
        async with self._db.read() as connection:
            cart = visible(await store.find(connection, cart_id), cart_id, user_id)
        return await self._offers(cart)

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
        currency = self._currencies.get(cart_id) or await self._currency_of(cart_id, user_id)
        quote = (await self._products.quotes([sku], currency)).get(sku)
        cart = None
        if once is None and quote is not None and shown_in in {None, currency}:
            cart = await self._add_at_once(cart_id, user_id, quote, quantity)
        if cart is not None:
            return await self._shown(cart)
        await self._currency_of(cart_id, user_id)
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                _check_currency(sku, currency, shown_in)
                if quote is None:
                    raise UnknownSku(
                        detail=f"{sku} is not for sale in {currency}", sku=sku, currency=currency
                    )
                cart = await self._add(tx, await self._open(tx, cart_id, user_id), quote, quantity)
        return await self._shown(cart) if cart else await self.show(cart_id, user_id)

    async def _add_at_once(
        self, cart_id: UUID, user_id: UUID | None, quote: Quote, quantity: int
    ) -> Cart | None:
        """The cart with more of what is quoted; None if that is refused, nothing was changed then."""
        line = domain.CartLine(id=uuid4(), sku=quote.sku, quantity=quantity, seen=domain.seen_of(quote))
        most = min(domain.QUANTITY_MAX, quote.available)
        return await store.add(
            self._db, cart_id, user_id, line, quantity_max=most, lines_max=domain.LINES_MAX
        )

    async def _add(self, tx: Transaction, cart: Cart, quote: Quote, quantity: int) -> Cart:
        """The cart with `quantity` more of what is quoted; `tx` holds it."""
        held = sum(line.quantity for line in cart.lines if line.sku == quote.sku)
        if held + quantity > quote.available:
            raise OutOfStock(shortages=[Shortage(quote.sku, held + quantity, quote.available)])
        if not held and len(cart.lines) >= domain.LINES_MAX:
            raise domain.CartFull
        line = await store.add_line(
            tx, cart.id, uuid4(), quote.sku, quantity, seen=domain.seen_of(quote),
            quantity_max=domain.QUANTITY_MAX,
        )  # fmt: skip
        if line is None:
            raise invalid("/quantity", f"a line holds at most {domain.QUANTITY_MAX}")
        known = {before.sku: before for before in cart.lines} | {line.sku: line}
        return msgspec.structs.replace(cart, lines=list(known.values()))

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
        cart = None
        if once is None:
            cart = await store.change(self._db, cart_id, user_id, email=email, address=address)
        if cart is not None:
            return await self._shown(cart)
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                given: dict[str, Any] = {}
                if email is not None:
                    given["email"] = email
                if address is not None:
                    given["address"] = address
                cart = await self._open(tx, cart_id, user_id, **given)
        return await self._shown(cart) if cart else await self.show(cart_id, user_id)

    async def set_shipping(
        self, cart_id: UUID, user_id: UUID | None, method: str, once: Once | None
    ) -> PricedCart:
        """Choose how to ship; raises ShippingUnavailable."""
        offered = await self.shipping(cart_id, user_id)
        cart = None
        if once is None and method in {offer.code for offer in offered}:
            cart = await store.change(self._db, cart_id, user_id, shipping_method=method)
        if cart is not None:
            return await self._shown(cart)
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                if method not in {offer.code for offer in offered}:
                    raise domain.ShippingUnavailable(shipping_method=method)
                await self._open(tx, cart_id, user_id, shipping_method=method)
        return await self.show(cart_id, user_id)

    async def set_coupons(
        self, cart_id: UUID, user_id: UUID | None, codes: Sequence[str], once: Once | None
    ) -> PricedCart:
        """Replace the cart's codes; raises CouponNotValid for the first new one that gives nothing."""
        async with self._db.read() as connection:
            before = visible(await store.find(connection, cart_id), cart_id, user_id)
        wanted = list(dict.fromkeys(codes))
        priced, _, _ = await self._price(msgspec.structs.replace(before, coupons=wanted))
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                _check_coupons(wanted, before, priced.problems)
                await self._open(tx, cart_id, user_id, coupons=wanted)
        return await self.show(cart_id, user_id)

    async def merge(self, cart_id: UUID, user_id: UUID, once: Once | None) -> PricedCart:
        """Put a guest's cart into the account's newest open one and close it; a repeat answers the same cart.

        An account without an open cart in that currency takes the guest's over as it is, and so does any
        account a draft at prices of staff, which hold in no other cart.

        Raises:
            CartFull, CartAlreadyOrdered: both carts stay as they are.
        """
        async with self._db.read() as connection:
            guest = visible(await store.find(connection, cart_id), cart_id, user_id)
            own_id = await store.newest_of(connection, user_id)
            own = await store.find(connection, own_id) if own_id else None
        if guest.merged_into is not None:
            return await self.show(guest.merged_into, user_id)
        if guest.user_id is not None:
            return await self._shown(guest)
        if own is None or own.currency != guest.currency or _has_staff_prices(guest):
            return await self._adopt(cart_id, user_id, once)
        quotes, _ = await self._quotes(guest)
        available = {sku: min(quote.available, domain.QUANTITY_MAX) for sku, quote in quotes.items()}
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                await self._merge(tx, guest, own, available)
        return await self._merged(cart_id, user_id)

    async def _merge(self, tx: Transaction, guest: Cart, own: Cart, available: Mapping[str, int]) -> None:
        """Raises what another request did meanwhile: a repeat of this one is no refusal."""
        still_open = await store.lock_open(tx, guest.id, own.id)
        if guest.id not in still_open:
            now = await store.find(tx, guest.id)
            if now is None or now.merged_into is None:
                raise domain.CartAlreadyOrdered
            return
        if own.id not in still_open:
            raise domain.CartChanged
        if await store.merge(tx, guest.id, own.id, available, domain.CODES_MAX) > domain.LINES_MAX:
            raise domain.CartFull

    async def _merged(self, cart_id: UUID, user_id: UUID) -> PricedCart:
        async with self._db.read() as connection:
            guest = await store.find(connection, cart_id)
        return await self.show((guest and guest.merged_into) or cart_id, user_id)

    async def _adopt(self, cart_id: UUID, user_id: UUID, once: Once | None) -> PricedCart:
        """Make a guest's cart the account's."""
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                await self._open(tx, cart_id, user_id)
        return await self.show(cart_id, user_id)

    async def forget_old(self, days: int) -> int:
        async with self._db.read() as connection:
            return await store.forget_old(connection, days)

    async def _currency_of(self, cart_id: UUID, user_id: UUID | None) -> str:
        async with self._db.read() as connection:
            cart = visible(await store.find(connection, cart_id), cart_id, user_id)
        self._remember(cart)
        return cart.currency

    def _remember(self, cart: Cart) -> None:
        """A cart's currency never changes."""
        self._currencies[cart.id] = cart.currency
        while len(self._currencies) > CURRENCIES_MAX:
            self._currencies.popitem(last=False)

    async def _open(self, tx: Transaction, cart_id: UUID, user_id: UUID | None, **fields: Any) -> Cart:
        """Lock the cart for a change; adopt it when an account uses a guest's."""
        cart = await store.touch(tx, cart_id, **fields)
        if cart is None:
            closed = visible(await store.find(tx, cart_id), cart_id, user_id)
            if closed.merged_into is not None:
                raise domain.CartMerged(cart_id=closed.merged_into)
            raise domain.CartAlreadyOrdered
        visible(cart, cart_id, user_id)
        if user_id is not None and cart.user_id is None:
            cart = await store.touch(tx, cart_id, user_id=user_id)
            assert cart is not None, "it is locked and was open"
        return cart

    async def _quotes(self, cart: Cart) -> tuple[Mapping[str, Quote], bool]:
        try:
            quotes = await self._products.quotes(cart.skus, cart.currency) if cart.lines else {}
            return at_staff_prices(cart, quotes), False
        except Unavailable:
            return {}, True

    async def _price(self, cart: Cart) -> tuple[Priced, Mapping[str, Quote], bool]:
        quotes, stale = await self._quotes(cart)
        rules = await self._pricing.rules()
        priced = await self._pricing.price(cart, quotes, customer_of(cart.user_id, cart.email), rules=rules)
        return priced, quotes, stale

    async def _offers(self, cart: Cart) -> list[Offer]:
        priced, _, _ = await self._price(cart)
        return priced.offered

    async def _shown(self, cart: Cart) -> PricedCart:
        priced, quotes, stale = await self._price(cart)
        return PricedCart(
            id=cart.id,
            currency=cart.currency,
            status=cart.status,
            version=cart.version,
            email=cart.email,
            address=cart.address,
            shipping_method=priced.offer.code if priced.offer else None,
            lines=[
                _line(line, quotes.get(line.sku), priced.items[line.sku], stale=stale) for line in cart.lines
            ],
            totals=priced.totals,
            total=priced.total,
            coupons=cart.coupons,
            discounts=priced.discounts,
            taxes=priced.taxes,
            coupon_problems=priced.problems,
            stale=stale,
        )


def empty_cart(cart_id: UUID, user_id: UUID | None, currency: str) -> Cart:
    return Cart(
        id=cart_id,
        user_id=user_id,
        currency=currency,
        status="open",
        email=None,
        address=None,
        shipping_method=None,
        version=1,
        lines=[],
    )


def _has_staff_prices(cart: Cart) -> bool:
    return any(line.staff_price is not None for line in cart.lines)


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


def _check_coupons(wanted: Sequence[str], before: Cart, problems: Sequence[CouponProblem]) -> None:
    """Raises CouponNotValid: what was in the cart already may stay there, told as a problem."""
    for problem in problems:
        if problem.code in wanted and problem.code not in before.coupons:
            raise domain.CouponNotValid(
                detail=f"{problem.code}: {problem.reason.replace('_', ' ')}",
                code=problem.code,
                reason=problem.reason,
            )


def _line(line: domain.CartLine, quote: Quote | None, priced: PricedItem, *, stale: bool) -> PricedLine:
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
        total=priced.total,
        discount=priced.discount,
        tax=priced.tax,
        available=stale or (quote is not None and quote.available >= line.quantity),
        preorder_from=quote.preorder_from if quote else None,
    )
