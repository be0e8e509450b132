"""Product files of other shop systems, in the forms their exports have."""

import json
from datetime import date

from filereading import drafts, form_of, notes, read
from shopwright.contracts.money import Money
from shopwright.products.catalog.drafts import PriceDraft

SHOPIFY = """\
Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,\
Option2 Name,Option2 Value,Variant SKU,Variant Grams,Variant Inventory Qty,Variant Price,\
Variant Compare At Price,Variant Barcode,Image Src,Image Position,Image Alt Text,Variant Image,Status,\
Fabric (product.metafields.shopify.fabric)
tee,Oak Tee,"<p>Soft, ""organic""</p>",Oak & Co,Apparel > Tops > T-Shirts,Tee,"new, summer",TRUE,Size,S,\
Colour,Red,TEE-S,180.0,4,19.99,25.00,4006381333931,https://x.example/2.jpg,2,Back,,active,cotton; linen
tee,,,,,,,,,M,,Red,TEE-M,185,-2,19.99,,,https://x.example/1.jpg,1,Front,https://x.example/m.jpg,,
tee,,,,,,,,,,,,,,,,,,https://x.example/3.jpg,3,,,,
card,Gift Card,,,,Gift,,FALSE,Title,Default Title,,,,,,10,,,,,,,active,
"""
SHOPIFY_2024 = """\
Title,URL handle,Description,Vendor,Product category,Type,Published on online store,Status,SKU,Option1 name,\
Option1 value,Price,Compare-at price,Inventory quantity,Weight value (grams),Product image URL,\
Variant image URL
Mug,mug,A mug,Oak,Home > Mugs,Mug,TRUE,Active,MUG,Title,Default Title,9.5,12,7,300,https://x.example/m.png,
"""
WOO = """\
ID,Type,SKU,Name,Published,Visibility in catalog,Short description,Description,Date sale price starts,\
Date sale price ends,In stock?,Stock,Weight (kg),Sale price,Regular price,Categories,Tags,Images,Parent,\
Position,Attribute 1 name,Attribute 1 value(s),Attribute 2 name,Attribute 2 value(s)
81,variation,tee-blue,Tee - Blue,1,visible,,,,,1,3,,,20,,,https://x.example/b.jpg,tee,2,Colour,Blue,Size,
44,variable,tee,Tee,1,visible,Soft.,one\\ntwo,,,1,,.5,,,"Clothing > Tops, Sale, Bags\\, small",new,\
https://x.example/t.jpg,,0,Colour,"Blue, Red",Size,"L, M"
80,variation,tee-red,Tee - Red,1,visible,,,,,0,,,15,20,,,,id:44,1,Colour,Red,Size,
46,simple,mug,'=Mug,-1,visible,,,2026-07-01,2026-07-31,1,,,8,9.50,Home,,,,0,Material,"Clay, Glaze",,
47,"simple, virtual",song,Song,1,hidden,,,,,1,,,,2,,,,,0,,,,
48,simple,mug-2,'=Mug,1,visible,,,,,1,,,,3,,,,,0,,,,
87,grouped,set,Set,1,visible,,,,,1,,,,,,,,,0,,,,
99,variation,lost,Lost,1,visible,,,,,1,,,,5,,,,gone,0,,,,
"""


def price(minor, currency="EUR", before=None):
    return PriceDraft(Money(minor, currency), Money(before, currency) if before else None)


class TestShopify:
    def test_rows_of_a_handle_become_one_product(self):
        tee = drafts(SHOPIFY)["tee"]

        assert (tee.name, tee.brand, tee.status) == ("Oak Tee", "Oak & Co", "active")
        assert tee.description == '<p>Soft, "organic"</p>'
        assert tee.categories == [["Apparel", "Tops", "T-Shirts"]]
        assert tee.attributes == {"Type": ["Tee"], "Tags": ["new", "summer"], "Fabric": ["cotton", "linen"]}
        assert [variant.sku for variant in tee.variants] == ["TEE-S", "TEE-M"]

    def test_names_of_options_stand_on_the_first_row_only(self):
        assert drafts(SHOPIFY)["tee"].variants[1].options == {"Size": "M", "Colour": "Red"}

    def test_prices_stock_and_weights_are_exact(self):
        small, medium = drafts(SHOPIFY, currency="USD", warehouse="north")["tee"].variants

        assert small.prices == [price(1999, "USD", 2500)]
        assert medium.prices == [price(1999, "USD")]
        assert (small.stock, medium.stock) == ({"north": 4}, {"north": 0})
        assert (small.weight_g, medium.weight_g, small.barcode) == (180, 185, "4006381333931")

    def test_pictures_come_in_their_position_and_variants_have_theirs(self):
        tee = drafts(SHOPIFY)["tee"]

        assert [(picture.source[-5:], picture.alt) for picture in tee.pictures] == [
            ("1.jpg", "Front"),
            ("2.jpg", "Back"),
            ("3.jpg", ""),
            ("m.jpg", ""),
        ]
        assert tee.variants[1].picture == "https://x.example/m.jpg"

    def test_a_product_without_options_and_sku_gets_one_that_stays(self):
        card = drafts(SHOPIFY)["card"]

        assert (card.variants[0].options, card.variants[0].sku) == ({}, "card")
        assert card.status == "draft"
        assert card.categories == [["Gift"]]
        assert card.variants[0].stock == {}

    def test_the_columns_since_2024_are_read_as_well(self):
        mug = drafts(SHOPIFY_2024)["mug"]

        assert form_of(SHOPIFY_2024).format == "shopify"
        assert mug.variants[0].prices == [price(950, before=1200)]
        assert (mug.variants[0].stock, mug.variants[0].weight_g) == ({"main": 7}, 300)
        assert mug.categories == [["Home", "Mugs"]]

    def test_what_is_wrong_is_told_by_line_and_column(self):
        header = "Handle,Title,Variant Price,Status,Variant Inventory Qty\n"

        assert sorted(notes(header + "mug,,free,sold,many\n,Jug,1,,\n")) == [
            ("refused", 2, "/Status"),
            ("refused", 2, "/Title"),
            ("refused", 2, "/Variant Inventory Qty"),
            ("refused", 2, "/Variant Price"),
            ("refused", 3, "/Handle"),
        ]


class TestWooCommerce:
    def good(self, **options):
        return {one.draft.slug: one.draft for one in read(WOO, **options) if one.draft}

    def test_variations_find_their_parent_by_sku_or_id_wherever_it_stands(self):
        tee = self.good()["tee"]

        assert [variant.sku for variant in tee.variants] == ["tee-red", "tee-blue"]
        assert [variant.options for variant in tee.variants] == [{"Colour": "Red"}, {"Colour": "Blue"}]
        assert tee.variants[1].picture == "https://x.example/b.jpg"

    def test_attributes_nobody_chooses_stay_attributes(self):
        assert self.good()["tee"].attributes == {"Tags": ["new"], "Size": ["L", "M"]}

    def test_categories_are_paths_with_escaped_commas(self):
        assert self.good()["tee"].categories == [["Clothing", "Tops"], ["Sale"], ["Bags, small"]]

    def test_line_breaks_of_descriptions_are_restored(self):
        assert self.good()["tee"].description == "<p>one<br>two</p>"
        assert self.good()["tee"].summary == "Soft."

    def test_a_sale_price_counts_on_its_days_only(self):
        assert self.good(today=date(2026, 7, 31))["mug"].variants[0].prices == [price(800, before=950)]
        assert self.good(today=date(2026, 8, 1))["mug"].variants[0].prices == [price(950)]
        assert self.good()["tee"].variants[0].prices == [price(1500, before=2000)]

    def test_stock_is_told_by_number_or_as_none_or_not_at_all(self):
        red, blue = self.good()["tee"].variants

        assert (red.stock, blue.stock, self.good()["mug"].variants[0].stock) == ({"main": 0}, {"main": 3}, {})
        assert self.good(stock=9)["mug"].variants[0].stock == {"main": 9}

    def test_weights_have_the_unit_of_the_header_and_variations_their_parents(self):
        assert [variant.weight_g for variant in self.good()["tee"].variants] == [500, 500]

    def test_what_is_private_or_hidden_is_not_shown(self):
        assert [self.good()[slug].status for slug in ("tee", "mug", "song")] == ["active", "draft", "draft"]

    def test_two_products_of_one_name_get_two_slugs(self):
        assert {"mug", "mug-mug-2"} <= self.good().keys()
        assert self.good()["mug"].name == "=Mug"

    def test_groups_are_skipped_and_orphans_refused(self):
        assert notes(WOO) == [("skipped", 8, "/Type"), ("refused", 9, "/Parent")]


class TestSpree:
    SPREE = (
        "slug,sku,name,price,compare_at_price,currency,status,description,tags,product_type,category1,"
        "option1_name,option1_value,image1_src,weight,weight_unit,inventory_count,custom_field.custom.wattage\n"
        'kettle,KETTLE,Kettle,0,0,USD,active,Hot,"tea, kitchen",Appliance,Kitchen -> Kettles,,,https://x.example/k.webp,,lb,,1400W\n'
        "kettle,KETTLE-RED,,49.99,59.99,USD,,,,,,Colour,Red,https://x.example/r.webp,2.2,lb,50,\n"
        "cup,CUP,Cup,5,0,USD,draft,,,,,,,,,,,\n"
        "kettle,KETTLE-RED,,45.50,,EUR,,,,,,,,,,,,\n"
    )

    def test_the_master_sells_nothing_beside_its_variants(self):
        kettle = drafts(self.SPREE)["kettle"]

        assert [variant.sku for variant in kettle.variants] == ["KETTLE-RED"]
        assert kettle.attributes == {"Type": ["Appliance"], "Wattage": ["1400W"], "Tags": ["tea", "kitchen"]}
        assert kettle.categories == [["Kitchen", "Kettles"]]

    def test_prices_in_further_currencies_may_stand_far_below(self):
        red = drafts(self.SPREE)["kettle"].variants[0]

        assert red.prices == [price(4999, "USD", 5999), price(4550)]
        assert (red.options, red.stock, red.weight_g) == ({"Colour": "Red"}, {"main": 50}, 998)
        assert red.picture == "https://x.example/r.webp"

    def test_a_product_without_variants_sells_its_master(self):
        assert drafts(self.SPREE)["cup"].variants[0].prices == [price(500, "USD")]
        assert drafts(self.SPREE)["cup"].status == "draft"


class TestMedusa:
    HEAD = (
        "Product Id,Product Handle,Product Title,Product Status,Variant Sku,Variant Price EUR,"
        "Variant Price USD"
    )

    def test_a_price_of_a_region_is_told_and_left_out(self):
        found = read(f"{self.HEAD},Variant Price Europe [EUR]\np1,mug,Mug,published,MUG,1,2,3\n")

        assert found[0].draft.variants[0].prices == [price(100), price(200, "USD")]
        assert [(note.outcome, note.pointer) for note in found[0].notes] == [
            ("warning", "/Variant Price europe [EUR]")
        ]

    def test_a_column_that_claims_to_be_medusas_is_refused_and_another_is_not(self):
        assert notes(f"{self.HEAD},Product field\np1,mug,Mug,draft,MUG,1,2,x\n") == [
            ("refused", 2, "/Product field")
        ]
        assert notes(f"{self.HEAD},Some field\np1,mug,Mug,draft,MUG,1,2,x\n") == []

    def test_a_price_that_is_none_names_its_column(self):
        assert notes(f"{self.HEAD}\np1,mug,Mug,draft,MUG,x,2\n") == [("refused", 2, "/variant price eur")]

    def test_variants_without_a_price_are_left_out_and_a_product_of_only_such_is_refused(self):
        found = read(
            f"{self.HEAD}\np1,mug,Mug,draft,MUG-S,1,\np1,mug,Mug,draft,MUG-L,,\np2,jug,Jug,draft,J,,\n"
        )

        assert [variant.sku for variant in found[0].draft.variants] == ["MUG-S"]
        assert [note.outcome for note in found[1].notes] == ["warning", "refused"]

    def test_statuses_are_ours(self):
        rows = "".join(
            f"p{n},m{n},M,{status},M{n},1,\n"
            for n, status in enumerate(["published", "draft", "proposed", "rejected"])
        )

        found = drafts(f"{self.HEAD}\n{rows}")

        assert [draft.status for draft in found.values()] == ["active", "draft", "draft", "archived"]


class TestSaleor:
    def fixture(self, *more):
        objects = [
            {"model": "channel.channel", "pk": 1, "fields": {"currency_code": "USD"}},
            {"model": "channel.channel", "pk": 2, "fields": {"currency_code": "PLN"}},
            {"model": "product.category", "pk": 1, "fields": {"name": "Apparel", "parent": None}},
            {"model": "product.category", "pk": 2, "fields": {"name": "Tops", "parent": 1}},
            {"model": "product.producttype", "pk": 1, "fields": {"name": "Top", "weight": "1.5:kg"}},
            {"model": "product.product", "pk": 9, "fields": {
                "name": "Tee", "slug": "tee", "category": 2, "product_type": 1, "weight": None,
                "description": {"blocks": [
                    {"type": "header", "data": {"text": "Soft"}},
                    {"type": "list", "data": {"style": "ordered", "items": ["a", "b"]}},
                ]}}},
            {"model": "product.productchannellisting", "pk": 1, "fields": {
                "product": 9, "channel": 1, "is_published": True}},
            {"model": "product.productchannellisting", "pk": 2, "fields": {
                "product": 9, "channel": 2, "is_published": False}},
            *(
                {"model": "product.productvariant", "pk": n, "fields": {
                    "product": 9, "sku": sku, "name": name, "weight": None, "sort_order": n}}
                for n, sku, name in ((1, "TEE-S", "S"), (2, None, "M"))
            ),
            *(
                {"model": "product.productvariantchannellisting", "pk": 10 * variant + channel, "fields": {
                    "variant": variant, "channel": channel, "price_amount": "40.000",
                    "discounted_price_amount": "30.000"}}
                for variant in (1, 2) for channel in (1, 2)
            ),
            {"model": "attribute.attribute", "pk": 5, "fields": {"name": "Size"}},
            {"model": "attribute.attributevalue", "pk": 6, "fields": {"name": "S", "attribute": 5}},
            {"model": "attribute.assignedvariantattribute", "pk": 7, "fields": {"variant": 1}},
            {"model": "attribute.assignedvariantattributevalue", "pk": 8, "fields": {
                "value": 6, "assignment": 7}},
            {"model": "warehouse.warehouse", "pk": "w-1", "fields": {"slug": "Global Hub"}},
            {"model": "warehouse.stock", "pk": 1, "fields": {
                "warehouse": "w-1", "product_variant": 1, "quantity": 12}},
            {"model": "product.productmedia", "pk": 1, "fields": {
                "product": 9, "image": "products/tee_1a2b3c4d.png", "alt": "A tee", "sort_order": 0}},
            *more,
        ]  # fmt: skip
        return json.dumps(objects, indent=1)

    def test_joins_a_product_from_its_objects(self):
        tee = drafts(self.fixture())["tee"]

        assert tee.categories == [["Apparel", "Tops"]]
        assert tee.description == "<h3>Soft</h3><ol><li>a</li><li>b</li></ol>"
        assert tee.attributes == {"Type": ["Top"]}
        assert [(picture.source, picture.alt) for picture in tee.pictures] == [
            ("products/tee_1a2b3c4d.png", "A tee")
        ]

    def test_sells_in_the_currencies_of_the_channels_where_it_is_published(self):
        assert drafts(self.fixture())["tee"].variants[0].prices == [price(3000, "USD", 4000)]

    def test_variants_that_are_sold_without_being_counted_get_a_stock(self):
        fixture = self.fixture(
            *(
                {"model": "product.productvariant", "pk": n, "fields": {
                    "product": 9, "sku": sku, "track_inventory": tracked, "sort_order": n}}
                for n, sku, tracked in ((3, "FREE", False), (4, "COUNTED", True), (5, "TOLD", False))
            ),
            {"model": "warehouse.stock", "pk": 2, "fields": {
                "warehouse": "w-1", "product_variant": 5, "quantity": 7}},
        )  # fmt: skip

        free = {variant.sku: variant.stock for variant in drafts(fixture)["tee"].variants}
        asked = {variant.sku: variant.stock for variant in drafts(fixture, stock=3)["tee"].variants}

        assert (free["FREE"], free["COUNTED"]) == ({"main": 1_000}, {})
        assert (asked["FREE"], asked["COUNTED"]) == ({"main": 3}, {"main": 3})
        assert free["TOLD"] == asked["TOLD"] == {"global-hub": 7}

    def test_variants_have_options_stock_weight_and_a_sku(self):
        small, medium = drafts(self.fixture(), stock=3)["tee"].variants

        assert (small.sku, small.options, small.stock) == ("TEE-S", {"Size": "S"}, {"global-hub": 12})
        assert (medium.sku, medium.options, medium.stock) == ("tee-m", {"Variant": "M"}, {"main": 3})
        assert small.weight_g == 1500

    def test_a_product_without_variants_is_refused(self):
        more = {"model": "product.product", "pk": 10, "fields": {"name": "Bare", "slug": "bare"}}

        assert notes(self.fixture(more)) == [("refused", 22, "/productvariant")]


class TestDemos:
    def test_online_boutiques_nanos_are_exact(self):
        item = {"id": "X", "name": "Mug", "picture": "/static/img/mug.jpg", "categories": ["kitchen"],
                "priceUsd": {"currencyCode": "USD", "units": 8, "nanos": 990000000}}  # fmt: skip

        mug = drafts(json.dumps({"products": [item]}))["mug"]

        assert mug.variants[0].prices == [price(899, "USD")]
        assert (mug.pictures[0].source, mug.categories) == ("mug.jpg", [["Kitchen"]])

    def test_sql_rows_are_read_with_their_quotes_and_nothing_else_is(self):
        sql = (
            "CREATE TABLE catalog.products (id TEXT);\n"
            "INSERT INTO other (id) VALUES ('no');\n"
            "INSERT INTO catalog.products (id, name, description, picture, price_currency_code, price_units, "
            "price_nanos, categories)\nVALUES\n"
            "  ('A', 'Bob''s (8\") Filter', 'a; b, -- c', 'f.jpg', 'USD', 57, 80000000, 'parts,travel'),\n"
            "  ('B', 'Short', NULL, NULL, 'USD', 1);\n"
        )

        found = read(sql)

        assert found[0].draft.name == "Bob's (8\") Filter"
        assert found[0].draft.variants[0].prices == [price(5708, "USD")]
        assert found[0].draft.categories == [["Parts"], ["Travel"]]
        assert (found[1].draft, found[1].line) == (None, 6)
