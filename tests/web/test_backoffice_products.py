"""Products in the back office: found, edited, priced, pictured, archived; nobody's change is overwritten."""

import pytest

from officing import Office

LAMP = "/admin/products/oak-lamp"
PNG = b"\x89PNG not much of a picture"


@pytest.fixture
async def office(web, mesh):
    browser = Office(web)
    await browser.enter()
    return browser


@pytest.fixture
def lamp(mesh):
    return mesh.goods.products[0]


def at(item, rest=""):
    return f"/admin/products/{item['id']}{rest}"


class TestList:
    async def test_shows_drafts_and_archived_ones_too(self, office, mesh):
        mesh.goods.products[1]["status"] = "draft"

        page = await office.get("/admin/products")

        assert "Stone mug" in page.text
        assert "Draft" in page.text

    async def test_finds_by_name_and_by_sku(self, office, mesh):
        by_name = await office.send(await office.get("/admin/products"), "/admin/products", q="mug")
        by_sku = await office.get("/admin/products?q=linen-apron-0")

        assert "Stone mug" in by_name.text
        assert "Oak lamp" not in by_name.text
        assert "Linen apron" in by_sku.text

    async def test_filters_by_status(self, office, mesh):
        mesh.goods.products[1]["status"] = "archived"

        page = await office.get("/admin/products?status=archived")

        assert "Stone mug" in page.text
        assert "Oak lamp" not in page.text


class TestCreate:
    async def test_makes_a_product_with_its_first_variant(self, office, mesh):
        page = await office.get("/admin/products/new")

        page = await office.send(
            page, "/admin/products/new", name="Ash bowl", sku="BOWL", price="24,50", stock="6"
        )

        made = mesh.goods.products[-1]
        assert page.path == at(made)
        assert (made["name"], made["status"]) == ("Ash bowl", "draft")
        assert made["variants"][0]["price"] == {"amount": 2450, "currency": "EUR"}
        assert made["variants"][0]["available"] == 6

    async def test_is_made_once_however_often_it_is_sent(self, office, mesh):
        fields = dict((await office.get("/admin/products/new")).form("/admin/products/new").fields)
        fields |= {"name": "Ash bowl", "sku": "BOWL"}

        for _ in range(2):
            await office.post("/admin/products/new", fields)

        assert len(mesh.goods.products) == 4

    async def test_shows_what_is_wrong_at_the_fields_and_keeps_the_rest(self, office, mesh):
        page = await office.get("/admin/products/new")

        page = await office.send(
            page, "/admin/products/new", name="", sku="OAK-LAMP-0", price="much", stock="few"
        )

        assert page.status == 422
        wrong = {tag["id"] for tag in page.all("input", **{"aria-invalid": "true"})}
        assert wrong == {"name", "price", "stock"}
        assert page.form("/admin/products/new")["sku"] == "OAK-LAMP-0"

    async def test_tells_a_sku_that_is_taken_at_its_field(self, office, mesh):
        page = await office.get("/admin/products/new")

        page = await office.send(page, "/admin/products/new", name="Copy", sku="OAK-LAMP-0")

        assert "This SKU belongs to another product" in page.text
        assert page.all("input", id="sku")[0]["aria-invalid"] == "true"


class TestDetails:
    async def test_saves_what_was_changed_and_keeps_what_was_not(self, office, mesh, lamp):
        page = await office.send(await office.get(LAMP), at(lamp), name="Oak floor lamp", brand="Nord")

        assert "Oak floor lamp was saved" in page.text
        assert (lamp["name"], lamp["brand"]) == ("Oak floor lamp", "Nord")
        assert lamp["attributes"] == {"material": ["Oak"]}
        assert lamp["description"] == "<p>Oak lamp, made to be used every day.</p>"

    async def test_reads_attributes_line_by_line(self, office, mesh, lamp):
        typed = "Material: Oak | Walnut\n\nCare: Wipe: dry"

        await office.send(await office.get(LAMP), at(lamp), attributes=typed)

        assert lamp["attributes"] == {"Material": ["Oak", "Walnut"], "Care": ["Wipe: dry"]}

    async def test_tells_a_line_that_is_no_attribute(self, office, mesh, lamp):
        page = await office.send(await office.get(LAMP), at(lamp), attributes="Oak", name="Kept")

        assert page.status == 422
        assert "“Oak” is not a name, a colon and a value" in page.text
        assert page.form(at(lamp))["name"] == "Kept"
        assert lamp["name"] == "Oak lamp"

    async def test_sets_several_categories(self, office, mesh, lamp):
        fields = [f for f in (await office.get(LAMP)).form(at(lamp)).fields if f[0] != "categories"]
        sent = {name: [value for key, value in fields if key == name] for name, _ in fields}

        await office.post(at(lamp), sent | {"categories": ["home", "lighting"]})

        assert [category["slug"] for category in lamp["categories"]] == ["home", "lighting"]

    async def test_keeps_the_main_category_first_and_puts_new_ones_behind(self, office, mesh, lamp):
        mesh.goods.categories.append(mesh.goods.categories[0] | {"slug": "garden", "name": "Garden"})
        lamp["categories"] = [{"slug": slug, "name": slug.title()} for slug in ("lighting", "home")]
        fields = (await office.get(LAMP)).form(at(lamp)).fields
        sent = {name: [value for key, value in fields if key == name] for name, _ in fields}

        await office.post(at(lamp), sent | {"categories": ["garden", *sorted(sent["categories"])]})

        assert [category["slug"] for category in lamp["categories"]] == ["lighting", "home", "garden"]

    async def test_keeps_a_long_description_whole(self, office, mesh, lamp):
        text = "word " * 5_000

        await office.send(await office.get(LAMP), at(lamp), description=text)

        assert lamp["description"] == text.strip()

    async def test_tells_a_slug_that_is_taken_at_its_field(self, office, mesh, lamp):
        page = await office.send(await office.get(LAMP), at(lamp), slug="stone-mug")

        assert page.status == 422
        assert page.all("input", id="slug")[0]["aria-invalid"] == "true"

    async def test_nothing_typed_becomes_markup(self, office, mesh, lamp):
        page = await office.send(await office.get(LAMP), at(lamp), name="</h1><script>alert(1)</script>")

        assert "<script>alert" not in page.html


class TestConflict:
    async def test_shows_both_values_and_overwrites_only_when_sent_again(self, office, mesh, lamp):
        mine = await office.get(LAMP)
        await office.send(await office.get(LAMP), at(lamp), name="Theirs", brand="Same")

        page = await office.send(mine, at(lamp), name="Mine", brand="Same")

        assert page.status == 409
        assert "Somebody else saved this product" in page.text
        assert page.form(at(lamp))["name"] == "Mine"
        assert "Stored now: Theirs" in page.text
        assert page.text.count("Stored now") == 1
        assert lamp["name"] == "Theirs"
        await office.send(page, at(lamp))
        assert lamp["name"] == "Mine"

    async def test_holds_for_a_variant_too(self, office, mesh, lamp):
        variant = lamp["variants"][0]
        mine = await office.get(at(lamp, f"/variants/{variant['id']}"))
        await office.send(await office.get(LAMP), at(lamp), name="Changed")
        variant["barcode"] = "111"

        page = await office.send(mine, ".*/variants/[^/]+", barcode="222")

        assert page.status == 409
        assert "Stored now: 111" in page.text
        assert page.form(".*/variants/[^/]+")["barcode"] == "222"

    async def test_holds_for_prices_too(self, office, mesh, lamp):
        mine = await office.get(LAMP)
        await office.send(await office.get(LAMP), at(lamp), name="Changed")
        field = f"price-{lamp['variants'][0]['id']}"

        page = await office.send(mine, ".*/prices", **{field: "55.00"})

        assert page.status == 409
        assert lamp["variants"][0]["price"]["amount"] == 4_900
        await office.send(page, ".*/prices")
        assert lamp["variants"][0]["price"]["amount"] == 5_500


class TestPrices:
    async def test_saves_only_those_that_were_changed(self, office, mesh, lamp):
        first, second = lamp["variants"]
        typed = {f"price-{first['id']}": "59,90", f"compare-{first['id']}": "79.90"}

        page = await office.send(await office.get(LAMP), ".*/prices", **typed)

        assert "1 price was saved" in page.text
        assert (first["price"]["amount"], first["compare_at"]["amount"]) == (5_990, 7_990)
        assert second["price"]["amount"] == 5_200
        assert len(mesh.calls(".*/variants/.*")) == 1

    async def test_saves_many_each_on_top_of_the_one_before(self, office, mesh, lamp):
        typed = {f"price-{variant['id']}": "10.00" for variant in lamp["variants"]}

        page = await office.send(await office.get(LAMP), ".*/prices", **typed)

        assert "2 prices were saved" in page.text

    async def test_are_kept_apart_by_currency(self, office, mesh, lamp):
        variant = lamp["variants"][0]
        page = await office.get(f"{LAMP}?currency=USD")
        assert page.form(".*/prices")[f"price-{variant['id']}"] == ""

        page = await office.send(page, ".*/prices", **{f"price-{variant['id']}": "61.00"})

        assert page.form(".*/prices")[f"price-{variant['id']}"] == "61.00"
        assert variant["price"] == {"amount": 4_900, "currency": "EUR"}

    @pytest.mark.parametrize(
        ("price", "before", "words"),
        [
            ("cheap", "", "not a decimal number"),
            ("1.999", "", "more digits than EUR holds"),
            ("-5", "", "cannot be below zero"),
            ("20", "10", "more than what it costs now"),
            ("", "10", "needs a price of today"),
        ],
    )
    async def test_are_refused_at_their_field(self, office, mesh, lamp, price, before, words):
        variant = lamp["variants"][0]
        typed = {f"price-{variant['id']}": price, f"compare-{variant['id']}": before}

        page = await office.send(await office.get(LAMP), ".*/prices", **typed)

        assert page.status == 422
        assert words in page.text
        assert page.form(".*/prices")[f"price-{variant['id']}"] == price
        assert variant["price"]["amount"] == 4_900


class TestVariants:
    async def test_one_is_added_with_all_it_has(self, office, mesh, lamp):
        page = await office.get(at(lamp, "/variants/new"))

        await office.send(
            page, ".*/variants/new", sku="LAMP-RED", options="colour: red", price="52", weight_g="900",
            barcode="40170725",
        )  # fmt: skip

        made = lamp["variants"][-1]
        assert (made["sku"], made["options"], made["weight_g"]) == ("LAMP-RED", {"colour": "red"}, 900)
        assert made["price"] == {"amount": 5_200, "currency": "EUR"}

    async def test_one_is_changed(self, office, mesh, lamp):
        variant = lamp["variants"][1]
        page = await office.get(at(lamp, f"/variants/{variant['id']}"))

        page = await office.send(page, ".*/variants/[^/]+", sku="LAMP-BLACK", weight_g="800")

        assert (variant["sku"], variant["weight_g"], variant["options"]) == (
            "LAMP-BLACK", 800, {"colour": "black"},
        )  # fmt: skip
        assert "LAMP-BLACK was saved" in page.text

    async def test_one_is_removed_and_the_last_one_stays(self, office, mesh, lamp):
        variant = lamp["variants"][1]
        page = await office.get(at(lamp, f"/variants/{variant['id']}"))

        await office.send(page, ".*/remove")

        assert [v["sku"] for v in lamp["variants"]] == ["OAK-LAMP-0"]
        page = await office.get(at(lamp, f"/variants/{lamp['variants'][0]['id']}"))
        assert not [form for form in page.forms if form.action.endswith("/remove")]

    async def test_shows_what_is_wrong_at_its_field(self, office, mesh, lamp):
        page = await office.get(at(lamp, f"/variants/{lamp['variants'][0]['id']}"))

        page = await office.send(
            page, ".*/variants/[^/]+", sku="STONE-MUG-0", weight_g="light", options="red"
        )

        wrong = {tag["id"] for tag in page.all("input", **{"aria-invalid": "true"})}
        assert page.status == 422
        assert "weight_g" in wrong
        assert "is not a name, a colon and a value" in page.text


class TestPictures:
    async def test_one_is_added_with_what_it_shows(self, office, mesh, lamp):
        page = await office.upload(
            await office.get(LAMP), ".*/pictures", {"file": ("a.png", PNG, "image/png")}, alt="The lamp, lit"
        )

        assert [picture["alt"] for picture in lamp["pictures"]] == ["The lamp, lit"]
        assert "The picture was added" in page.text
        assert mesh.calls(".*/pictures")[-1].headers["Content-Type"] == "image/png"

    async def test_they_are_put_in_order_described_and_taken_off(self, office, mesh, lamp):
        lamp["pictures"] = [
            {"id": f"p{n}", "url": f"/media/{n}.webp", "alt": "", "width": 8, "height": 8} for n in range(3)
        ]
        page = await office.get(LAMP)

        changes = {"place-p2": "0", "alt-p2": "From the side", "off-p1": "1"}
        await office.send(page, ".*/pictures/order", **changes)

        assert [(picture["id"], picture["alt"]) for picture in lamp["pictures"]] == [
            ("p2", "From the side"), ("p0", ""),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("file", "words"),
        [
            (("a.pdf", b"%PDF", "application/pdf"), "Choose a JPEG, PNG"),
            (("a.png", b"no picture", "image/png"), "That is no picture"),
        ],
    )
    async def test_what_is_none_is_refused(self, office, mesh, lamp, file, words):
        page = await office.upload(await office.get(LAMP), ".*/pictures", {"file": file})

        assert page.status == 422
        assert words in page.text
        assert not lamp["pictures"]


class TestArchive:
    async def test_takes_a_product_out_of_the_shop(self, office, mesh, lamp):
        page = await office.send(await office.get(LAMP), ".*/archive")

        assert lamp["status"] == "archived"
        assert "buyers no longer see it" in page.text
        assert (await office.get("/product/oak-lamp")).status == 404
