"""One request of a browser: its session, its form, and the answers a page can give.

Reading a page never needs the session database: when that is away, pages are shown as to a guest. Every
unsafe request is checked for forgery before its handler sees it; a browser without a session gets an id for
its forms alone, worth nothing once a session begins. Pages shown to nobody in particular may be kept by
browsers for a short time; pages with a session or a form token never.
"""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote, urlsplit

import structlog
from litestar import MediaType, Request, Response
from litestar.datastructures import Cookie

from shopwright.contracts.problems import Unavailable

from .forms import TEXT_MAX, TOKEN_FIELD, ForeignForm, Form, StaleForm, comes_from, read_form
from .sealing import is_session_id, new_session_id
from .sessions import Audience, Identity, Purchase, Session
from .site import Site

log = structlog.get_logger()

WARNING = "! "  # begins a stored notice about something that was not done
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
COOKIES: dict[Audience, str] = {"shop": "session", "staff": "staff"}
_URL_SAFE = "/:?&=#%+,;@!$'()*~[]"  # what an address may hold unchanged (RFC 3986)
CACHE_S = 30  # of a page without a session


class Visit:
    """What a handler needs of the request, and how it answers."""

    text_max = TEXT_MAX  # of one typed field

    def __init__(self, site: Site, request: Request, audience: Audience = "shop") -> None:
        self.site, self.request, self.audience = site, request, audience
        self.session: Session | None = None
        self.form = Form({})
        self.secure = request.headers.get("x-forwarded-proto", request.url.scheme) == "https"
        host = request.headers.get("host", "") or urlsplit(site.settings.public_url).netloc
        self.origin = f"{'https' if self.secure else 'http'}://{host}"
        sent = request.cookies.get(self.cookie_name, "")
        self._known = sent if is_session_id(sent) else ""
        self._cookie: str | None = None
        self._token = ""
        self._shared = False

    @property
    def identity(self) -> Identity | None:
        return self.session.identity if self.session else None

    @property
    def purchases(self) -> list[Purchase]:
        """The orders placed from this browser, newest first."""
        return self.session.purchases if self.session else []

    @property
    def path(self) -> str:
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")

    @property
    def cookie_name(self) -> str:
        name = COOKIES[self.audience]
        return f"__Host-{name}" if self.secure else name

    @property
    def form_token(self) -> str:
        """For the forms of this page; empty on a public page that goes to a browser without a cookie."""
        form_id = self.session.id if self.session else self._known
        if not form_id and not self._shared:
            form_id = self._known = self._cookie = new_session_id()
        if form_id and not self._token:
            self._token = self.site.sessions.form_token(form_id)
        return self._token

    async def open(self) -> None:
        """Find the session of the cookie, and check a form before anything is done with it."""
        unsafe = self.request.method not in SAFE
        if self._known:
            try:
                self.session = await self.site.sessions.find(self._known, self.audience)
            except Unavailable:
                if unsafe or self.audience == "staff":
                    raise
                log.warning("a page is shown without its session: the database is away")
        if unsafe:
            await self._check_form()

    async def _check_form(self) -> None:
        same = comes_from(self.request, self.origin)
        if same is False:
            raise ForeignForm(detail="Nothing was done. Please go to the shop and try again there.")
        self.form = await read_form(self.request, self.text_max)
        token = self.form[TOKEN_FIELD]
        if self.session is None and not token and (same or not self._known):
            return  # from a page that was shown to nobody in particular: there is nothing to forge
        if not self.site.sessions.is_form_token(token, self._known):
            raise StaleForm(fields=self.form.kept if same else {})

    async def token(self) -> str:
        """The access token for calls in this buyer's name; empty for a guest."""
        return await self.site.sessions.access_token(self.session)

    async def start_session(self) -> Session:
        """This browser's session, begun now if it had none."""
        if self.session is None:
            self.use_session(await self.site.sessions.start(self.audience))
        assert self.session is not None
        return self.session

    def use_session(self, session: Session | None) -> None:
        """Answer with the cookie of `session`; None takes the cookie away."""
        self.session = session
        self._cookie = self._known = session.id if session else ""
        self._token = ""

    async def notify(self, notice: str) -> None:
        """A sentence for the top of the next page."""
        await self.site.sessions.set_notice(await self.start_session(), notice)

    async def warn(self, notice: str) -> None:
        """The same about something that was not done."""
        await self.notify(WARNING + notice)

    async def page(
        self, template: str, *, status: int = 200, public: bool = False, **context: Any
    ) -> Response[bytes]:
        """Render `template`; `public` when it shows the same to every guest."""
        await self.site.categories.get()
        notice = self.session.notice if self.session else None
        if notice and self.session:
            await self.site.sessions.set_notice(self.session, None)
        return self.render(template, status=status, public=public, notice=notice, **context)

    def render(
        self,
        template: str,
        *,
        status: int = 200,
        public: bool = False,
        notice: str | None = None,
        **context: Any,
    ) -> Response[bytes]:
        """`page` without waiting for anything, for error pages."""
        self._shared = public and self.session is None and status == 200
        html = self.site.templates.get_template(template).render(
            visit=self,
            form=context.pop("form", self.form),
            categories=self.site.categories.value,
            notice=notice.removeprefix(WARNING) if notice else None,
            notice_tone="wait" if notice and notice.startswith(WARNING) else "",
            cart_count=self.session.cart_count if self.session else 0,
            **context,
        )
        body = html.encode()
        if self._shared and self._cookie is None and not self._token:
            return self._public(body)
        return self._with_cookie(
            Response(
                body,
                status_code=status,
                media_type=MediaType.HTML,
                headers={"cache-control": "private, no-cache", "vary": "Cookie"},
            )
        )

    def go(self, path: str) -> Response[bytes]:
        """Send the browser on with GET."""
        return self._with_cookie(
            Response(
                b"",
                status_code=303,
                headers={"location": quote(path, safe=_URL_SAFE), "cache-control": "no-store"},
            )
        )

    def log_in_first(self, page: str = "/login") -> Response[bytes]:
        back = self.path if self.request.method in SAFE else self._page_of_form()
        return self.go(f"{page}?ended=1&next={quote(back, safe='')}")

    def _page_of_form(self) -> str:
        """Where the form stands that was sent, as the browser says; the first page if it says nothing."""
        sent = self.request.headers.get("referer", "")
        return local_path(sent.removeprefix(self.origin)) if sent.startswith(f"{self.origin}/") else "/"

    def return_url(self, path: str) -> str:
        """Where a provider sends the buyer back: to the name of the shop that they use, or to the shop's own
        if providers would not know that name.
        """
        return f"{self.origin}{path}" if self.origin in self.site.origins else path

    def _max_age(self) -> int | None:
        """A cart outlives the browser; a staff log-in does not."""
        if not self._cookie:
            return 0
        return self.site.settings.session_max_s if self.audience == "shop" else None

    def _public(self, body: bytes) -> Response[bytes]:
        etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        headers = {
            "cache-control": f"public, max-age={CACHE_S}, stale-while-revalidate=60",
            "vary": "Cookie",
            "etag": etag,
        }
        if etag in self.request.headers.get("if-none-match", ""):
            return Response(b"", status_code=304, media_type=MediaType.HTML, headers=headers)
        return Response(body, media_type=MediaType.HTML, headers=headers)

    def _with_cookie(self, response: Response[bytes]) -> Response[bytes]:
        if self._cookie is not None:
            response.set_cookie(
                Cookie(
                    key=self.cookie_name,
                    value=self._cookie,
                    path="/",
                    httponly=True,
                    secure=self.secure,
                    samesite="lax" if self.audience == "shop" else "strict",
                    max_age=self._max_age(),
                )
            )
        return response


async def visit_of(request: Request, site: Site) -> Visit:
    """Litestar dependency of every shop page."""
    visit = Visit(site, request)
    request.state.visit = visit
    await visit.open()
    return visit


def local_path(path: str) -> str:
    """`path` if it stays on this site, otherwise the first page: `next=` must not send buyers elsewhere."""
    parts = urlsplit(path)
    plain = (
        path.startswith("/") and not path.startswith(("//", "/\\")) and not any(c in path for c in "\r\n\t")
    )
    return path if plain and not parts.scheme and not parts.netloc else "/"
