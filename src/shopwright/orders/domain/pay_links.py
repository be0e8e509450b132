"""A link by which a buyer pays what staff ask for: what a change costs, or what is sent in exchange."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from shopwright.contracts.problem import Problem


class PayLink(msgspec.Struct, frozen=True, kw_only=True):
    """Of a change of an order, or of the order itself when there is no `edit_id`."""

    id: UUID
    order_id: UUID
    edit_id: UUID | None
    until: datetime

    @property
    def path(self) -> str:
        return path_of(self.id)


class PayLinkOver(Problem):
    """Nothing is to be paid by this link any more."""

    kind = "gone"


def path_of(link_id: UUID) -> str:
    """Where the shop's pages show it."""
    return f"/pay/{link_id}"
