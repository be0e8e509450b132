"""Idempotency-Key of a request, as the `once` of its transaction (draft-ietf-httpapi-idempotency-key-
header).
"""

from __future__ import annotations

import hashlib

from litestar import Request

from .db import Once
from .validation import invalid

KEY_MAX = 255


async def once_of(request: Request, actor: str) -> Once | None:
    """The key of this request, private to `actor` (a user, a cart); None when the client sent none.

    The fingerprint covers method, path and body, so the same key with another request is refused.
    """
    key = request.headers.get("idempotency-key", "").strip()
    if not key:
        return None
    if len(key) > KEY_MAX or not key.isprintable():
        raise invalid("/headers/idempotency-key", f"must be 1 to {KEY_MAX} printable characters")
    digest = hashlib.sha256(f"{request.method} {request.url.path}\n".encode())
    digest.update(await request.body())
    return Once(f"request:{actor}:{key}", digest.digest())
