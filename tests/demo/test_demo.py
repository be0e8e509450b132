"""The demo shop: two hundred products that are complete, consistent and the same every time."""

import re
from collections import Counter
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from shopwright import demo
from shopwright.contracts.money import Money
from shopwright.demo import shop
from shopwright.demo.colours import COLOURED, COLOURS
from shopwright.demo.drawing import DRAWINGS, draw
from shopwright.products.catalog.drafts import ProductDraft
from shopwright.products.catalog.drawings import ATTRIBUTES, ELEMENTS, clean_svg

ITEMS = shop.items()
TABLES = {item.slug: item.table for item in ITEMS}
PICTURES = [picture for item in ITEMS for picture in item.pictures]
SVG = "{http://www.w3.org/2000/svg}"
DRAWN = {
    "svg", "g", "defs", "linearGradient", "radialGradient", "stop", "clipPath", "path", "rect", "circle",
    "ellipse", "line", "polygon", "polyline",
}  # fmt: skip
DEPARTMENTS = {
    "Lighting", "Seating", "Tables", "Storage", "Textiles", "Kitchen", "Tableware", "Garden",
    "Desk and paper", "Kids", "Bath",
}  # fmt: skip


class Heeded(dict):
    """Traits that remember which of them a drawing asked for."""

    def __init__(self, traits):
        super().__init__(traits)
        self.asked = set()

    def get(self, name, default=None):
        self.asked.add(name)
        return super().get(name, default)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    demo.write(folder)
    return folder


@pytest.fixture(scope="module")
def products(folder):
    return [msgspec.json.decode(line) for line in (folder / "products.jsonl").read_bytes().splitlines()]


@pytest.fixture(scope="module")
def variants(products):
    return [variant for product in products for variant in product["variants"]]


def texts(product):
    table = TABLES[product["slug"]]
    return [product["name"], product["summary"], table["text"]]


def file(picture):
    return picture.file


def cents(*amounts):
    return sum(int(Decimal(amount) * 100) for amount in amounts)


class TestRange:
    def test_has_two_hundred_products_that_the_catalogue_understands(self, folder):
        lines = (folder / "products.jsonl").read_bytes().splitlines()

        drafts = [msgspec.json.decode(line, type=ProductDraft, strict=True) for line in lines]

        assert len(drafts) == 200

    def test_fills_every_department_and_leaves_no_category_thin(self, products):
        paths = [tuple(path) for product in products for path in product["categories"]]
        departments = Counter(path[0] for path in paths)

        assert {path[0] for path in paths if len(path) == 2} >= DEPARTMENTS
        assert all(departments[name] >= 12 for name in DEPARTMENTS)

    def test_puts_a_product_only_where_others_are(self, products):
        known = {tuple(product["categories"][0]) for product in products}

        assert {tuple(path) for product in products for path in product["categories"][1:]} <= known

    def test_gives_every_product_and_variant_a_name_of_its_own(self, products, variants):
        for unique in (
            [product["slug"] for product in products],
            [product["name"] for product in products],
            [variant["sku"] for variant in variants],
            [variant["barcode"] for variant in variants],
        ):
            assert [value for value, count in Counter(unique).items() if count > 1] == []

    def test_gives_variants_of_a_product_options_that_differ(self, products):
        for product in products:
            chosen = [tuple(variant["options"].values()) for variant in product["variants"]]
            assert len(chosen) == len(set(chosen)), product["slug"]
            assert len({tuple(variant["options"]) for variant in product["variants"]}) == 1, product["slug"]

    def test_marks_every_variant_with_a_barcode_that_scans(self, variants):
        """GS1: the digits weighted 1 and 3 by turns, the check digit among them, sum to a multiple of ten."""
        for variant in variants:
            digits = [int(digit) for digit in variant["barcode"]]
            assert len(digits) == 13
            assert digits[0] == 2, "2 is for use within a shop: nobody else's product"
            assert (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10 == 0

    def test_knows_the_check_digit_of_a_barcode_from_elsewhere(self):
        assert shop.check_digit("400638133393") == 1

    def test_writes_skus_in_capitals(self, variants):
        assert [
            v["sku"] for v in variants if not re.fullmatch(r"[A-Z]{3}-\d{3}(-[A-Z0-9]+)*", v["sku"])
        ] == []

    def test_weighs_everything(self, variants):
        assert all(variant["weight_g"] > 0 for variant in variants)

    def test_says_what_a_thing_is_made_of_and_where(self, products):
        for product in products:
            assert {"Material", "Made in", "Care", "Dimensions"} <= set(product["attributes"]), product[
                "slug"
            ]
            assert all(value for values in product["attributes"].values() for value in values)

    def test_has_things_in_stock_running_low_and_sold_out(self, variants):
        units = [sum(variant["stock"].values()) for variant in variants]

        assert sum(unit == 0 for unit in units) >= 5
        assert sum(0 < unit <= 3 for unit in units) >= 5
        assert sum(unit > 10 for unit in units) > len(units) * 0.8

    def test_sells_out_only_what_its_table_names(self):
        for item in ITEMS:
            options = item.table.get("options", {})
            values = [" / ".join(variant["options"].values()) for variant in shop.draft(item)["variants"]]
            known = {"*", *values, *(value for each in options.values() for value in each)}
            assert {*item.table.get("gone", []), *item.table.get("low", [])} <= known, item.slug
            assert set(item.table.get("more", {})) <= known, item.slug


class TestPrices:
    @pytest.mark.parametrize(
        ("currency", "amount"),
        [("EUR", 19_00), ("USD", 22_00), ("GBP", 17_00), ("JPY", 3_280), ("KWD", 6_950)],
    )
    def test_converts_nineteen_euros(self, currency, amount):
        assert shop.converted(Money(19_00, "EUR"), currency) == Money(amount, currency)

    def test_prices_every_variant_once_in_every_currency(self, variants):
        for variant in variants:
            assert [each["price"]["currency"] for each in variant["prices"]] == list(shop.PRICE_LISTS)
            assert all(type(each["price"]["amount"]) is int for each in variant["prices"])

    def test_adds_what_an_option_costs_more_to_the_cent(self, products):
        for product in products:
            table = TABLES[product["slug"]]
            for variant in product["variants"]:
                more = [table.get("more", {}).get(value, ["0"])[0] for value in variant["options"].values()]
                euros = variant["prices"][0]
                assert euros["price"]["amount"] == cents(table["price"], *more)
                if "was" in table:
                    assert euros["compare_at"]["amount"] == cents(table["was"], *more)

    @pytest.mark.parametrize(
        ("currency", "rate", "step", "less"),
        [
            ("USD", "1.12", 100, 0),
            ("GBP", "0.87", 100, 0),
            ("JPY", "1.70", 100, 20),
            ("KWD", "3.45", 500, 50),
        ],
    )
    def test_goes_up_to_the_next_price_of_a_label_and_no_further(self, variants, currency, rate, step, less):
        """Minor units: a euro's cent is 1.70 yen and 3.45 fils."""
        place = list(shop.PRICE_LISTS).index(currency)
        for prices in (variant["prices"] for variant in variants):
            exact = prices[0]["price"]["amount"] * Decimal(rate)
            label = prices[place]["price"]["amount"] + less
            assert label % step == 0
            assert 0 <= label - exact < step

    def test_has_reduced_prices_and_all_of_them_are_lower(self, variants):
        reduced = [each for variant in variants for each in variant["prices"] if each["compare_at"]]

        assert len(reduced) >= 5 * len(shop.PRICE_LISTS)
        for each in reduced:
            assert each["price"]["amount"] < each["compare_at"]["amount"]
            assert each["price"]["currency"] == each["compare_at"]["currency"]


class TestTexts:
    def test_tells_of_every_product_in_its_own_words(self, products):
        summaries = Counter(product["summary"] for product in products)
        sentences = Counter(
            sentence
            for product in products
            for sentence in re.split(
                r"(?<=[.?!])\s+", re.sub(r"<[^>]+>", " ", product["description"]).strip()
            )
        )

        assert [text for text, count in summaries.items() if count > 1] == []
        assert [text for text, count in sentences.items() if count > 1] == []

    def test_has_no_slips_of_the_keyboard(self, products):
        for text in (text for product in products for text in texts(product)):
            assert "  " not in text, text
            assert text == text.strip(), text
            assert not re.search(r" [.,;:?!]|[,;:]{2}|\.\.|\t", text), text
            assert not re.search(r"\b(\w+) \1\b", text, re.IGNORECASE), text

    def test_ends_a_summary_and_a_description_with_a_full_stop(self, products):
        assert [p["summary"] for p in products if not p["summary"].endswith(".")] == []
        assert [p["slug"] for p in products if not re.search(r"[.?!]</p>$", p["description"])] == []

    def test_says_enough_and_not_too_much(self, products):
        assert [p["name"] for p in products if not 5 <= len(p["name"]) <= 40] == []
        assert [p["slug"] for p in products if not 20 <= len(p["summary"]) <= 110] == []
        assert [p["slug"] for p in products if not 120 <= len(p["description"]) <= 900] == []

    def test_escapes_what_html_would_take_for_a_tag(self):
        assert shop.description("Salt & pepper <here>") == "<p>Salt &amp; pepper &lt;here&gt;</p>"


class TestPictures:
    def test_draws_every_picture_that_a_product_shows_and_no_other(self, folder, products):
        shown = [picture["source"] for product in products for picture in product["pictures"]]

        assert sorted(shown) == sorted(path.name for path in (folder / "pictures").iterdir())
        assert len(shown) == len(set(shown))

    def test_shows_a_variant_in_its_own_colour(self, products):
        for product in products:
            sources = {picture["source"] for picture in product["pictures"]}
            assert {variant["picture"] for variant in product["variants"]} == sources
            for variant in product["variants"]:
                for value in (variant["options"][name] for name in COLOURED if name in variant["options"]):
                    assert variant["picture"].endswith(f"-{shop.slug(value)}.svg")

    def test_describes_every_picture_to_those_who_do_not_see_it(self, products):
        alts = [picture["alt"] for product in products for picture in product["pictures"]]

        assert all(alts)
        assert len(alts) == len(set(alts))

    @pytest.mark.parametrize("picture", PICTURES, ids=file)
    def test_is_small_plain_and_whole(self, picture):
        content = draw(picture).encode()
        elements = list(ET.fromstring(content).iter())
        ids = [element.get("id") for element in elements if element.get("id")]

        assert len(content) <= 6_144
        assert {element.tag.removeprefix(SVG) for element in elements} <= DRAWN <= ELEMENTS
        assert {name for element in elements for name in element.attrib} <= ATTRIBUTES
        assert len(ids) == len(set(ids))
        assert set(re.findall(rb"url\(#(\w+)\)", content)) == {name.encode() for name in ids}
        assert all(
            re.fullmatch(r"[MLHVCSQTAZ\d\s.,-]+", each.get("d", "M"), re.IGNORECASE) for each in elements
        )
        assert not re.search(rb"nan|inf\b|None|http(?!://www\.w3\.org/2000/svg)", content)

    def test_keeps_all_of_a_picture_when_the_catalogue_cleans_it(self):
        for picture in PICTURES[::7]:
            content = draw(picture).encode()
            cleaned = clean_svg(content)
            assert (cleaned.width, cleaned.height) == (800, 800)
            assert ET.canonicalize(cleaned.content) == ET.canonicalize(content.strip())

    def test_draws_no_two_pictures_alike(self):
        drawn = Counter(draw(picture) for picture in PICTURES)

        assert max(drawn.values()) == 1


class TestLooks:
    @pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.slug)
    def test_is_drawn_by_somebody_and_every_trait_is_heeded(self, item):
        picture = item.pictures[0]
        traits = Heeded(picture.traits)

        assert picture.draw in DRAWINGS
        assert picture.colour in COLOURS
        draw(msgspec.structs.replace(picture, traits=traits))

        assert set(picture.traits) - {"tint"} <= traits.asked

    def test_draws_every_value_of_a_trait_differently(self):
        looks = [item.pictures[0] for item in ITEMS]
        for one, other in combinations(looks, 2):
            if one.draw == other.draw:
                for name in set(one.traits) & set(other.traits) - {"tint"}:
                    if one.traits[name] != other.traits[name]:
                        changed = msgspec.structs.replace(one, traits=one.traits | {name: other.traits[name]})
                        assert draw(changed) != draw(one), f"{one.file} with {name} {other.traits[name]}"

    def test_has_no_drawing_that_nobody_needs(self):
        assert set(DRAWINGS) == {picture.draw for picture in PICTURES}

    def test_tints_only_what_comes_in_one_colour(self):
        for item in ITEMS:
            coloured = set(item.table.get("options", {})) & set(COLOURED)
            assert bool(coloured) != ("tint" in item.table["look"]), item.slug


class TestWriting:
    def test_writes_the_same_bytes_every_time(self, folder, tmp_path):
        demo.write(tmp_path)

        assert content(tmp_path) == content(folder)

    def test_leaves_alone_what_is_already_right(self, tmp_path):
        demo.write(tmp_path)
        before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
        damaged = tmp_path / "pictures" / PICTURES[0].file
        damaged.write_text("half a pict")

        demo.write(tmp_path)

        after = {path: path.stat().st_mtime_ns for path in before}
        assert {path for path in before if before[path] != after[path]} == {damaged}
        assert damaged.read_text() == draw(PICTURES[0])


def content(folder: Path):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
