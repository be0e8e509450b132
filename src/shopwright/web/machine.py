"""What machines ask a site for: static files, icon, robots, sitemap; and the page for what is not here."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from litestar import MediaType, Request, Response, get

from shopwright.contracts.problems import NotFound

from .clients.reading import Category
from .clients.remote import unless_away
from .site import Remembered, Site
from .visit import Visit

SITEMAP_PAGES = 20  # of 100 products each: a bound on what one request may ask of products
SITEMAP_S = 3_600.0
FOREVER = "public, max-age=31536000, immutable"


@get("/static/{name:str}", include_in_schema=False, sync_to_thread=False)
def static(name: str, request: Request, site: Site) -> Response[bytes]:
    asset = site.assets.find(name)
    if asset is None:
        raise NotFound(detail=f"no file {name}")
    headers = {"cache-control": FOREVER, "vary": "Accept-Encoding"}
    if asset.compressed and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            asset.compressed, media_type=asset.media_type, headers=headers | {"content-encoding": "gzip"}
        )
    return Response(asset.content, media_type=asset.media_type, headers=headers)


@get(["/favicon.svg", "/favicon.ico"], include_in_schema=False, sync_to_thread=False)
def favicon(site: Site) -> Response[bytes]:
    asset = site.assets.plain("favicon.svg")
    return Response(
        asset.content, media_type=asset.media_type, headers={"cache-control": "public, max-age=86400"}
    )


@get("/robots.txt", media_type=MediaType.TEXT, include_in_schema=False, sync_to_thread=False)
def robots(site: Site) -> str:
    closed = ("/admin", "/cart", "/checkout", "/account", "/orders", "/search?", "/v1/", "/mailbox")
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed)]
    return "\n".join([*lines, f"Sitemap: {site.settings.public_url}/sitemap.xml", ""])


@get("/sitemap.xml", include_in_schema=False)
async def sitemap(sitemap_paths: Remembered[list[str]], site: Site) -> Response[bytes]:
    urls = "".join(
        f"<url><loc>{escape(site.settings.public_url + path)}</loc></url>"
        for path in await sitemap_paths.get()
    )
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'
    )
    headers = {"cache-control": "public, max-age=3600"}
    return Response(document.encode(), media_type="application/xml", headers=headers)


@get("/-/not-found", include_in_schema=False)
async def not_found(visit: Visit) -> Response[bytes]:
    return await visit.page("not_found.html", status=404)


def sitemap_of(site: Site) -> Remembered[list[str]]:
    """The addresses worth finding: categories and the newest products, up to a bound."""

    async def collect() -> list[str]:
        paths = ["/", *(f"/category/{category.slug}" for category in _all(await site.categories.get()))]
        cursor: str | None = None
        for _ in range(SITEMAP_PAGES):
            page = await unless_away(site.products.products(limit=100, cursor=cursor))
            paths += [f"/product/{product.slug}" for product in page.items] if page else []
            cursor = page.next_cursor if page else None
            if cursor is None:
                break
        return paths

    return Remembered(collect, ["/"], SITEMAP_S)


def _all(tree: list[Category]) -> list[Category]:
    return [item for category in tree for item in (category, *_all(category.children))]


HANDLERS: list[Any] = [static, favicon, robots, sitemap]
PAGES: list[Any] = [not_found]
