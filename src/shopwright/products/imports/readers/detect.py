"""Which format a file has: its encoding, its delimiter, and the reader that knows its columns. Pure.

Looks at the first kilobytes, and at the whole file once to tell UTF-8 from Windows-1252. What is no list of
products is refused with words that say what it seems to be.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from pathlib import Path

from . import table
from .reading import BadFile, Form, Reader

HEAD = 65_536
CHUNK = 1_048_576
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Columns of files that shops also export → what such a file holds.
_OTHERS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"slug", "locale"}), "translations of products, without SKUs and prices"),
    (frozenset({"email", "first_name", "last_name"}), "customers"),
    (frozenset({"email", "first name", "last name"}), "customers"),
    (frozenset({"customer email"}), "customers or orders"),
    (frozenset({"email", "financial status"}), "orders"),
    (frozenset({"order id"}), "orders"),
    (frozenset({"handle", "sku", "location"}), "stock by location, without names and prices"),
    (frozenset({"redirect from", "redirect to"}), "redirects of addresses"),
)
_BINARY = (
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save it as “CSV UTF-8”"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"Obj\x01", "an Avro file"),
    (b"PAR1", "a Parquet file"),
)


def detect(path: Path, readers: Iterable[Reader], format: str = "") -> Form:  # noqa: A002 - the option's name
    """How `path` is to be read; `format` names the reader if the caller knows it.

    Raises:
        BadFile: no reader knows it; the message says what it seems to be and what is expected.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head.strip(b"\0\t\r\n \xef\xbb\xbf"):
        raise BadFile("the file is empty; the first line of a table names its columns")
    for magic, words in _BINARY:
        if head.startswith(magic):
            raise BadFile(f"this is {words}")
    encoding = encoding_of(path, head)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head).replace("\0", "")
    delimiter, columns = table.split_header(text)
    known = list(readers)
    fitting = [reader for reader in known if reader.fits(text, frozenset(columns))]
    if format:
        fitting = [reader for reader in known if format == reader.NAME]
    if not fitting:
        raise BadFile(_words(text, columns, known))
    return Form(format=fitting[0].NAME, encoding=encoding, delimiter=delimiter)


def encoding_of(path: Path, head: bytes) -> str:
    """UTF-16 and UTF-8 by their marks; UTF-8 if all of the file is; else Windows-1252, Excel's own."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    if len(head) >= 4 and head.count(b"\0", 0, 400) > min(len(head), 400) // 4:
        return "utf-16-le" if head[1] == 0 else "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _words(text: str, columns: list[str], readers: list[Reader]) -> str:
    formats = ", ".join(reader.TITLE for reader in readers)
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith(("{", "[")):
        return f"this JSON is no list of products that we know; we read {formats}"
    if start.startswith("<"):
        return f"this is HTML or XML; we read {formats}"
    seen = ", ".join(columns[:8]) + (", …" if len(columns) > 8 else "")
    for signature, what in _OTHERS:
        if signature <= set(columns):
            return (
                f"these are {what} (columns {seen}); a product file has a row for each variant with its "
                f"product's slug or handle, name, SKU and price. We read {formats}"
            )
    return f"no product file we know has the columns {seen}; we read {formats}"
