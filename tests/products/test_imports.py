"""Import jobs: they count every row once, whatever kills them, and tell what they leave out."""

import asyncio
import gzip
import io
import os
import subprocess
import sys
import zipfile
from uuid import uuid4

import msgspec
import pytest
from PIL import Image

from shopwright.contracts.problems import RequestTooLarge
from shopwright.products.imports import domain, worker
from shopwright.products.imports.commands import Asked, Imports
from shopwright.products.imports.domain import NotAProductFile, TooManyImports

STAFF = {"x-user-id": str(uuid4()), "x-user-scope": "catalog:write catalog:read inventory:read"}
HEADER = "slug,name,sku,price,stock,categories,pictures,attribute:Material,option:Size\n"


def row(slug, price="19.99", *, sku=None, name=None, pictures="", stock="5", size=""):
    own = f"{slug},{name or slug.title()},{sku or slug.upper()}"
    return f"{own},{price},{stock},Home > Kitchen,{pictures},Clay,{size}\n"


def table(*rows):
    return (HEADER + "".join(rows)).encode()


async def chunks(content):
    yield content


async def ended(client, job):
    while True:
        report = (await client.get(f"/v1/imports/{job['id']}", headers=STAFF)).json()
        if report["status"] in {"done", "failed", "cancelled"}:
            return report
        await asyncio.sleep(0.02)


async def imported(client, content, **query):
    answer = await client.post("/v1/imports", content=content, params=query, headers=STAFF)
    assert answer.status_code == 202, answer.text
    return await ended(client, answer.json())


def counts(report):
    return {name: report[name] for name in ("created", "changed", "unchanged", "skipped", "refused", "rows")}


def picture():
    content = io.BytesIO()
    Image.new("RGB", (8, 6), "red").save(content, "PNG")
    return content.getvalue()


class TestAnImport:
    async def test_puts_products_with_prices_stock_and_categories_in(self, run_service):
        client = await run_service("products")

        report = await imported(client, table(row("mug"), row("jug", "1299.50")), filename="mugs.csv")

        product = (await client.get("/v1/products/mug")).json()
        stock = (await client.get("/v1/inventory/MUG", headers=STAFF)).json()
        assert counts(report) == {
            "created": 2, "changed": 0, "unchanged": 0, "skipped": 0, "refused": 0, "rows": 2,
        }  # fmt: skip
        assert (report["status"], report["file"], report["format"]) == ("done", "mugs.csv", "csv")
        assert (report["total"], report["progress"], report["errors"]) == (2, 1.0, [])
        assert product["variants"][0]["price"] == {"amount": 1999, "currency": "EUR"}
        assert product["attributes"] == {"Material": ["Clay"]}
        assert [category["name"] for category in product["categories"]] == ["Kitchen"]
        assert stock["on_hand"] == 5

    async def test_of_the_same_file_again_changes_nothing(self, run_service):
        client = await run_service("products")
        content = table(row("mug"), row("jug"))
        await imported(client, content)

        report = await imported(client, content)

        assert (report["unchanged"], report["created"], report["changed"]) == (2, 0, 0)

    async def test_tells_once_that_variants_have_no_stock(self, run_service):
        client = await run_service("products")
        rows = [
            row("mug", stock=""),
            row("jug", stock=""),
            row("pot", stock="0"),
            row("bad", "free", stock=""),
        ]

        without = await imported(client, table(*rows))
        given = await imported(client, table(*rows), stock=100)

        (hint,) = without["hints"]
        assert hint.startswith("2 variants have no stock in this file and are sold out")
        assert "`--stock 100`" in hint
        assert given["hints"] == []

    async def test_tells_once_which_stock_variants_got_that_are_not_counted_in_their_shop(self, run_service):
        client = await run_service("products")
        objects = [
            {"model": "product.product", "pk": 1, "fields": {"name": "Course", "slug": "course"}},
            {"model": "product.productvariant", "pk": 1, "fields": {
                "product": 1, "sku": "COURSE", "track_inventory": False}},
        ]  # fmt: skip

        report = await imported(client, msgspec.json.encode(objects))

        stock = (await client.get("/v1/inventory/COURSE", headers=STAFF)).json()
        (hint,) = report["hints"]
        assert hint.startswith("1 variant is sold without being counted in the shop of this file")
        assert "1,000 units" in hint
        assert stock["available"] == 1_000

    async def test_tells_once_that_products_have_no_price_in_the_shops_currency(self, run_service):
        client = await run_service("products")
        content = (
            "slug,name,sku,stock,price:EUR,price:USD,price:PLN\nmug,Mug,MUG,1,1.00,2.00,\n"
            "jug,Jug,JUG,1,,2.00,3.00\npot,Pot,POT,1,,,4.00\n"
        )

        report = await imported(client, content.encode())

        (hint,) = report["hints"]
        assert hint.startswith("2 products have no price in EUR (they have PLN, USD): ")

    async def test_counts_what_changed(self, run_service):
        client = await run_service("products")
        await imported(client, table(row("mug"), row("jug"), row("cup")))

        report = await imported(client, table(row("mug", "17.50"), row("jug", stock="4"), row("cup")))

        assert (report["changed"], report["unchanged"]) == (2, 1)

    async def test_tells_refused_rows_by_line_and_field_and_goes_on(self, run_service):
        client = await run_service("products")

        report = await imported(
            client, table(row("mug"), row("jug", "cheap"), row("cup", sku="MUG"), row("pot", name=" "))
        )

        assert (report["created"], report["refused"]) == (1, 3)
        assert [(e["line"], e["identifier"], e["outcome"], e["pointer"]) for e in report["errors"]] == [
            (3, "jug", "refused", "/price"),
            (4, "cup", "refused", "/variants/0/sku"),
            (5, "pot", "refused", "/name"),
        ]
        assert report["errors"][0]["detail"] == "'cheap' is not a price such as 19.99"

    async def test_pages_errors_in_the_order_of_the_file(self, run_service):
        client = await run_service("products")
        report = await imported(client, table(*(row(f"mug-{n}", "?") for n in range(5))))

        first = (await client.get(f"/v1/imports/{report['id']}/errors?limit=3", headers=STAFF)).json()
        rest = (
            await client.get(
                f"/v1/imports/{report['id']}/errors",
                params={"limit": 3, "cursor": first["next_cursor"]},
                headers=STAFF,
            )
        ).json()

        assert [error["line"] for error in first["items"] + rest["items"]] == [2, 3, 4, 5, 6]
        assert rest["next_cursor"] is None

    async def test_takes_a_form_with_a_file(self, run_service):
        client = await run_service("products")

        answer = await client.post(
            "/v1/imports",
            files={"file": ("mugs.csv", table(row("mug")), "text/csv")},
            data={"currency": "USD"},
            headers=STAFF,
        )

        report = await ended(client, answer.json())
        product = (await client.get("/v1/products/mug?currency=USD")).json()
        assert (report["file"], report["created"]) == ("mugs.csv", 1)
        assert product["variants"][0]["price"]["currency"] == "USD"

    async def test_refuses_a_form_without_a_file(self, run_service):
        client = await run_service("products")

        answer = await client.post(
            "/v1/imports",
            content=b'--x\r\nContent-Disposition: form-data; name="currency"\r\n\r\nEUR\r\n--x--\r\n',
            headers=STAFF | {"content-type": "multipart/form-data; boundary=x"},
        )

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/body/file"

    async def test_takes_gzip(self, run_service):
        client = await run_service("products")

        report = await imported(client, gzip.compress(table(row("mug"))))

        assert (report["status"], report["created"]) == ("done", 1)

    async def test_stores_the_pictures_of_a_zip(self, run_service):
        client = await run_service("products")
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(
                "mugs.csv", table(row("mug", pictures="shots/Mug.png"), row("jug", pictures="no.png"))
            )
            archive.writestr("../../pictures/mug.png", picture())
            archive.writestr("readme.txt", "Mugs and jugs.")

        report = await imported(client, packed.getvalue())

        mug = (await client.get("/v1/products/mug")).json()
        assert (report["created"], report["refused"]) == (2, 0)
        assert mug["pictures"][0]["url"].startswith("/media/")
        assert (await client.get(mug["pictures"][0]["url"])).status_code == 200
        assert [(error["line"], error["outcome"]) for error in report["errors"]] == [(3, "warning")]

    async def test_refuses_what_is_no_product_file_and_keeps_nothing_of_it(self, run_service, tmp_path):
        client = await run_service("products")

        answer = await client.post(
            "/v1/imports", content=b"email,first_name,last_name\na@example.com,A,B\n", headers=STAFF
        )

        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/not-a-product-file"
        assert answer.json()["detail"].startswith(
            "these are customers (columns email, first_name, last_name)"
        )
        assert list((tmp_path / "data" / "imports").iterdir()) == []

    async def test_names_an_option_that_is_wrong(self, run_service):
        client = await run_service("products")

        answer = await client.post(
            "/v1/imports", content=table(row("mug")), params={"format": "magento"}, headers=STAFF
        )

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/query/format"

    async def test_fails_with_words_when_the_table_breaks_off(self, run_service):
        client = await run_service("products")

        report = await imported(client, table(row("mug"), 'jug,"' + "x" * 1_100_000))

        assert report["status"] == "failed"
        assert "begins on line 3" in report["detail"]
        assert report["created"] == 0

    async def test_outlives_characters_that_a_database_has_no_text_for(self, run_service):
        client = await run_service("products")

        report = await imported(
            client, b'{"slug": "a\\u0000b", "name": "\\u0000", "var\\u0000": 1}\n{"slug": 5}\n'
        )

        assert (report["status"], report["refused"]) == ("done", 2)

    async def test_needs_the_right_to_write_the_catalogue(self, run_service):
        client = await run_service("products")
        shopper = {"x-user-id": str(uuid4()), "x-user-scope": ""}

        assert (await client.post("/v1/imports", content=b"x")).status_code == 401
        assert (await client.post("/v1/imports", content=b"x", headers=shopper)).status_code == 403
        assert (await client.get("/v1/imports", headers=shopper)).status_code == 403
        assert (await client.get("/v1/exports/products", headers=shopper)).status_code == 403

    async def test_leaves_no_file_behind(self, run_service, tmp_path):
        client = await run_service("products")

        await imported(client, table(row("mug")))

        while list((tmp_path / "data" / "imports").iterdir()):
            await asyncio.sleep(0.02)

    async def test_refuses_a_body_that_says_it_is_too_large(self, run_service):
        client = await run_service("products")

        answer = await client.post(
            "/v1/imports", content=b"x", headers=STAFF | {"content-length": str(domain.UPLOAD_MAX * 2)}
        )

        assert answer.status_code == 413


class TestExports:
    @pytest.mark.parametrize("kind", ["csv", "jsonl"])
    async def test_give_what_an_import_takes_back_without_a_change(self, run_service, kind):
        client = await run_service("products")
        await imported(
            client,
            table(
                row("mug", name='"=SUM(A1), ""big"""', size="S"),
                row("mug", "21.00", sku="MUG-L", name=" ", size="-L", stock="0"),
                row("jug", name="Ewer | the > one"),
            ),
        )

        exported = await client.get(f"/v1/exports/products?format={kind}", headers=STAFF)

        report = await imported(client, exported.content)
        assert (report["format"], report["unchanged"], report["refused"]) == (kind, 2, 0)
        assert b"MUG-L" in exported.content


class TestAKilledImport:
    PRODUCTS = 2 * worker.BATCH + 60

    @pytest.mark.parametrize("crash", ["imports.2.before-commit", "imports.2.after-commit"])
    async def test_goes_on_where_it_was_and_counts_no_row_twice(self, database_url, tmp_path, crash):
        rows = [row(f"mug-{n}", "?" if n % 50 == 7 else "5.00") for n in range(self.PRODUCTS)]
        undisturbed = await self.report(await database_url("products"), tmp_path / "a", rows, [""])

        killed = await self.report(await database_url("products"), tmp_path / "b", rows, [crash, ""])

        assert killed == undisturbed
        assert killed["created"] == self.PRODUCTS - len(killed["errors"]) > 0
        assert killed["shop"] == killed["created"]

    async def report(self, url, home, rows, crashes):
        """The report of an import by worker processes, each killed at the point that `crashes` names."""
        from shopwright.chassis.db import open_database

        db = await open_database(url, application="test", size=2)
        imports = Imports(db, home / "data" / "imports", currency="EUR")
        job = await imports.start(await imports.receive(chunks(table(*rows))), Asked(), None)
        for crash in crashes:
            process = self.process(url, home, crash)
            while (await imports.job(job.id)).status not in {"done", "failed"} and process.poll() is None:
                await asyncio.sleep(0.05)
            assert (process.poll() == -9) == bool(crash)
            process.terminate()
            process.wait()
            async with db.read() as connection:  # as if the dead worker's lease had ended
                await connection.execute("UPDATE import_jobs SET lease_until = '-infinity'")
        over = await imports.job(job.id)
        errors = [(number, e.line, e.detail) for number, e in await imports.errors(job.id, 0, 1_000)]
        async with db.read() as connection:
            shop = await connection.fetchval("SELECT count(*) FROM products")
        await db.close()
        names = ("status", "rows", "created", "changed", "unchanged", "skipped", "refused")
        return {name: getattr(over, name) for name in names} | {"errors": errors, "shop": shop}

    def process(self, url, home, crash):
        environ = {
            **os.environ,
            "SHOPWRIGHT_SERVICE": "products",
            "SHOPWRIGHT_SOCKET": str(home / "products.sock"),
            "SHOPWRIGHT_DATABASE_URL": url,
            "SHOPWRIGHT_VALKEY_URL": "unix:///nowhere.sock",
            "SHOPWRIGHT_MESH_SOCKET": str(home / "mesh.sock"),
            "SHOPWRIGHT_PUBLIC_URL": "http://127.0.0.1:8080",
            "SHOPWRIGHT_HOME": str(home),
            "SHOPWRIGHT_CRASH_AT": crash,
        }
        with (home / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "shopwright.cli", "work", "products"],
                env=environ,
                stdout=log,
                stderr=log,
            )


class TestBounds:
    async def imports(self, database, tmp_path):
        return Imports(await database("products"), tmp_path / "imports", currency="EUR")

    async def queue(self, imports, content=None):
        return await imports.start(await imports.receive(chunks(content or table(row("mug")))), Asked(), None)

    async def test_only_so_many_uploads_wait(self, database, tmp_path):
        imports = await self.imports(database, tmp_path)
        for _ in range(domain.WAITING_MAX):
            await self.queue(imports)

        with pytest.raises(TooManyImports):
            await self.queue(imports)

        assert len(list((tmp_path / "imports").iterdir())) == domain.WAITING_MAX

    async def test_an_upload_ends_at_its_limit_and_leaves_nothing(self, database, tmp_path):
        imports = await self.imports(database, tmp_path)
        mebibyte = bytes(1_048_576)

        async def endless():
            while True:
                yield mebibyte

        with pytest.raises(RequestTooLarge):
            await imports.receive(endless())

        assert list((tmp_path / "imports").iterdir()) == []

    async def test_a_zip_that_unpacks_to_too_much_is_refused(self, database, tmp_path):
        imports = await self.imports(database, tmp_path)
        packed = io.BytesIO()
        with (
            zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
            archive.open("bomb.csv", "w", force_zip64=True) as member,
        ):
            for _ in range(1_100):
                member.write(b"x" * 1_048_576)

        with pytest.raises(NotAProductFile, match="unpacked it has more than"):
            await self.queue(imports, packed.getvalue())

    async def test_a_waiting_import_can_be_cancelled_and_its_file_goes(self, database, tmp_path):
        imports = await self.imports(database, tmp_path)
        job = await self.queue(imports)

        cancelled = await imports.cancel(job.id)

        assert cancelled.status == "cancelled"
        assert list((tmp_path / "imports").iterdir()) == []

    async def test_old_reports_and_orphaned_files_are_forgotten(self, database, tmp_path):
        imports = await self.imports(database, tmp_path)
        jobs = [await self.queue(imports) for _ in range(3)]
        for job in jobs[:2]:
            await imports.cancel(job.id)
        orphan = tmp_path / "imports" / "orphan"
        orphan.mkdir()
        os.utime(orphan, (0, 0))
        os.utime(tmp_path / "imports" / str(jobs[2].id), (0, 0))
        async with imports._db.read() as connection:
            await connection.execute(
                "UPDATE import_jobs SET created_at = now() - interval '31 days' WHERE id = ANY($1)",
                [jobs[0].id, jobs[2].id],
            )

        await imports.prune()

        assert {job.id for job in await imports.page(None, 10)} == {jobs[1].id, jobs[2].id}
        assert [entry.name for entry in (tmp_path / "imports").iterdir()] == [str(jobs[2].id)]
