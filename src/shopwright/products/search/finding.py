"""One search over one state of the index: level, page, total, facets, spelling.

Synchronous; `index.py` runs it in a thread.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from tantivy import Query

from shopwright.chassis.validation import invalid

from . import facets, pages, queries
from .domain import DEPTH_MAX, Ask, Found, PageTooDeep, Position, Suggestion, SuggestionKind
from .pages import State
from .queries import Level
from .schema import RESERVED
from .words import Words, distance, edits, fold, forms, read, tokens

FEW: Final = 3  # fewer than so many exact results are worth a suggestion
_SIMILAR: Final = 50  # products that are looked at for a better spelling
_NAMED: Final[tuple[SuggestionKind, ...]] = ("category", "brand")


def find(state: State, ask: Ask) -> Found:
    """Raises PageTooDeep, InvalidInput for a cursor of another list."""
    words = read(ask.text)
    ask = _known(state, ask)
    if ask.text.strip() and not words.words:
        return Found(ids=[], total=0, facets={})
    if ask.sort == "relevance" and not words.words:
        ask = msgspec.structs.replace(ask, sort="newest")  # without words nothing is more relevant
    _check(ask)
    conditions = queries.conditions(state.schema, ask, state.slots)
    for level in _levels(state, words, ask):
        wanted = queries.text(state.schema, words, level) if words.words else Query.all_query()
        query = queries.together(wanted, conditions)
        page = pages.read(state, query, ask)
        if page.total:
            break
    exact = page.total if level is Level.EXACT else 0
    return Found(
        ids=[state.kept(address).id for address in page.addresses],
        total=page.total,
        facets=_facets(state, wanted, query, ask, page.total),
        next=_next(ask, level, page) if page.more else None,
        suggestion=_better(state, words, ask, exact) if words.words and exact < FEW else None,
    )


def suggest(state: State, text: str, currency: str | None, limit: int) -> list[Suggestion]:
    """Categories and brands whose names are being typed, then products."""
    words = read(text)
    if not words.words:
        return []
    ask = Ask(text=text, currency=currency)
    level = _level(state, words, currency)
    found = queries.together(
        queries.text(state.schema, words, level), queries.conditions(state.schema, ask, state.slots)
    )
    hits = state.searcher.search(found, limit, count=False, weight_by_field="weight").hits
    products = [
        Suggestion(kept.name, kept.slug, "product") for kept in (state.kept(address) for _, address in hits)
    ]
    counted = facets.count(state.searcher, found)
    named = [
        Suggestion(value.label, value.value if kind == "category" else None, kind)
        for kind in _NAMED
        if kind in counted
        for value in counted[kind].values
        if _begins(words, value.label)
    ]
    return [*named[: limit // 2], *products][:limit]


def _begins(words: Words, label: str) -> bool:
    """Whether every word of the query begins a word of `label`."""
    of_label = tokens(label)
    return all(any(one.startswith(part) for one in of_label) for part in words.phrase)


def _known(state: State, ask: Ask) -> Ask:
    """`ask` without choices of facets that no product has: those parameters are not ours (`utm_source`)."""
    kept = {
        name: values
        for name, values in ask.choices.items()
        if values and (name in RESERVED or state.searcher.doc_freq("attribute", fold(name)))
    }
    return msgspec.structs.replace(ask, choices=kept)


def _fingerprint(ask: Ask) -> int:
    same = (ask.text, ask.choices, ask.price_min, ask.price_max, ask.currency, ask.sort)
    return zlib.crc32(msgspec.json.encode(same, order="sorted"))


def _check(ask: Ask) -> None:
    if ask.after is None:
        return
    if ask.after.query != _fingerprint(ask) or not pages.fits(ask.after, ask.sort):
        raise invalid("/query/cursor", "belongs to another search; leave it out for the first page")
    if ask.after.passed + ask.limit > DEPTH_MAX:
        raise PageTooDeep(detail=f"only the first {DEPTH_MAX} results can be paged through")


def _levels(state: State, words: Words, ask: Ask) -> Iterable[Level]:
    """The levels to try, until one finds something. Facets and prices have no say: choosing one must not
    bring in products that only resemble the words. Later pages stay with the level of the first.
    """
    if ask.after is not None:
        return [Level(ask.after.level)]
    if not words.words:
        return [Level.EXACT]
    if ask.choices or ask.price_min is not None or ask.price_max is not None:
        return [_level(state, words, ask.currency)]
    return Level


def _level(state: State, words: Words, currency: str | None) -> Level:
    """The first level at which anything on sale has the words."""
    on_sale = queries.conditions(state.schema, Ask(currency=currency), state.slots)
    for level in Level:
        query = queries.together(queries.text(state.schema, words, level), on_sale)
        if state.searcher.search(query, 1).count:
            return level
    return Level.EXACT


def _next(ask: Ask, level: Level, page: pages.Page) -> Position:
    passed = (ask.after.passed if ask.after else 0) + len(page.addresses)
    return Position(ask.sort, page.value, page.tie, passed, int(level), _fingerprint(ask))


def _facets(state: State, wanted: Any, query: Any, ask: Ask, total: int) -> dict[str, Any]:
    counted = facets.count(state.searcher, query) if total else {}
    chosen: facets.Counted = {}
    for name, values in ask.choices.items():
        others = queries.conditions(state.schema, ask, state.slots, without=fold(name))
        alone = facets.count(state.searcher, queries.together(wanted, others))
        facet = alone.get(fold(name), facets.Facet(name, []))
        chosen[fold(name)] = facets.with_choices(facet, name, values)
    return facets.shown(counted, chosen, total)


def _better(state: State, words: Words, ask: Ask, exact: int) -> str | None:
    """The query with the words that nothing has replaced by what they most resemble, if more is found so."""
    corrected = [_spelling(state, part) for part in words.phrase]
    if corrected == list(words.phrase):
        return None
    text = " ".join(corrected)
    on_sale = queries.conditions(state.schema, Ask(currency=ask.currency), state.slots)
    query = queries.together(queries.text(state.schema, read(text), Level.EXACT), on_sale)
    return text if state.searcher.search(query, 1).count > exact else None


def _spelling(state: State, word: str) -> str:
    searcher = state.searcher
    if any(searcher.doc_freq(field, form) for field in queries.FIELDS for form in (word, *forms(word))):
        return word
    hits = searcher.search(queries.near(state.schema, word), _SIMILAR, count=False).hits
    seen: Counter[str] = Counter()
    for _, address in hits:
        kept = state.kept(address)
        seen.update(set(tokens(" ".join((kept.name, kept.brand, *kept.categories)))))
    allowed = edits(word)
    near = {other: distance(word, other, allowed) for other in seen}
    candidates = [other for other, errors in near.items() if errors <= allowed]
    return min(candidates, key=lambda other: (near[other], -seen[other], other), default=word)
