"""The purchase across services, on one screen.

reserve stock → authorise payment → **confirm** (the pivot, a local commit) → claim stock → capture → done.
Before the pivot a refusal releases and voids; after it the saga only goes forward. Each step is idempotent:
the reservation's id is the order's, the payment's id was chosen with the order.
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
