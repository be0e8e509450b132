"""Our own JSON Lines: one product a line, as `ProductDraft` has it; what `shopwright export` writes.

{"slug": "mug", "name": "Mug", "variants": [{"sku": "MUG", "prices": [{"price": {"amount": 1290, "currency":
"EUR"}}], "stock": {"main": 7}}], "categories": [["Home", "Kitchen"]], "attributes": {"Material": ["Clay"]}}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from shopwright.chassis import validation
from shopwright.contracts.problems import InvalidInput
from shopwright.products.catalog.drafts import ProductDraft, VariantDraft

from . import table
from .reading import PROBLEM, BadFile, Cells, Form, Note, Options, Read, Unit, lonely, pointer, read

NAME = "jsonl"
TITLE = "Shopwright JSON Lines"

_FIELDS = frozenset(ProductDraft.__struct_fields__)
_VARIANT_FIELDS = frozenset(VariantDraft.__struct_fields__)


def fits(text: str, _columns: frozenset[str]) -> bool:
    start = text.lstrip("\ufeff \t\r\n")
    line = start.partition("\n")[0]
    return start.startswith("{") and '"slug"' in line and ('"variants"' in line or '"name"' in line)


def units(path: Path, form: Form) -> Iterator[Unit]:
    decoder = msgspec.json.Decoder()
    with path.open(encoding=form.encoding, errors="replace") as file:
        number = 0
        while text := file.readline(table.LINE_MAX):
            number += 1
            if len(text) == table.LINE_MAX and not text.endswith("\n"):
                raise BadFile(f"line {number} is longer than {table.LINE_MAX:,} characters", number)
            if not text.strip("\ufeff\0 \t\r\n"):
                continue
            try:
                item = decoder.decode(text.strip("\ufeff\0"))
            except msgspec.DecodeError as error:
                yield Unit(number, lonely(number), {PROBLEM: f"the line is no JSON: {error}"})
                continue
            if not isinstance(item, dict):
                yield Unit(number, lonely(number), {PROBLEM: "the line is no JSON object of a product"})
                continue
            yield Unit(number, str(item.get("slug") or "").casefold() or lonely(number), item)


def product(units: Sequence[Unit], options: Options) -> Read:
    notes: list[Note] = []
    item = units[0].cells
    cells = Cells(units[0], notes)
    for other in units[1:]:
        cells.refuse("slug", f"{item.get('slug')!r} is the slug of line {other.line} too")
    for place in _unknown(item):
        cells.refuse_at(place, "is no field of a product; leave it out, or correct its name")
    draft = _draft(cells, item)
    if draft is not None and options.stock is not None:
        draft = msgspec.structs.replace(draft, variants=[_stocked(v, options) for v in draft.variants])
    return read(units[0], str(item.get("slug") or item.get("name") or ""), draft, notes)


def _draft(cells: Cells, item: Mapping[str, Any]) -> ProductDraft | None:
    try:
        return msgspec.convert(item, ProductDraft)
    except msgspec.ValidationError as error:
        try:
            validation.check(item, ProductDraft)
        except InvalidInput as problem:
            for wrong in problem.errors:
                cells.refuse_at(wrong.pointer, wrong.detail)
        else:
            cells.refuse_at("", str(error))
        return None


def _stocked(variant: VariantDraft, options: Options) -> VariantDraft:
    if variant.stock or options.stock is None:
        return variant
    return msgspec.structs.replace(variant, stock={options.warehouse: options.stock})


def _unknown(item: Mapping[str, Any]) -> Iterator[str]:
    yield from (pointer(name) for name in item.keys() - _FIELDS)
    variants = item.get("variants")
    for index, variant in enumerate(variants if isinstance(variants, list) else []):
        if isinstance(variant, dict):
            yield from (pointer("variants", str(index), name) for name in variant.keys() - _VARIANT_FIELDS)
