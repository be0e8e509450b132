"""The local mailbox over HTTP: as JSON, and as a page that shows mails as a mail program would.

These paths exist only where mails stay here. A mail is shown in a frame that may run nothing and load
nothing, whatever somebody managed to write into it.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get
from litestar.params import Parameter

from shopwright.contracts.problems import NotFound

from .. import pages
from ..clients.mailbox import Mailbox, StoredMail

Limit = Annotated[int, Parameter(ge=1, le=200)]
To = Annotated[str | None, Parameter(max_length=254)]


@get("/mailbox.json", tags=["mailbox"])
async def list_mails(mailbox: Mailbox, to: To = None, limit: Limit = 50) -> list[StoredMail]:
    """The newest mails first, of everybody or to one address."""
    return await mailbox.newest(to, limit)


@get("/mailbox", include_in_schema=False)
async def show_all(mailbox: Mailbox, to: To = None, limit: Limit = 100) -> Response[bytes]:
    return pages.mailbox(await mailbox.newest(to, limit), None, to)


@get("/mailbox/{mail_id:uuid}", include_in_schema=False)
async def show_one(mail_id: UUID, mailbox: Mailbox, to: To = None, limit: Limit = 100) -> Response[bytes]:
    mail = await _find(mailbox, mail_id)
    return pages.mailbox(await mailbox.newest(to, limit), mail, to)


@get("/mailbox/{mail_id:uuid}/body", include_in_schema=False)
async def show_body(mail_id: UUID, mailbox: Mailbox) -> Response[bytes]:
    return pages.framed((await _find(mailbox, mail_id)).html)


HANDLERS: list[Any] = [list_mails, show_all, show_one, show_body]


async def _find(mailbox: Mailbox, mail_id: UUID) -> StoredMail:
    mail = await mailbox.find(mail_id)
    if mail is None:
        raise NotFound(detail="there is no such mail, or it was among the oldest")
    return mail
