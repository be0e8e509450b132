"""The few pages of notifications: the local mailbox, and the one that asks whether to unsubscribe.

No script runs on them. A mail's own HTML stands in a frame of its own, sandboxed by attribute and by header:
its links open outside of it, nothing else works.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any, Final, Literal

import jinja2
from litestar import MediaType, Response
from markupsafe import Markup

from .clients.mailbox import StoredMail
from .rendering import FOLDER

_CSS: Final = (FOLDER / "pages.css").read_text(encoding="utf-8")
_CSS_HASH: Final = base64.b64encode(hashlib.sha256(_CSS.encode()).digest()).decode()
_PAGE_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_CSS_HASH}'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
SANDBOX: Final = "allow-popups allow-popups-to-escape-sandbox"
_MAIL_POLICY: Final = (
    f"sandbox {SANDBOX}; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)
_TEMPLATES: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(FOLDER),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_TEMPLATES.globals |= {"css": Markup(_CSS), "sandbox": SANDBOX}  # noqa: S704 - a file of ours, not input


def mailbox(mails: Sequence[StoredMail], chosen: StoredMail | None, to: str | None) -> Response[bytes]:
    return _page("mailbox.html", mails=mails, chosen=chosen, to=to or "")


def framed(html: str) -> Response[bytes]:
    """A mail's HTML, for the frame only."""
    return _html(html, _MAIL_POLICY)


def unsubscribe(state: Literal["ask", "done", "too_old"], token: str) -> Response[bytes]:
    return _page("unsubscribe.html", status=410 if state == "too_old" else 200, state=state, token=token)


def _page(template: str, *, status: int = 200, **values: Any) -> Response[bytes]:
    return _html(_TEMPLATES.get_template(template).render(values), _PAGE_POLICY, status)


def _html(body: str, policy: str, status: int = 200) -> Response[bytes]:
    headers = {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
    }
    return Response(body.encode(), status_code=status, media_type=MediaType.HTML, headers=headers)
