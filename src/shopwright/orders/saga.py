"""The purchase across services, and the way back, on one screen.

reserve stock → authorise payment → **confirm** (the pivot, a local commit) → claim stock → capture → done.
Before the pivot a refusal releases and voids; after it the saga only goes forward. A capture that is
refused for good ends it too: the order stays confirmed and unpaid, for staff to cancel. Each step is
idempotent: the reservation's id is the order's, the payment's id was chosen with the order.

The way back (a refund, a return, a cancellation) was decided when it was noted, so it only goes forward:
give the money back, put the goods back. A provider that refuses for good ends the money's part as failed.

A change before shipment reserves what is added → authorises what it costs more, if anything, perhaps once
the buyer has paid by a link → **applies** itself to the order's lines (the pivot; the order may refuse it,
and then the authorisation and the reservation go back) → takes the stock and the money → the way back of
what was removed. A capture that is refused for good leaves the change unpaid, for staff to cancel the order.
"""

from __future__ import annotations

from shopwright.chassis.saga import Saga, Step

PLACE_ORDER = Saga(
    kind="place_order",
    steps=(
        Step("reserve", undo="release"),
        Step("authorise", undo="void"),
        Step("confirm", pivot=True),
        Step("claim"),
        Step("capture"),
    ),
)

TAKE_BACK = Saga(kind="take_back", steps=(Step("note", pivot=True), Step("give_back"), Step("restock")))

EDIT_ORDER = Saga(
    kind="edit_order",
    steps=(
        Step("reserve", undo="release"),
        Step("authorise", undo="void"),
        Step("apply", pivot=True),
        Step("claim"),
        Step("capture"),
        Step("give_back"),
        Step("restock"),
    ),
)
