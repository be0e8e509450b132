"""Words: how text becomes the terms that are indexed, and how a buyer's query becomes words to look for.

Case and accents are folded, apostrophes closed (`Men's` is `mens`), all else that is no letter or digit
separates. Words are indexed as written; plurals are a matter of the query, which asks for both forms, so that
no stemmer takes `universe` for `university`. Any input whatsoever is a list of words, perhaps an empty one.
Pure but for tantivy's analyzer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from tantivy import Filter, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

WORD_MAX = 40  # letters; what is longer is no word
QUERY_MAX = 200  # characters of a query that are read
WORDS_MAX = 10  # of a query: each costs a dozen term look-ups

STOP_WORDS: Final = frozenset([
    "a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "in", "into", "is", "it", "of", "on",
    "or", "our", "that", "the", "their", "this", "to", "with", "you", "your",
])  # fmt: skip
#: Words whose `s` is no plural, or whose plural means something else.
INVARIABLE: Final = frozenset(
    ["always", "bus", "gas", "goods", "lens", "news", "plus", "series", "shorts", "species"]
)
_IRREGULAR_PAIRS = (
    "child children|foot feet|goose geese|knife knives|leaf leaves|life lives|loaf loaves|man men|mouse mice"
    "|person people|scarf scarves|shelf shelves|tooth teeth|wife wives|woman women|wolf wolves"
)
_IRREGULAR: Final[dict[str, str]] = {
    word: other for pair in _IRREGULAR_PAIRS.split("|") for word, other in (pair.split(), pair.split()[::-1])
}
_APOSTROPHE = re.compile(r"(?<=\w)['’ʼ`´](?=\w)")
_COMPOUND = re.compile(r"(?<!\w)\w+(?:[-–‑./&+]\w+)+")
_SHORT: Final = 100
_SPACES = re.compile(r"[\s\x00-\x1f\x7f]+")


def analyzer() -> TextAnalyzer:
    """How text fields are cut into words; registered with every index that is opened."""
    builder = TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.remove_long(WORD_MAX))
    return builder.filter(Filter.lowercase()).filter(Filter.ascii_fold()).build()


_words = analyzer()
_whole = TextAnalyzerBuilder(Tokenizer.raw()).filter(Filter.lowercase()).filter(Filter.ascii_fold()).build()


def clean(text: str) -> str:
    """`text` as it is indexed: composed characters, apostrophes inside words closed."""
    return _APOSTROPHE.sub("", unicodedata.normalize("NFKC", text))


def tokens(text: str) -> list[str]:
    found: list[str] = _words.analyze(clean(text))
    return found


def fold(text: str) -> str:
    """The whole text in one spelling: case, accents and spaces folded; for names and values of facets."""
    return _known_fold(text) if len(text) <= _SHORT else _fold(text)


def _fold(text: str) -> str:
    composed = _SPACES.sub(" ", unicodedata.normalize("NFKC", text)).strip()
    return "".join(_whole.analyze(composed))


_known_fold = lru_cache(8_192)(_fold)  # the same names and values come with every product


def code(text: str) -> str:
    """A SKU or barcode without what people leave out when they type it: `AB-12 3` is `ab123`."""
    return "".join(char for char in fold(text) if char.isalnum())


def compounds(text: str) -> list[str]:
    """The compound words of `text` written as one: `T-Shirt` gives `tshirt`."""
    return ["".join(tokens(found)) for found in _COMPOUND.findall(clean(text))]


def pairs(words: Sequence[str]) -> list[str]:
    """Neighbours written as one: `hair dryer` gives `hairdryer`."""
    return [left + right for left, right in pairwise(words) if left.isalpha() and right.isalpha()]


class Word(NamedTuple):
    """One word of a query; a compound has several `parts`, and may also be written as one (`joined`)."""

    parts: tuple[str, ...]
    joined: str

    @property
    def single(self) -> bool:
        return len(self.parts) == 1


class Words(NamedTuple):
    """A query: what must be found, all tokens in order for phrases, and the whole as it may be a code."""

    words: tuple[Word, ...]
    phrase: tuple[str, ...]
    code: str


def read(text: str) -> Words:
    """A buyer's query. Stop words are dropped unless there is nothing else."""
    cut = clean(text[: 4 * QUERY_MAX])[:QUERY_MAX]
    found = [tuple(_words.analyze(chunk)) for chunk in cut.split()]
    found = [parts for parts in found if parts][:WORDS_MAX]
    meant = [parts for parts in found if len(parts) > 1 or parts[0] not in STOP_WORDS] or found
    words = tuple(Word(parts[:WORDS_MAX], "".join(parts)[:WORD_MAX]) for parts in meant)
    phrase = tuple(part for parts in found for part in parts)[: 2 * WORDS_MAX]
    return Words(words, phrase, code(cut)[: 2 * WORD_MAX])


def edits(word: str) -> int:
    """How many typing errors in `word` are forgiven: none in short words and in anything with digits."""
    if len(word) < 4 or not word.isalpha():
        return 0
    return 1 if len(word) < 8 else 2


def forms(word: str) -> list[str]:
    """The other number of an English noun: plural of a singular, singulars of a plural. Guesses that are
    no words do no harm, since they are in no index.
    """
    if len(word) < 3 or not word.isalpha() or word in INVARIABLE:
        return []
    if word in _IRREGULAR:
        return [_IRREGULAR[word]]
    guesses = [*_singulars(word), _plural(word)]
    return [guess for guess in guesses if guess not in INVARIABLE and guess != word]


def _singulars(word: str) -> list[str]:
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return []
    found = [word[:-1]]
    if word.endswith(("ches", "shes", "xes", "ses", "zes", "oes")):
        found.append(word[:-2])
    elif word.endswith("ies") and len(word) > 4:
        found.append(word[:-3] + "y")
    return found


def _plural(word: str) -> str:
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


def distance(left: str, right: str, limit: int) -> int:
    """Typing errors between two words (a swap of neighbours is one); `limit + 1` for more than `limit`."""
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, char in enumerate(left, 1):
        current = [i]
        for j, other in enumerate(right, 1):
            best = min(row[j] + 1, current[j - 1] + 1, row[j - 1] + (char != other))
            if i > 1 and j > 1 and char == right[j - 2] and left[i - 2] == other:
                best = min(best, before[j - 2] + 1)
            current.append(best)
        before, row = row, current
    return min(row[-1], limit + 1)
