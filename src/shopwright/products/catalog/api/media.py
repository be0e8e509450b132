"""Stored pictures, as files that never change and can do nothing."""

from __future__ import annotations

import asyncio

from litestar import Request, Response, get

from shopwright.contracts.problems import NotFound

from ..pictures import TYPES, Pictures

HEADERS = {
    "cache-control": "public, max-age=31536000, immutable",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "cross-origin-resource-policy": "cross-origin",
    "content-disposition": "inline",
}


@get("/media/{path:path}", tags=["catalogue"])
async def read_media(path: str, request: Request, pictures: Pictures) -> Response[bytes]:
    """A stored picture; its name is the hash of its content. `…-480.webp` is the smaller one."""
    file = pictures.find(str(path).lstrip("/"))
    if file is None:
        raise NotFound(detail=f"there is no picture {path}")
    etag = f'"{file.stem}"'
    headers = HEADERS | {"etag": etag}
    kind = TYPES[file.suffix]
    if etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers, media_type=kind)
    return Response(await asyncio.to_thread(file.read_bytes), headers=headers, media_type=kind)


HANDLERS: list[object] = [read_media]
