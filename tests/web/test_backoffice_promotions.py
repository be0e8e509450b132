"""Promotions in the back office: made and changed by kind, switched, with their coupons."""

from datetime import UTC, datetime, timedelta

import pytest

from officing import Office, hire

PATH = "/admin/promotions"


@pytest.fixture
async def office(web, mesh):
    browser = Office(web)
    await browser.enter()
    return browser


class TestList:
    async def test_tells_how_each_stands(self, office, mesh):
        now = datetime.now(UTC)
        mesh.marketing.add("Old", ends_at=now - timedelta(days=1), uses_max=5, uses=3)
        mesh.marketing.add("Next", starts_at=now + timedelta(days=1))
        mesh.marketing.add("Stopped", active=False)
        mesh.marketing.add("Now")

        text = (await office.get(PATH)).text

        for words in ("Old Ended", "3 of 5", "Next Planned", "Stopped Switched off", "Now Running"):
            assert words in text

    async def test_an_empty_list_says_what_to_do(self, office):
        page = await office.get(PATH)

        assert "No promotions yet" in page.text
        assert f"{PATH}/new" in page.links

    async def test_goes_on_to_older_ones(self, office, mesh):
        for number in range(51):
            mesh.marketing.add(f"Promotion {number}")

        second = await office.get(PATH + (await office.get(PATH)).all("a", rel="next")[0]["href"])

        assert "Promotion 0" in second.text
        assert "Promotion 50" not in second.text


class TestEdit:
    @pytest.mark.parametrize(
        ("kind", "own"),
        [
            ("percentage", {"percent"}),
            ("amount", {"amounts"}),
            ("buy_x_get_y", {"buy_quantity", "get_quantity", "get_percent"}),
            ("free_shipping", set()),
        ],
    )
    async def test_shows_only_the_fields_that_fit_the_kind(self, office, kind, own):
        page = await office.get(f"{PATH}/new?kind={kind}")

        names = {name for name, _ in page.form(f"{PATH}/new").fields}
        assert names & {"percent", "amounts", "buy_quantity", "get_quantity", "get_percent"} == own

    async def test_asks_for_the_kind_first(self, office):
        page = await office.get(f"{PATH}/new")

        assert f"{PATH}/new?kind=buy_x_get_y" in page.links

    async def test_sends_what_was_typed(self, office, mesh):
        page = await office.get(f"{PATH}/new?kind=amount")

        await office.send(
            page, f"{PATH}/new", name="Five off", amounts="EUR 5,00\nUSD 6", minimum="eur 50",
            categories="lamps\nmugs", starts_at="2027-01-31T18:00", needs_code="1", uses_max="100",
        )  # fmt: skip

        made = mesh.marketing.promotions[0]
        assert made["amounts"] == {"EUR": 500, "USD": 600}
        assert made["minimum"] == {"EUR": 5_000}
        assert made["categories"] == ["lamps", "mugs"]
        assert made["starts_at"].startswith("2027-01-31T18:00:00")
        assert (made["needs_code"], made["uses_max"], made["active"]) == (True, 100, True)

    async def test_refuses_beside_the_field_and_keeps_what_was_typed(self, office, mesh):
        page = await office.get(f"{PATH}/new?kind=percentage")

        page = await office.send(
            page, f"{PATH}/new", name="Half", percent="200", minimum="50 of them", uses_max="many",
            starts_at="2027-02-01T00:00", ends_at="2027-01-01T00:00",
        )  # fmt: skip

        assert page.status == 422
        assert {"#percent", "#minimum", "#uses_max", "#ends_at"} <= set(page.links)
        assert page.form(f"{PATH}/new")["minimum"] == "50 of them"
        assert not mesh.marketing.promotions

    async def test_puts_what_orders_refuse_beside_the_field(self, office, mesh):
        one = mesh.marketing.add()
        page = await office.get(f"{PATH}/{one['id']}")

        page = await office.send(page, f"{PATH}/{one['id']}", minimum="EUR 100000000")

        assert page.status == 422
        assert page.all("textarea", name="minimum")[0]["aria-invalid"] == "true"
        assert "Enter at most 10000000" in page.text

    async def test_switches_off_and_on(self, office, mesh):
        one = mesh.marketing.add()
        at = f"{PATH}/{one['id']}"

        page = await office.send(await office.get(at), f"{at}/switch")
        assert "Switched off" in page.text
        page = await office.send(page, f"{at}/switch")

        assert "Running" in page.text

    async def test_reading_alone_shows_it_without_a_way_to_change_it(self, web, mesh):
        one = mesh.marketing.add(needs_code=True)
        office = Office(web)
        await office.enter(**hire(mesh, "promotions:read"))

        page = await office.get(f"{PATH}/{one['id']}")

        assert page.status == 200
        assert "Spring sale" in page.html
        assert "Save promotion" not in page.text
        assert "Switch off" not in page.text
        assert (await office.get(f"{PATH}/new")).status == 403


class TestCoupons:
    @pytest.fixture
    def promotion(self, mesh):
        return mesh.marketing.add(needs_code=True)

    async def test_adds_a_code_with_its_limits_and_takes_it_back(self, office, mesh, promotion):
        at = f"{PATH}/{promotion['id']}"
        page = await office.get(at)
        form = next(f for f in page.forms if f.action == f"{at}/coupons" and f["count"] is None)

        await office.post(form.action, dict(form.fields) | {"code": "spring", "uses_max": "5"})
        page = await office.get(at)

        assert mesh.marketing.coupons[promotion["id"]]["SPRING"]["uses_max"] == 5
        assert "SPRING 0 of 5" in page.text
        await office.send(page, f"{at}/coupons/remove")
        assert not mesh.marketing.coupons[promotion["id"]]

    async def test_makes_many_codes_and_the_same_form_sent_twice_makes_no_more(self, office, mesh, promotion):
        at = f"{PATH}/{promotion['id']}"
        form = next(f for f in (await office.get(at)).forms if f["count"] is not None)
        fields = dict(form.fields) | {"count": "7", "prefix": "vip-"}

        await office.post(form.action, fields)
        await office.post(form.action, fields)

        codes = mesh.marketing.coupons[promotion["id"]]
        assert len(codes) == 7
        assert all(code.startswith("VIP-") and len(code) == 14 for code in codes)

    async def test_refuses_too_many_beside_the_field(self, office, mesh, promotion):
        at = f"{PATH}/{promotion['id']}"
        form = next(f for f in (await office.get(at)).forms if f["count"] is not None)

        answer = await office.post(form.action, dict(form.fields) | {"count": "100000"})

        assert answer.status_code == 422
        assert "from 1 to 200" in answer.text
        assert not mesh.marketing.coupons[promotion["id"]]

    async def test_a_code_that_is_taken_is_told_beside_the_field(self, office, mesh, promotion):
        other = mesh.marketing.add("Other", needs_code=True)
        mesh.marketing.coupons[other["id"]]["SPRING"] = {"code": "SPRING", "uses": 0}
        at = f"{PATH}/{promotion['id']}"
        form = next(f for f in (await office.get(at)).forms if f.action == f"{at}/coupons")

        answer = await office.post(form.action, dict(form.fields) | {"code": "SPRING"})

        assert answer.status_code == 422
        assert "Another coupon has this code" in answer.text

    async def test_downloads_every_code_of_a_long_list(self, office, mesh, promotion):
        mesh.marketing.coupons[promotion["id"]] = {
            f"C{number:03}": {"code": f"C{number:03}", "uses": 0, "uses_max": 1} for number in range(150)
        }

        answer = await office.client.get(f"{PATH}/{promotion['id']}/coupons.csv")

        lines = answer.text.split()
        assert lines[0] == "code,uses,uses_max,uses_per_customer_max"
        assert (lines[1], lines[-1], len(lines)) == ("C000,0,1,", "C149,0,1,", 151)
        assert "attachment" in answer.headers["content-disposition"]
