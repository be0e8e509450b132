"""The formats we read, in the order in which a file is tried."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from .readers import (
    boutique,
    medusa,
    own_csv,
    own_jsonl,
    saleor,
    shopify,
    spree,
    telescopes,
    woocommerce,
)
from .readers.detect import detect
from .readers.reading import Form, Reader

READERS: Final[tuple[Reader, ...]] = (
    own_jsonl, saleor, boutique, telescopes, medusa, shopify, woocommerce, spree, own_csv,
)  # fmt: skip
NAMES: Final = tuple(reader.NAME for reader in READERS)


def named(name: str) -> Reader:
    return next(reader for reader in READERS if name == reader.NAME)


def derives_slugs(reader: Reader) -> bool:
    """Whether the format has no slugs of its own, so that two products of one name need a second one."""
    return bool(getattr(reader, "DERIVES_SLUGS", False))


def recognise(path: Path, format: str = "") -> Form:  # noqa: A002 - the option's name
    """Raises BadFile for what is no product file that we know."""
    return detect(path, READERS, format)
