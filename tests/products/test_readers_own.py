"""Our own formats: what is written is read back, and every wrong field is named."""

import json

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as some

from filereading import drafts, notes
from shopwright.contracts.money import Money
from shopwright.products.catalog.drafts import PictureDraft, PriceDraft, ProductDraft, VariantDraft
from shopwright.products.imports import exporting

MUG = {
    "slug": "mug",
    "name": "Mug",
    "variants": [{"sku": "MUG", "prices": [{"price": {"amount": 1290, "currency": "EUR"}}]}],
}


def lines(*items):
    return "".join(json.dumps(item) + "\n" for item in items)


class TestJsonLines:
    def test_a_line_is_a_draft(self):
        full = MUG | {
            "categories": [["Home", "Mugs"]],
            "attributes": {"Material": ["Clay"]},
            "status": "draft",
        }

        assert drafts(lines(full))["mug"] == msgspec.convert(full, ProductDraft)

    def test_every_wrong_field_is_named(self):
        wrong = MUG | {"status": "sold", "colour": 1, "variants": [{"prices": [], "size": "L"}]}

        assert sorted(notes(lines(MUG | {"slug": "a"}, wrong))) == [
            ("refused", 2, "/colour"),
            ("refused", 2, "/status"),
            ("refused", 2, "/variants/0/size"),
            ("refused", 2, "/variants/0/sku"),
        ]

    def test_a_broken_line_is_told_and_the_next_one_read(self):
        text = lines(MUG) + '{"slug": \n[1]\n' + lines(MUG | {"slug": "jug"})

        assert [(outcome, line) for outcome, line, _ in notes(text)] == [("refused", 2), ("refused", 3)]

    def test_a_slug_twice_is_refused(self):
        assert notes(lines(MUG, MUG)) == [("refused", 1, "/slug")]

    def test_stock_that_is_not_told_can_be_given(self):
        assert drafts(lines(MUG), stock=4)["mug"].variants[0].stock == {"main": 4}


class TestCsv:
    def test_has_columns_for_currencies_warehouses_options_and_attributes(self):
        text = (
            "slug,name,sku,price:EUR,compare_at:EUR,price:JPY,stock:main,stock:north,option:Size,"
            "attribute:Lamp Base,categories,pictures,picture_alts,weight_g,status\n"
            "mug,Mug,MUG-S,12.90,15,1900,3,4,S,"
            r"E27 | a\|b,Home > Mugs | Sale,https://x.example/1 | 2.png,One | ,250,draft"
            "\n,,,,,,,,,,,,,,\nmug,,MUG-L,14,,,0,,L,,,,,,\n"
        )

        mug = drafts(text)["mug"]

        assert mug.attributes == {"Lamp Base": ["E27", "a|b"]}
        assert mug.categories == [["Home", "Mugs"], ["Sale"]]
        assert mug.pictures == [PictureDraft("https://x.example/1", "One"), PictureDraft("2.png", "")]
        assert mug.status == "draft"
        small, large = mug.variants
        assert small.prices == [
            PriceDraft(Money(1290, "EUR"), Money(1500, "EUR")),
            PriceDraft(Money(1900, "JPY")),
        ]
        assert (small.stock, large.stock) == ({"main": 3, "north": 4}, {"main": 0})
        assert (small.options, large.options, small.weight_g) == ({"Size": "S"}, {"Size": "L"}, 250)

    def test_every_wrong_cell_is_named(self):
        text = "slug,name,sku,price:eur,price:EUR,stock,compare_at:EUR,colour\nmug,Mug,,1,x,lots,,red\n"

        assert notes(text) == [
            ("refused", 2, "/colour"),
            ("refused", 2, "/sku"),
            ("refused", 2, "/price:eur"),
            ("refused", 2, "/price:EUR"),
            ("refused", 2, "/stock"),
        ]

    def test_a_comparison_must_be_more_than_the_price(self):
        assert notes("slug,name,sku,price:EUR,compare_at:EUR\nmug,Mug,MUG,5,4\n") == [
            ("refused", 2, "/compare_at:EUR")
        ]


letters = some.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Zs", "Zl", "Zp"])
words = some.text(letters, min_size=1, max_size=12).map(str.strip).filter(bool)
prices = some.dictionaries(some.sampled_from(["EUR", "JPY"]), some.integers(0, 10**9), min_size=1).map(
    lambda found: [PriceDraft(Money(minor, currency)) for currency, minor in sorted(found.items())]
)
variants = some.builds(
    VariantDraft,
    sku=words,
    options=some.dictionaries(words, words, max_size=2),
    prices=prices,
    stock=some.dictionaries(some.sampled_from(["main", "north"]), some.integers(0, 9_999)),
    barcode=some.none() | words,
    weight_g=some.none() | some.integers(0, 10**6),
)
products = some.builds(
    ProductDraft,
    slug=some.from_regex(r"[a-z]{3,8}", fullmatch=True),
    name=words,
    variants=some.lists(variants, min_size=1, max_size=3),
    description=words,
    summary=words,
    brand=words,
    status=some.sampled_from(["active", "draft", "archived"]),
    categories=some.lists(some.lists(words, min_size=1, max_size=3), max_size=2),
    attributes=some.dictionaries(words, some.lists(words, min_size=1, max_size=3, unique=True), max_size=2),
    pictures=some.lists(
        some.builds(PictureDraft, source=words, alt=words), max_size=2, unique_by=lambda p: p.source
    ),
)


@settings(max_examples=60)
@given(some.lists(products, min_size=1, max_size=3, unique_by=lambda draft: draft.slug))
def test_whatever_is_exported_as_csv_is_read_back(written):
    columns = exporting.Columns()
    for draft in written:
        columns.meet(draft)
    table = [columns.header(), *(row for draft in written for row in exporting.rows(draft, columns))]

    read = drafts(exporting.encoded(table))

    assert read == {draft.slug: draft for draft in written}


@settings(max_examples=60)
@given(some.lists(products, min_size=1, max_size=3, unique_by=lambda draft: draft.slug))
def test_whatever_is_exported_as_json_lines_is_read_back(written):
    assert drafts(exporting.lines(written)) == {draft.slug: draft for draft in written}
