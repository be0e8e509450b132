"""Facets: which values the found products have, and how many of each.

One pass of tantivy's aggregation counts every value of every facet: over 43,000 products 5.8 ms, where adding
up each product's values ourselves takes 58 (bench_search.py, 2 cores). A facet that was chosen from is
counted a second time without its own choice, so that its other values keep their numbers. Shown are at most
`FACETS_MAX` facets of `VALUES_MAX` values, and only those that divide what was found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from .domain import FacetValue
from .schema import SEPARATOR
from .words import fold

FACETS_MAX: Final = 20
VALUES_MAX: Final = 50
#: Values counted over all facets, the most common first: attributes with thousands of values are no facets.
BUCKETS_MAX: Final = 1_000
SINGLES_MAX: Final = 8
_FIRST: Final = ("category", "brand")


class Facet(NamedTuple):
    """Its name as written, and its values by count, then label."""

    name: str
    values: list[FacetValue]


Counted = dict[str, Facet]  # by folded name


def count(searcher: Any, query: Any) -> Counted:
    """Every facet of the products that `query` finds, under the spelling most of them use."""
    terms = {"field": "facet", "size": BUCKETS_MAX, "segment_size": 4 * BUCKETS_MAX}
    buckets = searcher.aggregate(query, {"facet": {"terms": terms}})["facet"]["buckets"]
    values: dict[str, dict[str, FacetValue]] = {}
    spellings: dict[str, Counter[str]] = {}
    for bucket in sorted(buckets, key=lambda one: (-one["doc_count"], one["key"])):
        folded, folded_value, name, value, label = bucket["key"].split(SEPARATOR)
        count = bucket["doc_count"]
        spellings.setdefault(folded, Counter())[name] += count
        known = values.setdefault(folded, {})
        if (before := known.get(folded_value)) is not None:  # the same, spelled in another way
            value, count, label = before.value, before.count + count, before.label
        known[folded_value] = FacetValue(value, count, label)
    return {
        folded: Facet(min(names, key=lambda name: (-names[name], name)), _ordered(values[folded].values()))
        for folded, names in spellings.items()
    }


def shown(counted: Counted, chosen: Counted, total: int) -> dict[str, list[FacetValue]]:
    """What a buyer can use: category, brand, then the facets most products have; the chosen ones always.

    Args:
        chosen: the facets chosen from, counted without their own choice (`with_choices`).
    """
    dividing = {
        name: Facet(facet.name, facet.values[:VALUES_MAX])
        for name, facet in counted.items()
        if any(value.count < total for value in facet.values) and not _names_products(facet)
    }
    facets = dividing | chosen
    covered = {name: sum(value.count for value in facet.values) for name, facet in facets.items()}
    order = sorted(facets, key=lambda name: (name not in _FIRST, -covered[name], name))
    return {
        facets[name].name: facets[name].values
        for place, name in enumerate(order)
        if place < FACETS_MAX or name in chosen
    }


def _names_products(facet: Facet) -> bool:
    """Many values that hardly any two products share, such as exact dimensions: a list of products again."""
    shared = sum(value.count > 1 for value in facet.values)
    return len(facet.values) > SINGLES_MAX and shared < len(facet.values) / 5


def with_choices(facet: Facet, name: str, choices: Iterable[str]) -> Facet:
    """A chosen facet goes by the `name` it was asked by, and shows what was chosen: also what is rare and
    what nothing has any more.
    """
    wanted = {fold(choice): choice for choice in choices}
    values = [
        value
        for place, value in enumerate(facet.values)
        if place < VALUES_MAX or wanted.keys() & {fold(value.value)}
    ]
    known = {fold(value.value) for value in values}
    gone = [FacetValue(choice, 0, choice) for folded, choice in wanted.items() if folded not in known]
    return Facet(name, [*values, *gone])


def _ordered(values: Iterable[FacetValue]) -> list[FacetValue]:
    return sorted(values, key=lambda value: (-value.count, value.label))
