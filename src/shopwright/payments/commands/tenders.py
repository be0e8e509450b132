"""What pays an order: one payment as ever, or several that succeed or are given back together.

A payment of one part is just that payment. Of several parts the plan is committed before the first is
asked for; each part is then an ordinary payment with an id of its own, so that a repeat of any call goes on
where the last one died and nothing is taken or given twice. A provider that cannot be reached, so that
nothing was sent, is replaced by the next one; one that gave no answer never is.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import msgspec

from shopwright.chassis import crashpoints
from shopwright.chassis.db import Database
from shopwright.chassis.validation import invalid
from shopwright.contracts.payments import (
    PaymentAlreadyCaptured,
    PaymentNotAuthorised,
    PaymentNotCaptured,
    ProviderRefused,
)
from shopwright.contracts.problems import NotFound, RequestInFlight

from .. import domain
from ..domain import Part, Payment, Share, Source, Tender, Wanted
from ..sites import naming
from ..store import parts as store
from ..stored.books import Books
from ..stored.codes import Codes
from .payments import Payments, RefundStatus
from .routing import Routing
from .turns import Turns

GIFT_CARDS_MAX = 5
MOVES_MAX = 12
SETTLED = ("authorised", *domain.PAID)


class Tenders:
    def __init__(
        self, db: Database, payments: Payments, routing: Routing, books: Books, codes: Codes
    ) -> None:
        self._db, self._payments, self._routing = db, payments, routing
        self._books, self._codes = books, codes
        self._turns = Turns()

    async def authorise(self, wanted: Wanted) -> Tender:
        """Ask for all parts, stored value first; what is declined gives back what others hold.

        Events: PaymentChanged, for each part. Idempotent by the order's payment id.

        Raises:
            PaymentDiffers: the id was used for another order or amount.
            InvalidInput: a provider would not take it; nothing was asked.
        """
        if len(wanted.gift_cards) > GIFT_CARDS_MAX:
            raise invalid("/gift_cards", f"must be at most {GIFT_CARDS_MAX}")
        if not wanted.plain:
            return await self._told(await self._turns.to_the_end(self._authorise_parts(wanted)))
        provider = self._routing.first(wanted)
        try:
            payment = await self._payments.authorise(wanted.order, provider)
        except NotFound:  # it is known as one of several parts
            return await self._turns.to_the_end(self._authorise_parts(wanted))
        if payment.decline_code != domain.UNREACHABLE:
            self._routing.worked(payment)
            return Tender.of(payment)
        return await self._turns.to_the_end(self._authorise_elsewhere(wanted, payment))

    async def capture(self, tender_id: UUID) -> Tender:
        """Take what was authorised; a part to be received by hand stays as it is, and the others with it.

        Raises:
            NotFound, PaymentNotAuthorised: nothing was taken.
            ProviderRefused: the provider will never give this money, the authorisation has ended.
        """
        try:
            return Tender.of(await self._payments.capture(tender_id))
        except (NotFound, PaymentNotAuthorised):
            if await store.find(self._db, tender_id) is None:
                raise
        return await self._turns.to_the_end(self._capture_parts(tender_id))

    async def void(self, tender_id: UUID) -> Tender:
        """Give everything back that is held; a payment nobody has asked for yet will never be made.

        Raises:
            PaymentAlreadyCaptured: refund it instead.
        """
        failed: Payment | None = None
        try:
            failed = await self._payments.void_known(tender_id)
            if failed.decline_code != domain.UNREACHABLE:
                return Tender.of(failed)
        except NotFound:
            pass
        return await self._turns.to_the_end(self._void_parts(tender_id, failed))

    async def refund(
        self, refund_id: UUID, tender_id: UUID, amount: int, to_wallet_of: UUID | None = None
    ) -> tuple[Tender, RefundStatus]:
        """Give `amount` back where it came from, or to a buyer's wallet; and how that ended.

        Raises:
            PaymentNotCaptured, RefundTooLarge, PaymentDiffers: nothing was given back.
            ProviderRefused: the provider did not give it back; try again under another id.
        """
        if amount <= 0:
            raise invalid("/amount", "must be positive")
        tender = await self._of(tender_id)
        if not tender.in_parts:
            payment = await self._give(Share(tender_id, amount), refund_id, to_wallet_of)
            return Tender.of(payment), await self._payments.refund_status(refund_id, tender_id)
        return await self._turns.to_the_end(self._refund_parts(refund_id, tender, amount, to_wallet_of))

    async def get(self, tender_id: UUID) -> Tender:
        """As it stands, once the providers of open outcomes were asked. Raises NotFound."""
        tender = await self._of(tender_id)
        for part in tender.live:
            if part.payment is not None and part.payment.open is not None:
                tender = tender.having(await self._payments.get(part.payment_id))
        return tender

    async def finish(self, within_s: float) -> None:
        await self._turns.finish(within_s)

    async def _of(self, tender_id: UUID) -> Tender:
        """One payment as ever, unless the parts tell."""
        try:
            payment = await self._payments.known(tender_id)
        except NotFound:
            return await self._group(tender_id)
        found = await store.find(self._db, tender_id) if payment.decline_code == domain.UNREACHABLE else None
        return found or Tender.of(payment)

    async def _told(self, tender: Tender) -> Tender:
        """The tender with what is left on a gift card that had too little, for its buyer to choose anew."""
        if tender.status != "declined" or tender.spent_gift_card is None:
            return tender
        card = await self._books.gift_card(tender.spent_gift_card)
        left = card.available if card is not None else 0
        return msgspec.structs.replace(tender, gift_card_left=left)

    async def _authorise_parts(self, wanted: Wanted) -> Tender:
        order = wanted.order
        async with self._turns.turn(order.id):
            tender = await store.find(self._db, order.id)
            if tender is None:
                planned = await self._plan(wanted)
                crashpoints.reach("payments.parts.before-plan")
                opened = not planned.refused and await store.open_group(self._db, planned)
                crashpoints.reach("payments.parts.after-plan")
                tender = planned if opened else await store.find(self._db, order.id)
                if tender is None:  # another process has not opened it either
                    return planned if planned.refused else await self._of(order.id)
            domain.refuse_other_tender(tender, order)
            return await self._go_on(tender, wanted)

    async def _authorise_elsewhere(self, wanted: Wanted, failed: Payment) -> Tender:
        """The one payment's provider could not be reached: it becomes the first of several parts."""
        async with self._turns.turn(failed.id):
            tender = await store.find(self._db, failed.id)
            if tender is None:
                tender = Tender.of(failed)
                if not await store.open_group(self._db, tender):
                    return await self._of(failed.id)
            domain.refuse_other_tender(tender, wanted.order)
            return await self._go_on(tender, wanted)

    async def _plan(self, wanted: Wanted) -> Tender:
        """How the order is to be paid, as balances are now; `refused` says why it cannot be."""
        order = wanted.order
        sources, refused = await self._sources(wanted)
        provider = "" if order.method in domain.STORED else self._routing.first(wanted)
        parts = None if refused else domain.plan(order, sources, provider)
        if parts is None:
            refused = refused or "insufficient_funds"
        left = [source.available for source in sources if source.method == "gift_card"]
        if refused == "gift_card_empty":
            left = [0]
        for part in parts or []:
            if part.account_id is None:
                self._payments.check(msgspec.structs.replace(order, id=part.payment_id), part.provider)
        return Tender(
            id=order.id, order_id=order.order_id, amount=order.amount.minor, currency=order.amount.currency,
            parts=tuple(parts or ()), refused=refused,
            gift_card_left=left[0] if left and parts is None else None,
        )  # fmt: skip

    async def _sources(self, wanted: Wanted) -> tuple[list[Source], str]:
        """The stored value to spend, in order; and why a gift card among it cannot be spent."""
        currency, now = wanted.order.amount.currency, datetime.now(UTC)
        sources: list[Source] = []
        hashes = list(dict.fromkeys(self._codes.hash(code) for code in wanted.gift_cards))
        for card in await self._books.gift_cards_of(hashes) if hashes else []:
            problem = card.problem(currency, now) if card is not None else "gift_card_unknown"
            if card is None or problem:
                return [], problem
            sources.append(Source("gift_card", card.id, card.available))
        user_id = wanted.order.user_id
        if (wanted.use_wallet or wanted.order.method == "wallet") and user_id is not None:
            sources += [
                Source("wallet", wallet.id, wallet.available)
                for wallet in await self._books.wallets(user_id)
                if wallet.currency == currency
            ]
        return sources, ""

    async def _go_on(self, tender: Tender, wanted: Wanted) -> Tender:
        """Authorise the parts that are not yet, in order; at the first that will not be, give back."""
        for _ in range(MOVES_MAX):
            part = next((part for part in tender.live if part.status not in SETTLED), None)
            if part is None or tender.voided:
                return tender
            if domain.lost_to_the_network(part):
                replaced = await self._replace(tender, part, wanted)
                if replaced is None:
                    return await self._give_back(tender)
                tender = replaced
                continue
            if part.status in domain.OVER:
                return await self._give_back(tender)
            order = tender.order_of(part, wanted.order)
            if tender.in_parts:  # the buyer comes back to the whole, not to a part
                order = msgspec.structs.replace(order, return_url=naming(order.return_url, tender.id))
            payment = await self._payments.authorise(order, part.provider)
            crashpoints.reach(f"payments.parts.{part.number}.authorised")
            self._routing.worked(payment)
            tender = tender.having(payment)
            if payment.status not in SETTLED and payment.status not in domain.OVER:
                return tender
        raise RequestInFlight(detail=f"payment {tender.id} finds no provider")

    async def _replace(self, tender: Tender, part: Part, wanted: Wanted) -> Tender | None:
        """The tender with another provider in the place of one that could not be reached; None: no other."""
        self._routing.failed(part.provider)
        tried = {known.provider for known in tender.parts}
        provider = self._routing.another(wanted, tried)
        if provider is None:
            return None
        await store.add(self._db, tender, domain.replacement(tender, part, provider))
        return await store.find(self._db, tender.id)

    async def _give_back(self, tender: Tender) -> Tender:
        """Void what is held of a tender that cannot be completed."""
        for part in tender.live:
            if part.payment is not None and part.status not in domain.OVER:
                tender = tender.having(await self._payments.void(part.payment_id))
                crashpoints.reach(f"payments.parts.{part.number}.given-back")
        return tender

    async def _capture_parts(self, tender_id: UUID) -> Tender:
        async with self._turns.turn(tender_id):
            tender = await self._group(tender_id)
            if tender.by_hand is not None and not tender.by_hand.captured:
                return tender
            for part in reversed(tender.live):
                tender = tender.having(await self._payments.capture(part.payment_id))
                crashpoints.reach(f"payments.parts.{part.number}.captured")
                if tender.status == "unknown":
                    return tender
            return tender

    async def _void_parts(self, tender_id: UUID, failed: Payment | None) -> Tender:
        async with self._turns.turn(tender_id):
            if failed is not None:  # so that no other provider takes over any more
                await store.open_group(self._db, Tender.of(failed))
            elif await store.find(self._db, tender_id) is None:
                return Tender.of(await self._payments.void(tender_id))
            await store.close(self._db, tender_id)
            tender = await self._group(tender_id)
            if tender.captured:
                raise PaymentAlreadyCaptured(
                    detail=f"payment {tender_id} is captured", payment_status="captured"
                )
            for part in tender.parts:
                tender = tender.having(await self._payments.void(part.payment_id))
            return tender

    async def _refund_parts(
        self, refund_id: UUID, tender: Tender, amount: int, to_wallet_of: UUID | None
    ) -> tuple[Tender, RefundStatus]:
        async with self._turns.turn(tender.id):
            shares = await self._shares(refund_id, tender, amount)
            status: RefundStatus = "succeeded"
            for share in shares:
                own = share.refund_id(refund_id)
                try:
                    await self._give(share, own, to_wallet_of)
                except ProviderRefused:
                    await store.forget_promise(self._db, refund_id)
                    raise
                crashpoints.reach("payments.parts.share-given")
                status = await self._payments.refund_status(own, share.payment_id)
                if status != "succeeded":
                    break
            return await self._group(tender.id), status

    async def _shares(self, refund_id: UUID, tender: Tender, amount: int) -> list[Share]:
        """How the refund is shared out: as it was before, or committed to now."""
        for _ in range(MOVES_MAX):
            shares = await store.shares(self._db, refund_id)
            if shares:
                domain.refuse_other_refund(refund_id, sum(share.amount for share in shares), amount)
                return shares
            tender = await self._group(tender.id)
            if tender.status not in domain.PAID:
                raise PaymentNotCaptured(payment_status=tender.status)
            wanted = domain.share_out(tender, amount, await store.promised(self._db, tender))
            if await store.promise(self._db, tender, refund_id, wanted):
                return wanted
        raise RequestInFlight(detail=f"payment {tender.id} changes too fast")

    async def _give(self, share: Share, refund_id: UUID, to_wallet_of: UUID | None) -> Payment:
        if to_wallet_of is not None:
            return await self._payments.credit(refund_id, share.payment_id, share.amount, to_wallet_of)
        return await self._payments.refund(refund_id, share.payment_id, share.amount)

    async def _group(self, tender_id: UUID) -> Tender:
        tender = await store.find(self._db, tender_id)
        if tender is None:
            raise NotFound(detail=f"no payment {tender_id}")
        return tender
