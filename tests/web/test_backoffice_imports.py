"""Imports in the back office: a file in, its progress, its report."""

import pytest

from officing import Office

FILE = b"slug,name,price\nmug,Mug,12.00\nbad,Bad,much\njar,Jar,9.00\n"


@pytest.fixture
async def office(web, mesh):
    browser = Office(web)
    await browser.enter()
    return browser


async def hand_over(office, content=FILE, name="spring.csv", **typed):
    page = await office.get("/admin/imports")
    return await office.upload(page, "/admin/imports", {"file": (name, content, "text/csv")}, **typed)


class TestUpload:
    async def test_hands_the_file_over_unchanged_and_leads_to_its_report(self, office, mesh):
        page = await hand_over(office)

        assert mesh.imports.received == [FILE]
        assert page.path.startswith("/admin/imports/")
        assert "spring.csv" in page.text

    async def test_tells_what_the_file_lacks(self, office, mesh):
        await hand_over(office, currency="usd", warehouse="north", stock="10", format="csv")

        query = mesh.calls("/v1/imports")[-1].query
        wanted = {"filename": "spring.csv", "currency": "USD", "warehouse": "north", "stock": "10"}
        assert query == wanted | {"format": "csv"}

    async def test_says_how_much_comes_before_it_comes(self, office, mesh):
        await hand_over(office)

        assert mesh.calls("/v1/imports")[-1].headers["Content-Length"] == str(len(FILE))

    async def test_asks_for_a_file(self, office, mesh):
        page = await office.send(await office.get("/admin/imports"), "/admin/imports")

        assert page.status == 422
        assert "Choose the file to import" in page.text

    @pytest.mark.parametrize(
        ("field", "typed", "words"), [("currency", "euros", "three letters"), ("stock", "-1", "whole number")]
    )
    async def test_refuses_what_cannot_be_meant(self, office, mesh, field, typed, words):
        page = await hand_over(office, **{field: typed})

        assert page.status == 422
        assert words in page.text
        assert page.form("/admin/imports")[field] == typed
        assert not mesh.imports.received

    async def test_shows_why_a_file_is_none(self, office, mesh):
        page = await hand_over(office, b" ")

        assert page.status == 422
        assert "The file is empty" in page.text


class TestProgress:
    async def test_goes_on_without_javascript_until_it_is_over(self, office, mesh):
        page = await hand_over(office)
        assert page.all("meta", **{"http-equiv": "refresh"})
        assert page.all("progress", value="50")
        assert "1 of 3 rows" in page.text

        page = await office.get(page.path)

        assert not page.all("meta", **{"http-equiv": "refresh"})
        assert "2 created" in page.text
        assert "1 refused" in page.text

    async def test_names_each_refused_row_with_its_line_and_reason(self, office, mesh):
        page = await hand_over(office)

        page = await office.get(page.path)

        assert "3 row 3 Refused /price is no amount; write 19.90" in page.text

    async def test_tells_what_the_file_as_a_whole_lacks(self, office, mesh):
        page = await hand_over(office)

        assert page.text.count("2 variants have no stock; --stock 100.") == 1

    async def test_can_be_stopped(self, office, mesh):
        page = await hand_over(office)

        page = await office.send(page, ".*/cancel")

        assert "Stopped" in page.text
        assert "Products it has put in stay" in page.text

    async def test_one_that_is_over_cannot(self, office, mesh):
        page = await hand_over(office)
        await office.get(page.path)

        page = await office.send(page, ".*/cancel")

        assert "ended already" in page.text


class TestList:
    async def test_shows_earlier_imports_with_their_counts(self, office, mesh):
        page = await hand_over(office)
        await office.get(page.path)

        page = await office.get("/admin/imports")

        assert "spring.csv csv" in page.text
        assert [link for link in page.links if link.startswith("/admin/imports/")]

    async def test_products_being_away_is_told_and_the_form_stays(self, office, mesh):
        mesh.away.add("products")

        page = await office.get("/admin/imports")

        assert "Earlier imports cannot be shown" in page.text
        assert page.form("/admin/imports")
