"""Words of products and queries: folded, cut, put into the other number, and compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopwright.products.search import words
from shopwright.products.search.schema import SEPARATOR, name_keys


class TestTokens:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("Crème BRÛLÉE Ångström", ["creme", "brulee", "angstrom"]),
            ("Cre\u0300me", ["creme"]),
            ("Straße", ["strasse"]),
            ("Men's D’Addario", ["mens", "daddario"]),
            ("T-Shirt, USB-C/500 ml", ["t", "shirt", "usb", "c", "500", "ml"]),
            ("ｆｕｌｌ width ２", ["full", "width", "2"]),
            ("茶碗 🙂", ["茶碗"]),
        ],
    )
    def test_are_folded_and_cut(self, text, expected):
        assert words.tokens(text) == expected

    def test_codes_lose_what_people_leave_out(self):
        assert words.code(" Ab-12/3 ") == words.code("AB 123") == "ab123"


class TestForms:
    @pytest.mark.parametrize(
        ("plural", "singular"),
        [
            ("lamps", "lamp"), ("boxes", "box"), ("dresses", "dress"), ("batteries", "battery"),
            ("cookies", "cookie"), ("vases", "vase"), ("knives", "knife"), ("gloves", "glove"),
            ("women", "woman"), ("watches", "watch"), ("potatoes", "potato"), ("toys", "toy"),
        ],
    )  # fmt: skip
    def test_know_the_other_number(self, plural, singular):
        assert singular in words.forms(plural)
        assert plural in words.forms(singular) or singular == "potato"

    @pytest.mark.parametrize(
        "word", ["glass", "bus", "tennis", "news", "lens", "shorts", "series", "usb3", "xs"]
    )
    def test_take_no_letter_from_what_is_no_plural(self, word):
        assert word[:-1] not in words.forms(word)

    def test_short_is_not_one_of_shorts(self):
        assert "shorts" not in words.forms("short")


class TestRead:
    def test_drops_stop_words_unless_there_is_nothing_else(self):
        assert [word.joined for word in words.read("the lamp for a desk").words] == ["lamp", "desk"]
        assert [word.joined for word in words.read("the who").words] == ["who"]
        assert [word.joined for word in words.read("it").words] == ["it"]

    def test_keeps_compounds_together(self):
        assert words.read("red t-shirt").words[1] == words.Word(("t", "shirt"), "tshirt")

    @given(st.text(max_size=20_000))
    def test_takes_anything(self, text):
        found = words.read(text)

        assert len(found.words) <= words.WORDS_MAX
        assert all(word.joined and all(word.parts) for word in found.words)


class TestDistance:
    @pytest.mark.parametrize(
        ("left", "right", "errors"),
        [("chair", "chair", 0), ("chiar", "chair", 1), ("chir", "chair", 1), ("lamq", "lamp", 1),
         ("headphnoes", "headphones", 1), ("hedphonse", "headphones", 2), ("lamp", "table", 3)],
    )  # fmt: skip
    def test_counts_typing_errors(self, left, right, errors):
        assert words.distance(left, right, 2) == errors

    @pytest.mark.parametrize(("word", "errors"), [("mug", 0), ("lamp", 1), ("headphones", 2), ("a45678", 0)])
    def test_longer_words_are_forgiven_more_and_codes_nothing(self, word, errors):
        assert words.edits(word) == errors


sort_names = st.lists(st.text(alphabet="abz059é茶", min_size=1, max_size=14), min_size=1, max_size=4).map(
    lambda parts: " ".join(parts) + SEPARATOR + "f"
)


class TestNameKeys:
    @given(sort_names, sort_names)
    def test_sort_as_names_do(self, left, right):
        if left <= right:
            assert name_keys(left) <= name_keys(right)

    @given(sort_names)
    def test_fit_64_bits(self, name):
        assert all(0 <= key < 2**63 for key in name_keys(name))
