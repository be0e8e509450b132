"""Pictures from strangers: verified, made anew, stored once, and served so that they can do nothing."""

import struct
import zlib
from io import BytesIO
from uuid import uuid4

import pytest
from PIL import Image

from shopwright.products.catalog.domain import PictureRefused
from shopwright.products.catalog.drawings import clean_svg
from shopwright.products.catalog.pictures import Pictures

STAFF = {"x-user-id": str(uuid4()), "x-user-scope": "catalog:read catalog:write"}
CIRCLE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10"><circle r="4" fill="#f80"/></svg>'
OPEN = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'


@pytest.fixture
async def pictures(database, tmp_path):
    return Pictures(tmp_path / "media", await database("products"))


def picture(kind="PNG", size=(1_600, 800), mode="RGB", **options):
    out = BytesIO()
    Image.new(mode, size, "orange" if mode == "RGB" else None).save(out, kind, **options)
    return out.getvalue()


def png_that_claims(width, height):
    """A tiny file whose header promises a picture of that size."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def files(tmp_path):
    return sorted(path for path in (tmp_path / "media").rglob("*") if path.is_file())


def looks(tmp_path, *names):
    found = set()
    for file in files(tmp_path):
        with Image.open(file) as opened:
            found.add(tuple(getattr(opened, name) for name in names))
    return found


class TestStore:
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
    async def test_makes_webp_of_sensible_sizes(self, pictures, tmp_path, kind):
        stored = await pictures.store_picture(picture(kind))

        assert stored.path.startswith("/media/")
        assert (stored.width, stored.height) == (1_200, 600)
        assert looks(tmp_path, "format", "size") == {("WEBP", (1_200, 600)), ("WEBP", (480, 240))}

    async def test_stores_the_same_picture_once(self, pictures, tmp_path):
        first = await pictures.store_picture(picture())
        second = await pictures.store_picture(picture(), "another-name.png")

        assert first == second
        assert len(files(tmp_path)) == 2

    async def test_never_enlarges(self, pictures):
        stored = await pictures.store_picture(picture(size=(30, 20)))

        assert (stored.width, stored.height) == (30, 20)

    async def test_turns_it_upright_and_forgets_where_it_was_taken(self, pictures, tmp_path):
        exif = Image.Exif()
        exif[0x0112] = 6  # rotate by 90 degrees to see it upright
        exif[0x010F] = "A camera"
        exif.get_ifd(0x8825)[1] = "N"

        stored = await pictures.store_picture(picture("JPEG", (200, 100), exif=exif.tobytes()))

        assert (stored.width, stored.height) == (100, 200)
        assert all(b"A camera" not in file.read_bytes() for file in files(tmp_path))
        assert all(b"EXIF" not in file.read_bytes() for file in files(tmp_path))

    async def test_keeps_transparency(self, pictures, tmp_path):
        await pictures.store_picture(picture("PNG", (20, 20), "RGBA"))

        assert looks(tmp_path, "mode") == {("RGBA",)}

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"GIF89a",
            b"not a picture at all",
            b"<html><script>alert(1)</script></html>",
            b"%PDF-1.7",
            picture()[:200],
            picture("BMP"),
            picture("TIFF"),
            picture(size=(8_000, 8_000), mode="1"),
            png_that_claims(30_000, 30_000),
            png_that_claims(2**31 - 1, 2**31 - 1),
            png_that_claims(400, 400),
            b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        ],
        ids=range(13),
    )
    async def test_refuses_what_is_no_picture_or_a_bomb(self, pictures, tmp_path, content):
        with pytest.raises(PictureRefused):
            await pictures.store_picture(content)

        assert not (tmp_path / "media").exists()

    async def test_says_which_file_it_was(self, pictures):
        with pytest.raises(PictureRefused, match=r"lamp\.png"):
            await pictures.store_picture(b"x", "lamp.png")


class TestDrawings:
    def test_are_kept_as_they_look(self):
        drawn = clean_svg(
            f'{OPEN}<title>A &amp; B</title><defs><linearGradient id="g"><stop offset="0" stop-color="red"/>'
            '</linearGradient></defs><rect width="4" fill="url(#g)" style="opacity:.5;stroke:#000"/>'
            '<use href="#g"/><use xlink:href="#g"/></svg>'.encode()
        ).content.decode()

        for part in (
            'fill="url(#g)"',
            'opacity=".5"',
            'stroke="#000"',
            'href="#g"',
            "A &amp; B",
            "<linearGradient",
        ):
            assert part in drawn

    def test_tell_their_size(self):
        assert clean_svg(CIRCLE.encode())[1:] == (1_200, 600)
        assert clean_svg(CIRCLE.replace("viewBox", 'width="40px" height="30" viewBox').encode())[1:] == (
            40,
            30,
        )

    def test_lose_what_editors_leave_in_them(self):
        drawn = clean_svg(
            f'<?xml version="1.0"?><?xml-stylesheet href="https://evil.example/x.css"?><!-- a note -->{OPEN}'
            '<metadata><rdf:RDF xmlns:rdf="http://r"><rdf:x>secret</rdf:x></rdf:RDF></metadata>'
            '<i:named xmlns:i="http://inkscape"><path d="M0 0"/></i:named><path d="M1 1" i:x="1" xmlns:i="http://i"/>'
            "</svg>".encode()
        ).content.decode()

        assert "M1 1" in drawn
        for part in ("evil", "note", "secret", "M0 0", "metadata"):
            assert part not in drawn

    @pytest.mark.parametrize(
        "inner",
        [
            "<script>alert(1)</script>",
            "<script href='data:,alert(1)'/>",
            "<foreignObject><body xmlns='http://www.w3.org/1999/xhtml'/></foreignObject>",
            "<rect onload='alert(1)'/>",
            "<rect ONCLICK='alert(1)'/>",
            "<a href='javascript:alert(1)'><rect/></a>",
            "<image href='https://evil.example/x.png'/>",
            "<image href='data:image/svg+xml;base64,AAAA'/>",
            "<use href='https://evil.example/x.svg#a'/>",
            "<use xlink:href='data:image/svg+xml,x#a'/>",
            "<use href='//evil.example/x.svg#a'/>",
            "<style>@import 'https://evil.example/x.css'</style>",
            "<rect style='fill:url(https://evil.example/x)'/>",
            "<rect fill='url(https://evil.example/#a)'/>",
            "<rect fill='url(\"//evil.example\")'/>",
            "<rect fill='u\\72l(https://evil.example)'/>",
            "<rect fill='url(#a) url(https://evil.example)'/>",
            "<rect filter='url(data:x#a)'/>",
            "<animate attributeName='href' values='javascript:alert(1)'/>",
            "<set attributeName='onload' to='alert(1)'/>",
            "<iframe src='https://evil.example'/>",
            "<g><g><g><handler type='text/javascript'>x</handler></g></g></g>",
            "<rect",
            "<g>" * 100 + "</g>" * 100,
            "<g/>" * 20_001,
        ],
    )
    def test_that_do_more_than_draw_are_refused(self, inner):
        with pytest.raises(PictureRefused):
            clean_svg(f"{OPEN}{inner}</svg>".encode())

    @pytest.mark.parametrize(
        "content",
        [
            '<!DOCTYPE svg [<!ENTITY x "y">]><svg xmlns="http://www.w3.org/2000/svg"><text>&x;</text></svg>',
            '<!DOCTYPE svg SYSTEM "file:///etc/passwd"><svg xmlns="http://www.w3.org/2000/svg"/>',
            '<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg">&b;</svg>',
            "<svg><circle/></svg>",
            '<html xmlns="http://www.w3.org/1999/xhtml"><svg xmlns="http://www.w3.org/2000/svg"/></html>',
            "<",
            f"{CIRCLE}<script/>",
            CIRCLE + " " * 1_048_576,
        ],
    )
    def test_that_are_no_plain_svg_are_refused(self, content):
        with pytest.raises(PictureRefused):
            clean_svg(content.encode())

    def test_in_another_encoding_are_read_as_they_say(self):
        text = '<?xml version="1.0" encoding="utf-16"?>' + CIRCLE.replace("circle", "script").replace(
            "/>", "></script>"
        )

        with pytest.raises(PictureRefused):
            clean_svg(text.encode("utf-16"))


async def uploaded(client, content, kind="image/png", alt=""):
    headers = STAFF | {"content-type": kind}
    return await client.post(
        "/v1/products/lamp/pictures", params={"alt": alt}, content=content, headers=headers
    )


class TestServe:
    @pytest.fixture
    async def client(self, run_service):
        client = await run_service("products")
        variant = {"sku": "A", "price": {"amount": 1, "currency": "EUR"}}
        await client.post(
            "/v1/products", json={"name": "Lamp", "status": "active", "variants": [variant]}, headers=STAFF
        )
        return client

    async def test_an_uploaded_picture_can_be_kept_for_ever_and_does_nothing(self, client):
        answer = await uploaded(client, CIRCLE, "image/svg+xml", alt="A lamp")

        shown = answer.json()["pictures"][0]
        served = await client.get(shown["url"])
        assert (answer.status_code, shown["alt"], shown["width"]) == (201, "A lamp", 1_200)
        assert (served.status_code, served.headers["content-type"]) == (200, "image/svg+xml")
        assert served.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert served.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in served.headers["content-security-policy"]
        again = await client.get(shown["url"], headers={"if-none-match": served.headers["etag"]})
        assert again.status_code == 304

    async def test_a_form_uploads_too(self, client):
        form = {"files": {"file": ("lamp.png", picture(), "image/png")}, "data": {"alt": "A lamp"}}

        shown = (await client.post("/v1/products/lamp/pictures", headers=STAFF, **form)).json()["pictures"][0]

        assert (shown["alt"], shown["width"], shown["height"]) == ("A lamp", 1_200, 600)
        small = await client.get(shown["url"].replace(".webp", "-480.webp"))
        assert Image.open(BytesIO(small.content)).size == (480, 240)

    async def test_pictures_are_put_in_order_described_and_taken_off(self, client):
        for size in ((10, 10), (20, 20)):
            answer = await uploaded(client, picture(size=size))
        first, second = answer.json()["pictures"]

        order = {"pictures": [{"url": second["url"], "alt": "Second"}, {"url": first["url"]}]}
        turned = (await client.put("/v1/products/lamp/pictures", json=order, headers=STAFF)).json()[
            "pictures"
        ]
        left = (await client.delete(f"/v1/products/lamp/pictures/{first['id']}", headers=STAFF)).json()[
            "pictures"
        ]

        assert [(p["id"], p["alt"]) for p in turned] == [(second["id"], "Second"), (first["id"], "")]
        assert [p["id"] for p in left] == [second["id"]]

    async def test_what_is_no_picture_is_refused(self, client):
        answers = [await uploaded(client, b"x", kind) for kind in ("image/png", "text/html")]
        too_large = await uploaded(client, b"x" * 17_000_000)

        assert [answer.json()["type"] for answer in answers] == ["/problems/picture-refused"] * 2
        assert too_large.status_code == 413

    @pytest.mark.parametrize(
        "path", ["x.webp", "../products.sock", "%2e%2e/secret.webp", "a/..%2f..%2fx.webp", "%00.webp", ""]
    )
    async def test_nothing_else_is_served(self, client, tmp_path, path):
        (tmp_path / "secret.webp").write_bytes(b"secret")

        assert (await client.get(f"/media/{path}")).status_code == 404


class TestSweep:
    async def test_deletes_what_nobody_refers_to(self, database, tmp_path):
        import os

        from shopwright.products.catalog.drafts import PictureDraft
        from shopwright.products.testing import Store, a_product

        shop = Store(await database("products"))
        pictures = Pictures(tmp_path / "media", shop.db)
        used, unused = [await pictures.store_picture(picture(size=(n, n))) for n in (10, 20)]
        await shop.catalog.put([a_product(pictures=[PictureDraft(used.path)])])
        young = await pictures.sweep()
        async with shop.db.read() as connection:
            await connection.execute("UPDATE media_files SET looked_at = now() - interval '2 days'")
        for file in files(tmp_path):
            os.utime(file, (0, 0))

        assert (young, await pictures.sweep(), await pictures.sweep()) == (0, 1, 0)

        names = {f"/media/{file.relative_to(tmp_path / 'media')}" for file in files(tmp_path)}
        assert used.path in names
        assert unused.path not in names
        assert len(names) == 2
