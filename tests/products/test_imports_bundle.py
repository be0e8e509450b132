"""Uploads are plain, gzipped or zipped, and nothing in an archive is trusted."""

import gzip
import zipfile

import pytest

from shopwright.products.imports import bundle
from shopwright.products.imports.readers.reading import BadFile

MUGS = b"slug,name,sku,price\nmug,Mug,MUG,1.00\n"


def packed(tmp_path, **members):
    path = tmp_path / "upload"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def unpack(tmp_path, upload):
    form = bundle.unpack(upload, tmp_path / "data")
    return form.format, (tmp_path / "data").read_bytes()


class TestUnpack:
    def test_takes_the_product_file_out_of_a_zip_whatever_lies_beside_it(self, tmp_path):
        upload = packed(
            tmp_path,
            **{
                "__MACOSX/shop/._mugs.csv": b"\0\5",
                "shop/customers.csv": b"email,first_name,last_name\n",
                "shop/readme.txt": b"hello",
                "shop/mugs.csv": MUGS,
            },
        )

        assert unpack(tmp_path, upload) == ("csv", MUGS)

    def test_refuses_two_product_files(self, tmp_path):
        upload = packed(tmp_path, **{"a.csv": MUGS, "b.csv": MUGS})

        with pytest.raises(BadFile, match=r"more than one product file \(a.csv, b.csv\)"):
            unpack(tmp_path, upload)

    def test_says_of_a_zip_without_products_what_it_holds(self, tmp_path):
        upload = packed(tmp_path, **{"customers.csv": b"email,first_name,last_name\n"})

        with pytest.raises(BadFile, match=r"customers\.csv: these are customers"):
            unpack(tmp_path, upload)

    def test_knows_an_excel_workbook(self, tmp_path):
        upload = packed(tmp_path, **{"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"})

        with pytest.raises(BadFile, match="an Excel workbook"):
            unpack(tmp_path, upload)

    @pytest.mark.parametrize(
        "content",
        [gzip.compress(MUGS)[:-9], b"PK\x03\x04 but no more", gzip.compress(MUGS)[:12]],
        ids=["torn gzip", "torn zip", "as good as no gzip"],
    )
    def test_refuses_a_damaged_archive_in_words(self, tmp_path, content):
        (tmp_path / "upload").write_bytes(content)

        with pytest.raises(BadFile, match="is damaged"):
            unpack(tmp_path, tmp_path / "upload")


class TestPictures:
    @pytest.mark.parametrize(
        "name",
        [
            "shots/Mug-Red.JPG", "mug-red.jpg", "/static/img/mug-red.jpg", "mug-red.png",
            "products/mug-red_1a2b3c4d.png", "..\\..\\mug-red.jpg", "red.webp",
        ],
    )  # fmt: skip
    def test_are_found_by_path_name_or_stem(self, tmp_path, name):
        pictures = bundle.Pictures(packed(tmp_path, **{"shots/mug-red.jpg": b"picture", "jug.png": b"no"}))

        assert pictures.read(name) == b"picture"

    def test_are_not_guessed_between_two(self, tmp_path):
        pictures = bundle.Pictures(packed(tmp_path, **{"mug-red.jpg": b"1", "jug-red.jpg": b"2"}))

        assert pictures.read("red.jpg") is None
        assert pictures.read("blue.jpg") is None
        assert pictures.read("") is None

    def test_are_none_where_the_upload_is_no_zip(self, tmp_path):
        (tmp_path / "upload").write_bytes(MUGS)

        pictures = bundle.Pictures(tmp_path / "upload")

        assert (len(pictures), pictures.read("mug.jpg")) == (0, None)

    def test_never_come_from_the_servers_disk(self, tmp_path):
        secret = tmp_path / "secret.png"
        secret.write_bytes(b"secret")

        assert bundle.Pictures(packed(tmp_path, **{"mug.png": b"1"})).read(str(secret)) is None
