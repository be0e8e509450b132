"""Ways by which a mail leaves: a local mailbox, or an SMTP server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from shopwright.notifications.mail import Mail

__all__ = ["Transport"]


class Transport(Protocol):
    """`at_once`: mails that a worker may take together; what is slow is shared evenly, one by one."""

    at_once: int

    async def send(self, mail: Mail) -> None:
        """Hand a mail over. Raises MailNotSent; a mail handed over twice arrives once where that can be."""

    async def forget(self, mails: Sequence[UUID]) -> None:
        """Delete mails that are still in our hands; what has left cannot be called back."""
