"""Every file of other shops that lies beside the checkout is read whole, or refused in words."""

import pytest

from filereading import SHARED, drafts, form_of, needs_shared, notes, read
from shopwright.contracts.money import Money
from shopwright.products.imports.bundle import Pictures
from shopwright.products.imports.readers.reading import BadFile

pytestmark = needs_shared


def amounts(variant):
    return {offer.price.currency: offer.price.minor for offer in variant.prices}


class TestSaleor:
    def test_the_sample_shop_comes_whole(self):
        found = drafts(SHARED / "saleor" / "populatedb_data.json")

        assert len(found) == 32
        assert sum(len(draft.variants) for draft in found.values()) == 73
        assert all(amounts(v).keys() == {"USD", "PLN"} for draft in found.values() for v in draft.variants)
        assert found["blue-polygon-shirt"].categories == [["Apparel", "Shirts", "T-shirts"]]
        assert found["apple-juice"].brand == "Frutello"
        assert [v.options for v in found["blue-plimsolls"].variants] == [
            {"Shoe size": size} for size in ("40", "41", "42")
        ]
        assert found["headless-omnichannel-commerce"].variants[0].stock == {"global": 4560}

    def test_each_product_finds_its_pictures_in_the_folder(self, tmp_path):
        import zipfile

        with zipfile.ZipFile(tmp_path / "shop.zip", "w") as archive:
            for file in (SHARED / "saleor" / "images").iterdir():
                archive.write(file, file.name)
        pictures = Pictures(tmp_path / "shop.zip")

        found = drafts(SHARED / "saleor" / "populatedb_data.json")

        missing = [
            (draft.slug, picture.source)
            for draft in found.values()
            for picture in draft.pictures
            if pictures.read(picture.source) is None
        ]
        assert missing == []
        assert all(draft.pictures for draft in found.values())
        pictures.close()


class TestSpree:
    def test_the_sample_shop_comes_whole_in_both_currencies(self):
        found = drafts(SHARED / "spree" / "products.csv")

        assert len(found) == 37
        assert sum(len(draft.variants) for draft in found.values()) == 87
        assert all(amounts(v).keys() == {"USD", "EUR"} for draft in found.values() for v in draft.variants)
        assert all(v.stock == {"main": 5000} for draft in found.values() for v in draft.variants)
        assert found["automatic-espresso-machine"].categories == [["Kitchen", "Coffee Machines"]]
        assert amounts(found["automatic-espresso-machine"].variants[0]) == {"USD": 87999, "EUR": 81999}

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("customers.csv", "these are customers"),
            ("product_translations.csv", "these are translations of products"),
        ],
    )
    def test_what_is_no_list_of_products_is_refused(self, name, words):
        with pytest.raises(BadFile, match=words):
            form_of(SHARED / "spree" / name)


class TestMedusa:
    @pytest.mark.parametrize("name", ["exported-products-comma.csv", "exported-products-semicolon.csv"])
    def test_exports_are_read_with_either_delimiter(self, name):
        found = drafts(SHARED / "medusa" / name)

        assert found.keys() == {"base-product", "proposed-product"}
        assert amounts(found["base-product"].variants[1]) == {"DKK": 5000, "EUR": 6500, "USD": 20000}
        assert found["base-product"].attributes == {"Tags": ["123", "456"]}

    @pytest.mark.parametrize(
        "name", ["filtered-products.csv", "product-with-categories.csv", "unrelated-column.csv"]
    )
    def test_good_files_have_nothing_to_tell(self, name):
        assert len(drafts(SHARED / "medusa" / name)) == 1

    def test_an_invalid_column_is_named(self):
        assert notes(SHARED / "medusa" / "invalid-column.csv") == [("refused", 2, "/Product field")]

    @pytest.mark.parametrize(
        ("name", "pointer"),
        [
            ("invalid-prices.csv", "/Variant Price nonexistent [EUR]"),
            ("prices-with-region.csv", "/Variant Price test region [USD]"),
        ],
    )
    def test_prices_of_a_region_are_told_and_the_others_taken(self, name, pointer):
        found = read(SHARED / "medusa" / name)

        assert [(note.outcome, note.pointer) for note in found[0].notes] == [("warning", pointer)]
        assert amounts(found[0].draft.variants[0])["USD"] == 10000

    def test_the_template_of_version_1_is_read(self):
        found = read(SHARED / "medusa" / "v1-template.csv")

        assert [one.draft.slug for one in found] == [
            "test-product-product-1", "test-product-product-1-1", "test-product-product-2",
        ]  # fmt: skip
        assert found[0].draft.variants[0].stock == {"main": 10}
        assert [v.sku for v in found[2].draft.variants] == ["test-sku-2", "test-sku-3"]


class TestDemos:
    def test_online_boutique_comes_whole(self):
        found = drafts(SHARED / "boutique" / "products.json")

        assert len(found) == 9
        assert found["sunglasses"].variants[0].prices[0].price == Money(1999, "USD")
        assert all((SHARED / "boutique" / draft.pictures[0].source).is_file() for draft in found.values())

    def test_the_telescopes_come_whole(self):
        found = drafts(SHARED / "telescopes" / "init.sql")

        assert len(found) == 10
        assert found["the-comet-book"].variants[0].prices[0].price == Money(99, "USD")
        assert all((SHARED / "telescopes" / draft.pictures[0].source).is_file() for draft in found.values())
