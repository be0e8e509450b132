"""How amounts, times, names of browsers and descriptions read; and what reading a form makes of what was
typed.
"""

from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Annotated, Literal
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopwright.contracts.money import Money
from shopwright.contracts.problems import FieldError, InvalidInput, NotFound
from shopwright.web import formatting, prose
from shopwright.web.clients.reading import Category, Product, Variant, find_category, tree_of
from shopwright.web.forms import Form, plain_words
from shopwright.web.rendering import query_text, script_json, without
from shopwright.web.storefront.catalogue import choices
from shopwright.web.visit import local_path


class TestMoney:
    @pytest.mark.parametrize(
        ("amount", "currency", "text"),
        [
            (1_999, "EUR", "€19.99"),
            (0, "EUR", "€0.00"),
            (-500, "EUR", "−€5.00"),
            (123_456_789, "USD", "$1,234,567.89"),
            (1_999, "JPY", "¥1,999"),
            (1_999, "KWD", "KWD\xa01.999"),
            (1_999, "CHF", "CHF\xa019.99"),
        ],
    )
    def test_reads_as_its_currency_is_written(self, amount, currency, text):
        assert formatting.money(Money(amount, currency)) == text

    def test_is_nothing_where_there_is_none(self):
        assert formatting.money(None) == ""

    @given(st.integers(-(10**15), 10**15), st.sampled_from(["EUR", "JPY", "KWD"]))
    def test_loses_no_digit(self, amount, currency):
        digits = "".join(c for c in formatting.money(Money(amount, currency)) if c.isdigit())

        assert int(digits) == abs(amount)


class TestTime:
    def test_reads_to_the_minute_and_says_its_zone(self):
        when = datetime(2026, 11, 24, 8, 5, 59, tzinfo=UTC)

        assert formatting.moment(when) == "Nov 24, 2026, 08:05 UTC"
        assert formatting.moment("2026-11-24T10:05:00+02:00") == "Nov 24, 2026, 08:05 UTC"
        assert formatting.timestamp(when) == "2026-11-24T08:05:59Z"

    @pytest.mark.parametrize(
        ("least", "most", "text"),
        [
            (2, 4, "2–4 working days"),
            (1, 1, "1 working day"),
            (0, 1, "Within 1 working day"),
            (0, 0, "Today"),
            (None, None, ""),
        ],
    )
    def test_delivery_reads_in_days(self, least, most, text):
        assert formatting.days_text(least, most) == text


class TestBrowserName:
    @pytest.mark.parametrize(
        ("agent", "name"),
        [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18 Safari/604",
                "Safari on iPhone",
            ),
            ("curl/8.5.0", "curl"),
            ("", "Unknown device"),
        ],
    )
    def test_is_what_a_person_calls_it(self, agent, name):
        assert formatting.browser_name(agent) == name


class TestProse:
    @pytest.mark.parametrize(
        ("written", "shown"),
        [
            ("one\n\ntwo", "<p>one</p>\n<p>two</p>"),
            ("a < b\n\nc", "<p>a &lt; b\n\nc</p>"),
            ("<p>a<p>b", "<p>a</p><p>b</p>"),
            ("<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"),
            ("<b>a</p>", "<b>a</b>"),
            ("<div>a</div>", "<p>a</p>"),
            ("<a href='javascript:x'>a</a>", "<p>a</p>"),
            ("<p style='x'>a</p>", "<p>a</p>"),
            ("<p>&lt;script&gt;</p>", "<p>&lt;script&gt;</p>"),
            ("", ""),
        ],
    )
    def test_keeps_what_is_harmless(self, written, shown):
        assert prose.clean(written) == shown

    @given(st.text(alphabet="<>/ab\"'=& \n!-pulisrctyeonvgh", max_size=60))
    def test_is_balanced_and_holds_no_tag_or_attribute_of_anybody(self, written):
        shown = str(prose.clean(written))

        allowed = {"p", "ul", "ol", "li", "h3", "h4", "blockquote", "strong", "em", "b", "i", "br"}
        tags = Tags(shown)
        assert set(tags.opened) <= allowed
        assert tags.attributes == []
        assert tags.unbalanced == []

    def test_plain_words_leave_scripts_out(self):
        assert prose.plain("<p>One &amp; two</p><script>x()</script><p>three</p>") == "One & two three"


class Tags:
    """The tags of a piece of HTML."""

    def __init__(self, html):
        self.opened, self.attributes, self.unbalanced = [], [], []
        outer, still = self, self.unbalanced

        class Reader(HTMLParser):
            def handle_starttag(self, tag, attrs):
                outer.opened.append(tag)
                outer.attributes += attrs
                if tag != "br":
                    still.append(tag)

            def handle_endtag(self, tag):
                assert still.pop() == tag

        Reader().feed(html)


class TestForm:
    def test_puts_a_refusal_beside_its_field_and_the_rest_on_top(self):
        form = Form({"city": "x"})

        form.refuse(
            InvalidInput(errors=[FieldError("/address/city", "is odd"), FieldError("/moon", "is full")]),
            ["city"],
        )

        assert form.errors == {"city": "Is odd", "": "Is full"}

    def test_says_the_title_of_a_refusal_that_names_no_field(self):
        form = Form({})

        form.refuse(NotFound(), ["city"])

        assert form.errors == {"": "There is no such thing here"}

    @pytest.mark.parametrize(
        ("typed", "number"),
        [
            ("5", 5),
            ("-2", 0),
            ("1000", 999),
            ("", 1),
            ("x", 1),
            ("--5", 1),
            ("5.5", 1),
            ("٣", 1),
            ("9" * 40, 1),
            ("1e3", 1),
        ],
    )
    def test_a_number_is_within_its_bounds_whatever_was_typed(self, typed, number):
        assert Form({"n": typed}).number("n", 0, 999, 1) == number

    def test_keeps_what_may_be_shown_again(self):
        typed = {"name": "Ada", "password": "p", "current": "c", "new": "n", "otp": "1", "form_token": "t"}

        assert Form(typed).kept == {"name": "Ada"}

    @pytest.mark.parametrize(
        "address", ["", "a", "a@b", "a b@c.example", "@c.example", "a@c.example\nbcc:x@y.example"]
    )
    def test_knows_what_is_no_address(self, address):
        form = Form({"email": address})

        form.require_email()

        assert "email" in form.errors


class TestLocalPath:
    @pytest.mark.parametrize("path", ["/", "/account", "/search?q=a&next=https://x.example", "/a//b", "/é"])
    def test_keeps_what_stays_here(self, path):
        assert local_path(path) == path

    @given(st.text(alphabet="/\\:.?#@ehtpsx\t\r\n ", max_size=12))
    def test_leads_nowhere_else(self, path):
        kept = local_path(path)

        assert kept.startswith("/")
        assert not kept.startswith(("//", "/\\"))
        assert not set(kept) & set("\t\r\n")


class TestAddresses:
    def test_leave_out_what_is_empty_and_repeat_what_is_many(self):
        assert (
            query_text({"q": "a b", "page": None, "colour": ["red", "blue"], "empty": ""})
            == "?q=a+b&colour=red&colour=blue"
        )
        assert query_text({"q": ""}) == ""

    def test_take_one_filter_away(self):
        chosen = {"colour": ["red", "blue"], "material": ["oak"]}

        assert without({"q": "a"}, chosen, "colour", "red") == {
            "q": "a",
            "colour": ["blue"],
            "material": ["oak"],
        }
        assert without({"price_min": "1"}, {}, "price", "") == {"price_min": "", "price_max": ""}

    def test_structured_data_cannot_end_its_element(self):
        assert "<" not in script_json({"a": "</script><!--"})


class TestReading:
    def test_takes_a_product_of_a_release_that_sends_less_or_more(self):
        product = msgspec.convert({"id": "1", "slug": "a", "name": "A", "colour_of_the_moon": 3}, Product)

        assert (product.variants, product.price, product.many_prices) == ([], None, False)

    def test_makes_a_tree_of_categories_and_leaves_none_out_whose_parent_is_unknown(self):
        rows = [("a", None), ("b", "a"), ("c", "b"), ("d", "nowhere")]
        flat = [Category(slug=slug, name=slug, parent=parent) for slug, parent in rows]

        tree = tree_of(flat)

        assert [category.slug for category in tree] == ["a", "d"]
        assert [category.slug for category in find_category(tree, "c")] == ["a", "b", "c"]
        assert find_category(tree, "nowhere") == []

    def test_a_choice_keeps_the_other_options_where_it_can(self):
        variants = [
            Variant(id=sku, sku=sku, available=1, options={"colour": sku[:-2], "size": sku[-1]})
            for sku in ("red-s", "red-l", "blue-s", "blue-l")
        ]
        product = Product(id="1", slug="a", name="A", variants=variants)

        found = choices(product, product.variants[1])

        assert {c["name"]: [(v, variant.sku) for v, variant in c["values"]] for c in found} == {
            "colour": [("red", "red-l"), ("blue", "blue-l")],
            "size": [("s", "red-s"), ("l", "red-l")],
        }


class TestPlainWords:
    @pytest.mark.parametrize(
        ("value", "expected", "told"),
        [
            ("a" * 9, Annotated[str, msgspec.Meta(max_length=8)], "Use at most 8 characters"),
            ("", Annotated[str, msgspec.Meta(min_length=1)], "Fill this in"),
            ("a", Annotated[str, msgspec.Meta(min_length=8)], "Use at least 8 characters"),
            ("a", Annotated[str, msgspec.Meta(pattern="^[A-Z]$")], "This is not written as it should be"),
            (0, Annotated[int, msgspec.Meta(ge=1)], "Enter at least 1"),
            (9, Annotated[int, msgspec.Meta(le=8)], "Enter at most 8"),
            ("a", int, "Enter a number"),
            (None, str, "This is not written as it should be"),
            ("a", Literal["b"], "This is not written as it should be"),
            ("a", UUID, "This is not written as it should be"),
        ],
    )
    def test_replace_those_of_the_decoder(self, value, expected, told):
        with pytest.raises(msgspec.ValidationError) as refused:
            msgspec.convert(value, expected)

        assert plain_words(str(refused.value)) == told

    @pytest.mark.parametrize(
        ("said", "told"),
        [("is required", "Fill this in"), ("a line holds at most 9", "A line holds at most 9")],
    )
    def test_leave_those_of_a_service(self, said, told):
        assert plain_words(said) == told
