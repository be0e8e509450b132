"""What is asked, as tantivy's query objects; its query language is never used, so no input is an operator.

A product's score is the sum over words of the best place the word was found in. Scores are constants, not
BM25: a product scores the same whatever else is indexed, so a page's end can be found again after any change.
Exact words stand above other forms, those above beginnings, all of them above guesses at typing errors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import Any, Final

from tantivy import FieldType, Occur, Query

from .domain import Ask
from .schema import filter_term, prices_in
from .words import Word, Words, code, edits, fold, forms

MUST, SHOULD = Occur.Must, Occur.Should

#: What finding a word there is worth.
FIELDS: Final = {"name": 10.0, "keywords": 5.0, "summary": 2.5, "description": 1.0}
#: Beginnings and guesses are not looked for in descriptions: they would mean nothing there.
_SHORT_FIELDS: Final = ("name", "keywords", "summary")

FORM: Final = 0.97  # another number of the same word
PREFIX: Final = 0.8  # the last word is still being typed
GUESS: Final = {1: 0.05, 2: 0.03}  # by typing errors: the best guess (0.5) is worth less than any exact word
ALSO: Final = 0.1  # of what else was found of the same word
CODE_WHOLE: Final = 1_000.0  # the query is a SKU or barcode
CODE_WORD: Final = 12.0  # one of its words is
CODE_PREFIX: Final = 3.0  # it begins one
CODE_PREFIX_MIN: Final = 4  # characters, one of them a digit
TITLE: Final = 20.0  # the query is the whole name
PHRASE: Final = 4.0  # the name has the words side by side


class Level(IntEnum):
    """How strictly words are matched; each is tried when the one before finds nothing."""

    EXACT = 0
    GUESS = 1
    SOME = 2  # most of the words will do


def nothing() -> Any:
    return Query.empty_query()


def text(schema: Any, words: Words, level: Level) -> Any:
    """Products that have the words of a query; at least one word."""
    clauses = [_word(schema, word, level, last=word is words.words[-1]) for word in words.words]
    if level is Level.SOME:
        wanted = Query.boolean_query(
            [(SHOULD, clause) for clause in clauses], minimum_number_should_match=max(1, len(clauses) // 2)
        )
    else:
        wanted = Query.boolean_query([(MUST, clause) for clause in clauses])
    found = [(SHOULD, wanted), *((SHOULD, query) for query in _codes(schema, words))]
    bonus = [(SHOULD, _constant(schema, "title", " ".join(words.phrase), TITLE))]
    if len(words.phrase) > 1:
        side_by_side = Query.phrase_query(schema, "name", list(words.phrase))
        bonus.append((SHOULD, Query.const_score_query(side_by_side, PHRASE)))
    return Query.boolean_query([(MUST, Query.boolean_query(found)), *bonus])


def near(schema: Any, word: str) -> Any:
    """Products that have something like `word` where it is a name of something."""
    guesses = [
        Query.const_score_query(Query.fuzzy_term_query(schema, field, word, errors), FIELDS[field] / errors)
        for field in ("name", "keywords")
        for errors in range(1, edits(word) + 1)
    ]
    return Query.disjunction_max_query(guesses) if guesses else nothing()


def conditions(schema: Any, ask: Ask, slots: Mapping[str, int], *, without: str = "") -> list[Any]:
    """What must hold besides the words, without influence on the score; `without`: but for one facet."""
    if ask.currency is not None and ask.currency not in slots:
        return [nothing()]
    found = [Query.term_query(schema, "currency", ask.currency, "basic")] if ask.currency else []
    if ask.price_min is not None or ask.price_max is not None:
        limits = (ask.price_min, ask.price_max)
        field = f"price_{prices_in(ask.currency, slots)}"
        found.append(Query.range_query(schema, field, FieldType.Integer, *limits))
    for name, values in ask.choices.items():
        if fold(name) != without:
            terms = [filter_term(name, value) for value in values]
            found.append(Query.term_set_query(schema, "filter", terms))
    return [Query.const_score_query(query, 0.0) for query in found]


def together(wanted: Any, conditions: list[Any]) -> Any:
    return Query.boolean_query([(MUST, wanted), *((MUST, condition) for condition in conditions)])


def _codes(schema: Any, words: Words) -> Iterator[Any]:
    if words.code:
        yield _constant(schema, "code", words.code, CODE_WHOLE)
        if len(words.code) >= CODE_PREFIX_MIN and any(char.isdigit() for char in words.code):
            yield Query.const_score_query(_beginning(schema, "code", words.code), CODE_PREFIX)


def _word(schema: Any, word: Word, level: Level, *, last: bool) -> Any:
    if word.single:
        return Query.disjunction_max_query(list(_places(schema, word.joined, level, last=last)), ALSO)
    apart = [
        (MUST, Query.disjunction_max_query(list(_places(schema, part, level, last=ends)), ALSO))
        for place, part in enumerate(word.parts, 1)
        for ends in [last and place == len(word.parts)]
    ]
    as_one = Query.disjunction_max_query(list(_places(schema, word.joined, level, last=last)), ALSO)
    return Query.disjunction_max_query([Query.boolean_query(apart), as_one])


def _places(schema: Any, word: str, level: Level, *, last: bool) -> Iterator[Any]:
    others = forms(word)
    for field, worth in FIELDS.items():
        yield _constant(schema, field, word, worth)
        for other in others:
            yield _constant(schema, field, other, worth * FORM)
    yield _constant(schema, "code", code(word), CODE_WORD)
    for field in _SHORT_FIELDS:
        if last:
            yield Query.const_score_query(_beginning(schema, field, word), FIELDS[field] * PREFIX)
        if level is not Level.EXACT:
            for errors in range(1, edits(word) + 1):
                guess = Query.fuzzy_term_query(schema, field, word, errors, prefix=last and len(word) > 4)
                yield Query.const_score_query(guess, FIELDS[field] * GUESS[errors])


def _constant(schema: Any, field: str, term: str, score: float) -> Any:
    return Query.const_score_query(Query.term_query(schema, field, term, "basic"), score)


def _beginning(schema: Any, field: str, word: str) -> Any:
    return Query.fuzzy_term_query(schema, field, word, 0, prefix=True)
