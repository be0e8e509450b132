"""One page of results, found again by the position of the last product before it: not by a number of rows, so
products that come and go between two pages shift nothing.

Sorted by a field, a page is what lies beyond that position, at the same cost however deep. Sorted by
relevance, the best rows up to there are read again, which is why depth has a limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec
from tantivy import FieldType, Occur, Order, Query

from .domain import Ask, Position, Sort
from .queries import Level, together
from .schema import DEAREST, NAME_KEYS, OWN, Kept, name_keys, prices_in

SLACK: Final = 20  # rows read beyond a page: some may have come in before it
_INT_MAX: Final = 2**63 - 1


class State(NamedTuple):
    """A searcher over one commit, with what its schema needs to be asked."""

    searcher: Any
    schema: Any
    slots: Mapping[str, int]

    def kept(self, address: Any) -> Kept:
        return msgspec.json.decode(self.searcher.doc(address)["kept"][0], type=Kept)


class Page(NamedTuple):
    """`value` and `tie` are the position of the last row; `total` counts all pages."""

    addresses: list[Any]
    total: int
    more: bool
    value: float | int | str
    tie: int


class _Row(NamedTuple):
    value: Any
    tie: int
    address: Any


def read(state: State, query: Any, ask: Ask) -> Page:
    rows, total = (_by_score if ask.sort == "relevance" else _by_field)(state, query, ask)
    page = rows[: ask.limit]
    value, tie = page[-1][:2] if page else (0, 0)
    return Page([row.address for row in page], total, len(rows) > ask.limit, value, tie)


def fits(position: Position, sort: Sort) -> bool:
    """Whether a position that came back from a client is one of a list sorted by `sort`."""
    kind = {"relevance": float, "name": str}.get(sort, int)
    return (
        position.sort == sort
        and isinstance(position.value, kind)
        and not (isinstance(position.value, int) and abs(position.value) > _INT_MAX)
        and position.passed > 0
        and position.level in set(Level)
    )


def _by_score(state: State, query: Any, ask: Ask) -> tuple[list[_Row], int]:
    passed = ask.after.passed if ask.after else 0
    wanted = passed + ask.limit + 1 + (SLACK if passed else 0)
    while True:
        result = state.searcher.search(query, wanted, weight_by_field="weight")
        rows = _in_order(state, [(-score, address) for score, address in result.hits], ask.after)
        if wanted >= result.count or _whole(rows, ask.limit):
            return rows, result.count
        wanted *= 2


def _by_field(state: State, query: Any, ask: Ask) -> tuple[list[_Row], int]:
    field, order = _field(ask, state.slots)
    beyond = together(query, [_from(state.schema, field, order, ask.after)]) if ask.after else query
    wanted = ask.limit + 2
    while True:
        result = state.searcher.search(beyond, wanted, order_by_field=field, order=order)
        hits = [(-value if order is Order.Desc else value, address) for value, address in result.hits]
        rows = _in_order(state, hits, ask.after)
        if wanted >= result.count or _whole(rows, ask.limit):
            break
        wanted *= 2
    return rows, state.searcher.search(query, 1).count if ask.after else result.count


def _in_order(state: State, hits: list[tuple[Any, Any]], after: Position | None) -> list[_Row]:
    """Rows after the position, by value, then by tie: tantivy leaves equal ones in the order of its files."""
    addresses = [address for _, address in hits]
    ties = state.searcher.fast_field_values("tie", addresses) if addresses else []
    rows = sorted(
        (_Row(value, tie, address) for (value, address), tie in zip(hits, ties, strict=True)),
        key=lambda row: row[:2],
    )
    return [row for row in rows if row[:2] > (after.value, after.tie)] if after else rows


def _whole(rows: list[_Row], limit: int) -> bool:
    """Whether a page is surely right: rows not read may equal the last one, and belong before it."""
    return len(rows) > limit and rows[-1].value > rows[limit - 1].value


def _field(ask: Ask, slots: Mapping[str, int]) -> tuple[str, Order]:
    slot = prices_in(ask.currency, slots)
    cost = f"cost_{slot}"
    return {
        "newest": ("newest", Order.Desc),
        "price_asc": (cost, Order.Asc),
        "price_desc": (DEAREST if slot == OWN else cost, Order.Desc),
        "name": ("by_name", Order.Asc),
    }[ask.sort]


def _from(schema: Any, field: str, order: Order, after: Position) -> Any:
    """What does not come before the position; by name also the few that share its first letters."""
    if isinstance(after.value, str):
        return _from_name(schema, after.value)
    if order is Order.Asc:
        return _between(schema, field, lower=int(after.value))
    return _between(schema, field, upper=-int(after.value))


def _from_name(schema: Any, name: str) -> Any:
    """Names from `name` on by their numbers, each of which is the next letters (`schema.name_keys`)."""
    keys = list(zip(NAME_KEYS, name_keys(name), strict=True))
    cases = []
    for place, (field, key) in enumerate(keys):
        same = [_between(schema, before, lower=value, upper=value) for before, value in keys[:place]]
        last = place == len(keys) - 1
        cases.append([*same, _between(schema, field, lower=key, inclusive=last)])
    return Query.boolean_query(
        [(Occur.Should, Query.boolean_query([(Occur.Must, part) for part in case])) for case in cases]
    )


def _between(
    schema: Any, field: str, *, lower: int | None = None, upper: int | None = None, inclusive: bool = True
) -> Any:
    ends = (inclusive or lower is None, inclusive or upper is None)
    limits = Query.range_query(schema, field, FieldType.Integer, lower, upper, *ends)
    return Query.const_score_query(limits, 0.0)
