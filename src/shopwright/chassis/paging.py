"""Cursor pages: an opaque cursor that holds where the last page ended, stable while rows come and go."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

import msgspec
from litestar.params import Parameter

from .validation import invalid

Item = TypeVar("Item")
Position = TypeVar("Position")

LIMIT_MAX = 100
Limit = Annotated[int, Parameter(ge=1, le=LIMIT_MAX, description=f"Rows a page, 1 to {LIMIT_MAX}.")]


class Page(msgspec.Struct, Generic[Item]):
    items: list[Item]
    next_cursor: str | None = None


def encode_cursor(position: object) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).rstrip(b"=").decode()


def decode_cursor(cursor: str | None, expected: type[Position]) -> Position | None:
    """The position in `cursor`; raises InvalidInput for one that we did not make."""
    if not cursor:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(raw, type=expected)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise invalid(
            "/query/cursor", "is not a cursor of this list; leave it out for the first page"
        ) from None


def page_of(rows: Sequence[Item], limit: int, position: Callable[[Item], object]) -> Page[Item]:
    """A page from up to `limit + 1` rows: the extra row tells whether there is a next page."""
    items = list(rows[:limit])
    more = len(rows) > limit
    return Page(items, encode_cursor(position(items[-1])) if more else None)
