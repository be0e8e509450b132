"""`/openapi.json`, `/asyncapi.json` and `/docs`."""

from __future__ import annotations

import gzip
import hashlib
from typing import Any, Final, NamedTuple

import msgspec
from litestar import MediaType, Request, Response, get

from ..site import Site
from .events import asyncapi
from .guide import chapters, refusals
from .reading import events_of, groups_of, numbered
from .reference import VERSION, Reference

CACHE: Final = "public, max-age=30"
WORDS_MAX: Final = 100
OPENAPI, PAGE = "openapi.json", "docs"


class Copy(NamedTuple):
    """Bytes to send, compressed once."""

    body: bytes
    compressed: bytes
    etag: str
    media_type: MediaType


def copy_of(body: bytes, media_type: MediaType) -> Copy:
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    return Copy(body, gzip.compress(body, 6, mtime=0), etag, media_type)


_ASYNCAPI: Final = asyncapi(VERSION)
_ASYNCAPI_JSON: Final = copy_of(msgspec.json.encode(_ASYNCAPI), MediaType.JSON)


@get("/openapi.json", include_in_schema=False)
async def openapi_json(request: Request, reference: Reference) -> Response[bytes]:
    await reference.refresh(request.app.openapi_schema.to_schema)
    if OPENAPI not in reference.kept:
        reference.kept[OPENAPI] = copy_of(reference.encoded, MediaType.JSON)
    return _answer(request, reference.kept[OPENAPI])


@get("/asyncapi.json", include_in_schema=False, sync_to_thread=False)
def asyncapi_json(request: Request) -> Response[bytes]:
    return _answer(request, _ASYNCAPI_JSON)


@get("/docs", include_in_schema=False)
async def docs(request: Request, reference: Reference, site: Site) -> Response[bytes]:
    """The reference for people; `q` narrows it to the calls that have those words."""
    await reference.refresh(request.app.openapi_schema.to_schema)
    words = request.query_params.get("q", "").strip()[:WORDS_MAX]
    if words:
        return _answer(request, copy_of(_rendered(reference, site, words), MediaType.HTML))
    if PAGE not in reference.kept:
        reference.kept[PAGE] = copy_of(_rendered(reference, site, ""), MediaType.HTML)
    return _answer(request, reference.kept[PAGE])


def _rendered(reference: Reference, site: Site, words: str) -> bytes:
    server = site.settings.public_url
    template = site.templates.get_template("docs/reference.html")
    html = template.render(
        groups=groups_of(reference.document, server, words), events=events_of(_ASYNCAPI),
        chapters=chapters(server), refusals=refusals(), away=reference.away, words_asked=words, server=server,
        numbered=numbered,
    )  # fmt: skip
    return html.encode()


def _answer(request: Request, copy: Copy) -> Response[bytes]:
    headers = {"cache-control": CACHE, "etag": copy.etag, "vary": "Accept-Encoding"}
    if copy.etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, media_type=copy.media_type, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        return Response(copy.compressed, media_type=copy.media_type, headers=headers)
    return Response(copy.body, media_type=copy.media_type, headers=headers)


HANDLERS: list[Any] = [openapi_json, asyncapi_json, docs]
