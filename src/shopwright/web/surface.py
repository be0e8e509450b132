"""The outermost layer of web: what is true of every answer to a browser, whatever handler gave it.

HEAD is answered as GET without a body; security headers stand on everything; a path that no handler knows
becomes a page for a browser and stays a problem document for a program; `/readyz` asked from outside speaks
for the whole platform, asked by the gateway's health check for this process only.
"""

from __future__ import annotations

from typing import Any, Final

Message = dict[str, Any]

CONTENT_SECURITY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; "
    "img-src 'self' data: https:; "  # imported catalogues point at pictures elsewhere
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS: Final = (
    (b"content-security-policy", CONTENT_SECURITY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)
NOT_FOUND_PAGE: Final = "/-/not-found"
NOT_FOUND_OFFICE: Final = "/admin/-/not-found"  # no such page either, told by the back office
PLATFORM_READY: Final = "/-/ready"


class Surface:
    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        head = scope["method"] == "HEAD"
        if head:
            scope = scope | {"method": "GET"}
        if scope["path"] == "/readyz" and headers.get(b"x-caller") == b"edge":
            scope = _moved(scope, PLATFORM_READY)
        answer = _Answer(send, head=head, pages=scope["method"] == "GET" and _wants_page(scope, headers))
        await self._app(scope, receive, answer.send)
        if answer.unknown_path:
            page = NOT_FOUND_OFFICE if scope["path"].startswith("/admin/") else NOT_FOUND_PAGE
            await self._app(_moved(scope, page), receive, _Answer(send, head=head, pages=False).send)


def _moved(scope: Any, path: str) -> Any:
    return scope | {"path": path, "raw_path": path.encode()}


def _wants_page(scope: Any, headers: dict[bytes, bytes]) -> bool:
    api = scope["path"].startswith(("/v1/", "/internal/"))
    return not api and b"text/html" in headers.get(b"accept", b"")


class _Answer:
    """Passes messages on with the headers of every answer; holds back a 404 that a page shall replace."""

    def __init__(self, send: Any, *, head: bool, pages: bool) -> None:
        self._send, self._head, self._pages = send, head, pages
        self.unknown_path = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            held = dict(message["headers"])
            json = held.get(b"content-type", b"").startswith(b"application/problem+json")
            self.unknown_path = self._pages and message["status"] in {404, 405} and json
            message = message | {"headers": [*message["headers"], *SECURITY_HEADERS]}
        elif self._head:
            message = message | {"body": b""}
        if not self.unknown_path:
            await self._send(message)
