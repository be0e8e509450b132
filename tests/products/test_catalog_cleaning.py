"""What becomes of a draft before it is stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopwright.contracts.problems import FieldError
from shopwright.products.catalog.cleaning import clean, clean_html, one_line, plain_text, slug_of, sort_key
from shopwright.products.testing import a_product, a_variant, price


def faults(**changes):
    found = clean(a_product(**changes))
    return [fault.pointer for fault in found] if isinstance(found, list) else []


class TestDescriptions:
    @pytest.mark.parametrize(
        "hostile",
        [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "<a href='javascript:alert(1)'>x</a>",
            "<a href=' java\nscript:alert(1)'>x</a>",
            "<svg onload=alert(1)><p>",
            "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
            "<style>*{background:url(https://evil.example)}</style>",
            "<math><mtext><table><mglyph><style><!--</style><img src=x onerror=alert(1)>",
            "<p style='position:fixed'>x</p>",
            "<form action=https://evil.example><input name=card></form>",
        ],
    )
    def test_keep_no_script_style_or_form(self, hostile):
        cleaned = clean_html(f"<p>good</p>{hostile}").lower()

        assert "<p>good</p>" in cleaned
        for bad in ("script", "onerror", "onload", "style", "iframe", "<img", "<form", "<input", "evil"):
            assert bad not in cleaned

    def test_keep_what_shops_write(self):
        text = '<h2>Size</h2><ul><li>12 cm</li></ul><table><tr><td colspan="2">x</td></tr></table>'

        assert "<ul><li>12 cm</li></ul>" in clean_html(text)
        assert 'colspan="2"' in clean_html(text)

    def test_of_plain_text_become_paragraphs(self):
        assert (
            clean_html("Tom & Jerry\nsay 1 > 0\n\nBye") == "<p>Tom &amp; Jerry<br>say 1 &gt; 0</p><p>Bye</p>"
        )

    @given(st.text() | st.from_regex(r"(<(p|b|br|h2|li|x)( [a-z]+=.)?>|</(p|b|li)>|[a-z&<> ]){0,20}"))
    def test_cleaned_twice_are_the_same(self, text):
        once = clean_html(text)

        assert clean_html(once) == once

    def test_read_as_words(self):
        assert plain_text("<p>Tom &amp; Jerry</p><ul><li>one</li><li>two</li></ul>") == "Tom & Jerry one two"


class TestWords:
    def test_lose_control_characters_and_lone_surrogates(self):
        assert one_line("  a\0b\ud800c\n\td ") == "a b c d"

    def test_sort_without_case_and_accents(self):
        assert sorted(["Zebra", "école", "Apfel", "Äpfel"], key=sort_key) == [
            "Apfel",
            "Äpfel",
            "école",
            "Zebra",
        ]

    @given(st.text())
    def test_make_a_slug_that_stays_itself(self, text):
        assert slug_of(slug_of(text)) == slug_of(text)


class TestFaults:
    @pytest.mark.parametrize(
        ("changes", "pointer"),
        [
            ({"name": "x" * 301}, "/name"),
            ({"slug": "01a20cdb-8907-7f64-bea2-6955042a2486"}, "/slug"),
            ({"summary": "x" * 1_001}, "/summary"),
            ({"attributes": {"a/b": ["x" * 1_001]}}, "/attributes/a~1b"),
            ({"categories": [["a"] * 7]}, "/categories/0"),
            ({"categories": [["※"]]}, "/categories/0"),
            ({"variants": [a_variant("")]}, "/variants/0/sku"),
            ({"variants": [a_variant("A"), a_variant("A")]}, "/variants/1/sku"),
            ({"variants": [a_variant("A", -1)]}, "/variants/0/prices/0/price"),
            ({"variants": [a_variant("A", prices=[price(1), price(2)])]}, "/variants/0/prices/1"),
            ({"variants": [a_variant("A", weight_g=-1)]}, "/variants/0/weight_g"),
            ({"variants": [a_variant("A", stock=2**40)]}, "/variants/0/stock"),
            ({"variants": [a_variant("A", picture="javascript:x")]}, "/variants/0/picture"),
        ],
    )
    def test_name_the_field(self, changes, pointer):
        assert faults(**changes) == [pointer]

    def test_are_told_all_at_once(self):
        found = faults(name="", brand="x" * 201, variants=[a_variant("", -1)])

        assert found == ["/name", "/brand", "/variants/0/sku", "/variants/0/prices/0/price"]

    def test_say_what_would_be_right(self):
        assert clean(a_product(brand="x" * 201)) == [
            FieldError("/brand", "must be at most 200 characters, not 201")
        ]
