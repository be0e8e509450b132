"""Reads a product file as an import would, but without a shop."""

import os
import tempfile
from datetime import date
from pathlib import Path

import pytest

from shopwright.products.imports import formats, spool
from shopwright.products.imports.readers.reading import Options

#: Real files of other shops, beside the checkout; SHOPWRIGHT_SHARED_DATA names another place.
SHARED = Path(os.environ.get("SHOPWRIGHT_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"the data nobody here wrote is not in {SHARED}"
)


def read(source, *, format="", **options):  # noqa: A002
    """What was read of each product, in the order of the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = _path(source, Path(folder))
        form = formats.recognise(path, format)
        spool.build(path, form, Path(folder) / "spool", lambda: False)
        opened = spool.Spool(
            Path(folder) / "spool",
            formats.named(form.format),
            Options(**({"today": date(2026, 6, 1)} | options)),
        )
        try:
            return [item.read for item in opened.batch(0, 100_000, 10**9)]
        finally:
            opened.close()


def form_of(source):
    """How the file is recognised."""
    with tempfile.TemporaryDirectory() as folder:
        return formats.recognise(_path(source, Path(folder)))


def drafts(source, **options):
    """Drafts by slug; every product of the file must be good."""
    found = read(source, **options)
    assert [note for one in found for note in one.notes] == []
    return {one.draft.slug: one.draft for one in found}


def notes(source, **options):
    """(outcome, line, pointer) of everything that was told."""
    return [(note.outcome, note.line, note.pointer) for one in read(source, **options) for note in one.notes]


def table(text, delimiter=","):
    """A table written with aligned `|` columns, as CSV; a row of dots separates nothing."""
    lines = [line.strip().strip("|") for line in text.strip().splitlines()]
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    return "\n".join(delimiter.join(row) for row in rows) + "\n"


def _path(source, folder):
    if isinstance(source, Path):
        return source
    path = folder / "file"
    path.write_bytes(source if isinstance(source, bytes) else source.encode())
    return path
