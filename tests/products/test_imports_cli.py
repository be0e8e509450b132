"""`shopwright import` and `export` against a running shop."""

import csv
import json

import pytest

pytestmark = pytest.mark.stack

GOOD = "slug,name,sku,price\ncli-mug,Mug,CLI-MUG,19.99\ncli-jug,Jug,CLI-JUG,24.00\n"
BAD = "slug,name,sku,price\ncli-cup,Cup,CLI-CUP,4.00\n" + "".join(
    f"cli-bad-{n},Bad,CLI-BAD-{n},free\n" for n in range(25)
)


@pytest.fixture
def shop(platform, tmp_path):
    def run(*arguments, **environ):
        return type(platform)(platform.home, platform.url, platform.tls_url, platform.environ | environ).cli(
            *arguments, check=False
        )

    return run


def file(tmp_path, content, name="products.csv"):
    path = tmp_path / name
    path.write_text(content)
    return str(path)


def products(path):
    return {product["slug"]: product for product in map(json.loads, path.read_text().splitlines())}


class TestImport:
    def test_tells_what_became_of_a_file_and_of_the_same_again(self, shop, tmp_path):
        first = shop("import", "products", file(tmp_path, GOOD))
        again = shop("import", "products", file(tmp_path, GOOD))

        assert (first.returncode, again.returncode) == (0, 0)
        assert "2 created, 0 changed, 0 unchanged, 0 skipped, 0 refused; 2 rows" in first.stdout
        assert "0 created, 0 changed, 2 unchanged" in again.stdout
        assert first.stdout.count("2 variants have no stock in this file and are sold out") == 1
        assert "`--stock 100`" in first.stdout

    def test_tells_refused_rows_shortly_and_writes_all_of_them(self, shop, tmp_path):
        notes = tmp_path / "errors.csv"

        ran = shop("import", "products", file(tmp_path, BAD), "--errors", str(notes))

        with notes.open(newline="") as table:
            rows = list(csv.DictReader(table))
        assert ran.returncode == 1
        assert "25 refused" in ran.stdout
        assert ran.stdout.count("'free' is not a price such as 19.99") == 20
        assert [row["line"] for row in rows] == [str(line) for line in range(3, 28)]
        assert rows[0]["pointer"] == "/price"

    def test_says_what_a_file_is_that_holds_no_products(self, shop, tmp_path):
        ran = shop("import", "products", file(tmp_path, "email,first_name,last_name\n"))

        assert ran.returncode == 1
        assert "these are customers" in ran.stderr

    def test_says_what_is_missing(self, shop, tmp_path):
        assert "there is no file" in shop("import", "products", str(tmp_path / "none.csv")).stderr
        assert "is a folder; name the product file in it" in shop("import", "products", str(tmp_path)).stderr
        assert "there is no folder" in shop(
            "import", "products", file(tmp_path, GOOD), "--pictures", str(tmp_path / "none")
        ).stderr  # fmt: skip

    def test_sends_pictures_with_the_file(self, shop, tmp_path):
        pictures = tmp_path / "pictures"
        pictures.mkdir()
        (pictures / "mug.svg").write_text(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8"/></svg>'
        )
        table = "slug,name,sku,price,pictures\ncli-drawn,Drawn,CLI-DRAWN,1.00,mug.svg\n"

        ran = shop("import", "products", file(tmp_path, table), "--pictures", str(pictures))

        assert (ran.returncode, "left out" in ran.stdout) == (0, False)

    def test_needs_the_rights_of_its_token(self, shop, tmp_path):
        ran = shop("import", "products", file(tmp_path, GOOD), SHOPWRIGHT_TOKEN="nonsense")

        assert ran.returncode == 1
        assert "Log in first" in ran.stderr


class TestExport:
    @pytest.mark.parametrize("ending", ["csv", "jsonl"])
    def test_of_the_whole_shop_is_taken_back_unchanged(self, shop, tmp_path, ending):
        target = tmp_path / f"all.{ending}"

        exported = shop("export", "products", str(target))

        again = shop("import", "products", str(target))
        assert exported.returncode == 0
        assert (again.returncode, again.stdout.count(" 0 created, 0 changed, ")) == (0, 1)
        assert not (tmp_path / f"all.{ending}.part").exists()


class TestTheDemo:
    def test_is_imported_when_the_shop_first_comes_up(self, platform, shop, tmp_path):
        target = tmp_path / "all.jsonl"

        shop("export", "products", str(target))

        demo = products(platform.home / "data" / "demo" / "products.jsonl")
        found = products(target)
        assert len(demo) > 90
        assert demo.keys() <= found.keys()
        assert all(found[slug]["pictures"][0]["source"].startswith("/media/") for slug in demo)
