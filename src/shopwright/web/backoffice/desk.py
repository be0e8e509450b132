"""One request of staff: a session of its own, and the scope that its page needs.

Every handler is made by `page` or `action`, which name the scope; a handler made otherwise answers nobody.
What an account's scopes do not allow is neither shown nor done: navigation, buttons and forms ask `may`,
handlers are refused before they run. Services check again with the user's own token.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, TypeVar, cast
from urllib.parse import quote

from litestar import Request, Response, get, post

from shopwright.contracts.problems import NotAllowed, NotAuthenticated

from ..site import Site
from ..visit import SAFE, Visit

LOG_IN: Final = "/admin/login"
ANYBODY: Final = ""  # the scope of a page that is shown without a log-in
STAFF: Final = "staff"  # any staff scope will do
TEXT_MAX: Final = 100_000  # a long description with its markup


Handler = TypeVar("Handler", bound=Callable[..., Any])
Made = Callable[[Handler], Handler]


class Area(NamedTuple):
    """A part of the back office; areas of one group share a place in the bar."""

    path: str
    name: str
    scope: str
    group: str = ""

    @property
    def place(self) -> str:
        return self.group or self.name


AREAS: Final = (
    Area("/admin", "Overview", STAFF),
    Area("/admin/orders", "Orders", "orders:read"),
    Area("/admin/drafts", "Drafts", "orders:write", "Orders"),
    Area("/admin/products", "Products", "catalog:read"),
    Area("/admin/imports", "Imports", "catalog:write", "Products"),
    Area("/admin/stock", "Stock", "inventory:read"),
    Area("/admin/warehouses", "Warehouses", "inventory:read", "Stock"),
    Area("/admin/promotions", "Promotions", "promotions:read", "Marketing"),
    Area("/admin/gift-cards", "Gift cards", "payments:read", "Marketing"),
    Area("/admin/reconciliations", "Reconciliations", "payments:read", "Money"),
    Area("/admin/tax", "Tax", "settings:read", "Settings"),
    Area("/admin/shipping", "Shipping", "settings:read", "Settings"),
    Area("/admin/letters", "Dead letters", "operations:read", "Operations"),
)


class Desk(Visit):
    """A visit of staff."""

    text_max = TEXT_MAX

    def __init__(self, site: Site, request: Request) -> None:
        super().__init__(site, request, "staff")

    @property
    def places(self) -> dict[str, list[Area]]:
        """The bar: its places in their order, each with the areas that this account may open."""
        found: dict[str, list[Area]] = {}
        for area in AREAS:
            if self.may(area.scope):
                found.setdefault(area.place, []).append(area)
        return found

    @property
    def place(self) -> str:
        """The place in the bar that this page belongs to."""
        return next((area.place for area in AREAS if area.path == self.area), "")

    @property
    def area(self) -> str:
        """The path of the area that this page belongs to."""
        path = self.request.url.path
        below = [area.path for area in AREAS if path == area.path or path.startswith(f"{area.path}/")]
        return max(below, key=len, default="")

    @property
    def query(self) -> dict[str, str]:
        return {name: value[:200] for name, value in self.request.query_params.items()}

    def may(self, scope: str) -> bool:
        if self.identity is None:
            return scope == ANYBODY
        return scope in self.identity.scopes or (scope in {STAFF, ANYBODY} and self.identity.is_staff)

    def require(self, scope: str) -> None:
        """Raises NotAuthenticated without a log-in, NotAllowed without `scope`."""
        if scope == ANYBODY:
            return
        if self.identity is None:
            raise NotAuthenticated
        if not self.may(scope):
            raise NotAllowed(scope=scope)

    async def page(
        self, template: str, *, status: int = 200, public: bool = False, **context: Any
    ) -> Response[bytes]:
        """Render `template` with the sentence that the page before left; never kept by the browser."""
        notice = self.session.notice if self.session else None
        if notice and self.session:
            await self.site.sessions.set_notice(self.session, None)
        response = self.render(template, status=status, public=public, notice=notice, **context)
        response.headers["cache-control"] = "no-store"
        return response

    async def done(self, notice: str, path: str) -> Response[bytes]:
        """Go on to `path` and say `notice` there."""
        await self.notify(notice)
        return self.go(path)

    async def not_done(self, notice: str, path: str) -> Response[bytes]:
        await self.warn(notice)
        return self.go(path)

    def log_in_first(self, page: str = LOG_IN) -> Response[bytes]:
        back = self.path if self.request.method in SAFE else self._page_of_form()
        ended = "ended=1&" if self.identity else ""  # there was one, and users no longer takes its tokens
        return self.go(f"{page}?{ended}next={quote(back, safe='')}")


async def desk_of(request: Request, site: Site) -> Desk:
    """Litestar dependency of every back office page: session, form and scope are checked here."""
    desk = Desk(site, request)
    request.state.visit = desk
    await desk.open()
    desk.require(request.route_handler.opt["scope"])
    return desk


def page(path: str, scope: str) -> Made[Any]:
    return cast("Made[Any]", get(path, opt={"scope": scope}, include_in_schema=False))


def action(path: str, scope: str, *, body_max: int | None = None) -> Made[Any]:
    """A form's target; `body_max` bytes where a file may come with it."""
    more: dict[str, Any] = {"request_max_body_size": body_max} if body_max else {}
    made = post(path, opt={"scope": scope}, include_in_schema=False, status_code=200, **more)
    return cast("Made[Any]", made)


def today() -> datetime:
    """Midnight in UTC, where all of the platform's days begin."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
