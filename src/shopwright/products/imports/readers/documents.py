"""Files that are one JSON or SQL text and not rows: read at once, so their size is bounded."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import msgspec

from shopwright.contracts.money import Money

from . import values
from .reading import BadFile, Form

Shape = TypeVar("Shape")
DOCUMENT_MAX = 67_108_864  # 64 MiB: some 100,000 products; larger shops export rows


def text_of(path: Path, form: Form) -> str:
    """Raises BadFile for more than DOCUMENT_MAX bytes."""
    if path.stat().st_size > DOCUMENT_MAX:
        raise BadFile(
            f"this format is read as a whole and may have {DOCUMENT_MAX:,} bytes; give such a large "
            "catalogue as CSV or JSON Lines"
        )
    return path.read_text(encoding=form.encoding, errors="replace").lstrip("\ufeff").replace("\0", "")


def decode(path: Path, form: Form, shape: type[Shape]) -> Shape:
    """Raises BadFile for what is no JSON, or not of `shape`."""
    try:
        return msgspec.json.decode(text_of(path, form), type=shape, strict=False)
    except msgspec.DecodeError as error:
        raise BadFile(f"this is no JSON of the form it seems to have: {error}") from error


def google_money(units: int, nanos: int, currency: str) -> Money:
    """An amount as Google's APIs write it; raises ValueError for what is finer than a cent."""
    return values.money(f"{Decimal(units) + Decimal(nanos).scaleb(-9):f}", currency)
