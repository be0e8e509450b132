"""The one table: what may be reached from outside, which service may call which, and under what limits.

Pure data, no I/O, no word of Envoy: Kong and the Gateway API are to be rendered from the same rows. A path
without a row does not exist; `/internal` exists only in the mesh. Scopes here are the coarse check of whole
prefixes, services check finely. Every number stands with its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import KW_ONLY, dataclass
from typing import Final, Literal

SERVICES: Final = ("users", "products", "orders", "payments", "notifications", "web")
TRUST_DOMAIN: Final = "shopwright.local"

Auth = Literal["public", "optional", "required"]
"""public: a token is used if it is good and ignored if not; optional: none is fine, a bad one is refused."""

MIB: Final = 1_048_576
WRITES: Final = ("POST", "PUT", "PATCH", "DELETE")
READS: Final = ("GET", "HEAD")


def spiffe_id(service: str) -> str:
    return f"spiffe://{TRUST_DOMAIN}/ns/default/sa/{service}"


def below(path: str, prefixes: Iterable[str]) -> bool:
    """Whether `path` is one of `prefixes` or lies below one."""
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)


@dataclass(frozen=True, kw_only=True)
class Quota:
    """`requests` at once, refilled evenly over `window_s`."""

    requests: int
    window_s: int = 60


@dataclass(frozen=True, kw_only=True)
class RateClass:
    """Routes of one class share one bucket per client address, and one per user where a token names one."""

    name: str
    per_client: Quota
    per_user: Quota | None = None


@dataclass(frozen=True)
class Route:
    """Requests whose path is `path` or lies below it (`exact`: only itself).

    The longest path wins, then `methods`.

    service: who answers; None refuses with 404.
    scope: what the whole prefix needs; `auth` is then required.
    timeout_s: for the whole answer; None for streams.
    body_max: bytes; above BUFFERED_MAX only a declared length is checked here, the service counts the rest.
    keyed: the service honours Idempotency-Key, so a request with one may be repeated like a read.
    cacheable: answers to anonymous reads may be kept as long as the service's Cache-Control says.
    """

    path: str
    service: str | None
    _: KW_ONLY
    exact: bool = False
    methods: tuple[str, ...] = ()
    auth: Auth = "optional"
    scope: str = ""
    timeout_s: float | None = 15
    body_max: int = MIB
    keyed: bool = False
    limit: str = "api"
    cacheable: bool = False

    @property
    def name(self) -> str:
        verbs = f" {'|'.join(self.methods)}" if self.methods else ""
        return f"{self.path}{' (exact)' if self.exact else ''}{verbs}"


@dataclass(frozen=True, kw_only=True)
class Cors:
    """Pages of which other origins may call which paths.

    Only paths that no cookie opens are listed, so any origin may by default.
    """

    paths: tuple[str, ...] = ("/v1", "/oauth", "/.well-known", "/media", "/openapi.json", "/asyncapi.json")
    except_paths: tuple[str, ...] = ("/oauth/authorize", "/v1/webhooks")
    origins: tuple[str, ...] = ("*",)
    methods: tuple[str, ...] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    headers: tuple[str, ...] = (
        "authorization", "content-type", "idempotency-key", "if-match", "if-none-match",
    )  # fmt: skip
    exposed: tuple[str, ...] = (
        "etag", "location", "ratelimit", "ratelimit-policy", "retry-after", "x-request-id",
    )  # fmt: skip
    max_age_s: int = 7_200  # Chromium's own ceiling

    def covers(self, path: str) -> bool:
        return below(path, self.paths) and not below(path, self.except_paths)


@dataclass(frozen=True, kw_only=True)
class Breaker:
    """What may wait for one service; more is refused at once with 503 instead of being served too late."""

    max_connections: int = 1_024
    max_pending: int = 10_000  # a flash sale's buyers all at once (10,000) still get an answer
    max_requests: int = 10_000
    retry_budget_percent: float = 20.0  # repeats never add more than a fifth to the load
    min_retries: int = 10


@dataclass(frozen=True, kw_only=True)
class Outlier:
    """A replica that fails this often in a row is left alone until its health check succeeds again.

    Refused connections count for every service: a killed process is seen at once, not at the next check.
    Answers 502-504 count from two replicas on, so that the last one is never sent away. A plain 500 is a bug
    that every replica has.
    """

    refused_connections: int = 2
    gateway_errors: int = 5
    interval_s: int = 2
    ejection_s: int = 5
    max_ejected_percent: int = 50


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """A 503 counts at once: the process drains. A late answer must repeat itself: the node may be busy."""

    path: str = "/readyz"
    interval_s: float = 1
    timeout_s: float = 2
    unhealthy_after: int = 3
    healthy_after: int = 1


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How often, and how long between: full jitter from `base_ms` up to `max_ms`."""

    times: int = 2
    base_ms: int = 25
    max_ms: int = 250
    statuses: tuple[int, ...] = (502, 503)


@dataclass(frozen=True, kw_only=True)
class Call:
    """`caller` may call `target` at or below `paths`, over the mesh only."""

    caller: str
    target: str
    paths: tuple[str, ...]
    grpc: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    routes: tuple[Route, ...]
    calls: tuple[Call, ...]
    rates: tuple[RateClass, ...]
    cors: Cors = Cors()
    breaker: Breaker = Breaker()
    outlier: Outlier = Outlier()
    health: HealthCheck = HealthCheck()
    retry: Retry = Retry()
    mesh_timeout_s: float = 15  # for a call that names no deadline; the longest a request lives
    services: tuple[str, ...] = SERVICES

    def __post_init__(self) -> None:
        if problems := list(_contradictions(self)):
            raise ValueError("the table contradicts itself: " + "; ".join(problems))

    def ordered(self) -> list[Route]:
        """Routes in the order of matching: exact, then longest path, then those that name methods."""
        return sorted(self.routes, key=lambda route: (not route.exact, -len(route.path), not route.methods))

    def rate(self, name: str) -> RateClass:
        return next(rate for rate in self.rates if rate.name == name)

    def callers_of(self, target: str) -> list[Call]:
        return [call for call in self.calls if call.target == target]

    def targets_of(self, caller: str) -> list[str]:
        return list(dict.fromkeys(call.target for call in self.calls if call.caller == caller))


def _contradictions(table: Table) -> Iterator[str]:
    rates = {rate.name for rate in table.rates}
    for key, times in Counter((route.path, route.exact, verb) for route in table.routes
                              for verb in route.methods or ("",)).items():  # fmt: skip
        if times > 1:
            yield f"{key[0]} {key[2]} has {times} rows"
    for route in table.routes:
        if not route.path.startswith("/") or (route.path.endswith("/") and route.path != "/"):
            yield f"{route.path} must begin and must not end with a slash"
        if route.service is not None and route.service not in table.services:
            yield f"{route.path} leads to the unknown service {route.service}"
        if route.service is not None and route.limit not in rates:
            yield f"{route.path} has the unknown rate class {route.limit}"
        if route.scope and route.auth != "required":
            yield f"{route.path} needs a scope but no token"
        if route.cacheable and route.auth == "required":
            yield f"{route.path} is personal and cannot be cached"
    for call in table.calls:
        if call.caller == call.target or not {call.caller, call.target} <= set(table.services):
            yield f"{call.caller} cannot call {call.target}"


def _staff(
    path: str,
    service: str,
    scope: str,
    *,
    methods: tuple[str, ...] = (),
    body_max: int = MIB,
    timeout_s: float = 15,
    keyed: bool = False,
) -> Route:
    return Route(
        path,
        service,
        methods=methods,
        auth="required",
        scope=scope,
        body_max=body_max,
        timeout_s=timeout_s,
        keyed=keyed,
    )


def _forms(*paths: str, limit: str) -> tuple[Route, ...]:
    """Forms of pages that stand for a call of this rate class, and are limited like it."""
    return tuple(Route(path, "web", methods=("POST",), auth="public", limit=limit) for path in paths)


UPLOAD_MAX: Final = 512 * MIB  # a catalogue of 100,000 products is about 100 MB
PICTURE_MAX: Final = 16 * MIB
UPLOAD_S: Final = 300

_USERS: Final = (
    Route("/v1/users", "users", methods=("POST",), auth="public", limit="account"),
    Route("/v1/users", "users"),
    Route("/v1/users/me", "users", auth="required"),
    Route("/v1/sessions", "users", methods=("POST",), auth="public", limit="account"),
    Route("/v1/sessions", "users"),
    Route("/v1/password-resets", "users", methods=("POST",), auth="public", limit="account"),
    Route("/oauth", "users", auth="public"),
    Route("/oauth/authorize", "users", auth="public", limit="account"),
    Route("/oauth/token", "users", auth="public", limit="account"),
    Route("/oauth/userinfo", "users", auth="required"),
    Route("/.well-known", "users", auth="public", limit="browse", cacheable=True),
)

_PRODUCTS: Final = (
    Route("/v1/products", "products", limit="browse", cacheable=True),
    _staff("/v1/products", "products", "catalog:write", methods=WRITES, body_max=PICTURE_MAX, keyed=True),
    Route("/v1/categories", "products", limit="browse", cacheable=True),
    _staff("/v1/categories", "products", "catalog:write", methods=WRITES, keyed=True),
    Route("/v1/search", "products", limit="browse", cacheable=True),
    _staff("/v1/imports", "products", "catalog:write", body_max=UPLOAD_MAX, timeout_s=UPLOAD_S),
    _staff("/v1/exports", "products", "catalog:read", timeout_s=UPLOAD_S),
    _staff("/v1/inventory", "products", "inventory:write", keyed=True),
    _staff("/v1/inventory", "products", "inventory:read", methods=READS),
    _staff("/v1/warehouses", "products", "inventory:write", keyed=True),
    _staff("/v1/warehouses", "products", "inventory:read", methods=READS),
    Route("/media", "products", auth="public", limit="pages", cacheable=True),
)

_ORDERS: Final = (
    Route("/v1/carts", "orders", keyed=True),
    Route("/v1/orders", "orders", keyed=True),
    Route("/v1/orders", "orders", exact=True, methods=("POST",), keyed=True, limit="checkout"),
    _staff("/v1/drafts", "orders", "orders:write", keyed=True),
    _staff("/v1/promotions", "orders", "promotions:write", keyed=True),
    _staff("/v1/promotions", "orders", "promotions:read", methods=READS),
    _staff("/v1/taxes", "orders", "settings:write", keyed=True),
    _staff("/v1/taxes", "orders", "settings:read", methods=READS),
    _staff("/v1/shipping", "orders", "settings:write", keyed=True),
    _staff("/v1/shipping", "orders", "settings:read", methods=READS),
)

_PAYMENTS: Final = (
    Route("/v1/payments", "payments", keyed=True),
    Route("/v1/wallet", "payments", auth="required", keyed=True),
    Route("/v1/gift-cards", "payments", keyed=True, limit="account"),
    _staff("/v1/reconciliations", "payments", "payments:write", keyed=True),
    _staff("/v1/reconciliations", "payments", "payments:read", methods=READS),
    Route("/v1/webhooks", "payments", auth="public", limit="webhooks"),
    Route("/sandbox", "payments", auth="public", limit="pages"),
)

_NOTIFICATIONS: Final = (
    Route("/v1/notifications", "notifications", auth="required"),
    Route("/v1/notifications/stream", "notifications", exact=True, auth="required", timeout_s=None),
    Route("/v1/notification-preferences", "notifications", auth="required"),
    Route("/unsubscribe", "notifications", auth="public", limit="account"),
    Route("/mailbox", "notifications", auth="public", limit="pages"),
    Route("/mailbox.json", "notifications", auth="public", limit="pages"),
)

_WEB: Final = (
    _staff("/v1/dead-letters", "web", "operations:write"),
    _staff("/v1/dead-letters", "web", "operations:read", methods=READS),
    Route("/readyz", "web", exact=True, auth="public", timeout_s=5, limit="pages"),
    Route("/openapi.json", "web", exact=True, auth="public", limit="pages", cacheable=True),
    Route("/asyncapi.json", "web", exact=True, auth="public", limit="pages", cacheable=True),
    Route("/docs", "web", exact=True, auth="public", limit="pages", cacheable=True),
    Route("/static", "web", auth="public", limit="pages", cacheable=True),
    Route("/admin", "web", auth="public", limit="pages", body_max=PICTURE_MAX),
    Route("/admin/imports", "web", auth="public", limit="pages", body_max=UPLOAD_MAX, timeout_s=UPLOAD_S),
    *_forms("/login", "/register", "/account/password", "/account/erase", "/admin/login", limit="account"),
    *_forms("/password/forgot", "/password/reset", limit="account"),
    *_forms("/checkout/gift-cards", "/account/gift-card", limit="account"),
    *_forms("/checkout/place", limit="checkout"),
    Route("/", "web", auth="public", limit="pages"),
)

_NOWHERE: Final = (  # or they would be taken for pages
    Route("/v1", None),
    Route("/internal", None),
    Route("/metrics", None),
)

RATES: Final = (
    RateClass(name="browse", per_client=Quota(requests=6_000), per_user=Quota(requests=6_000)),
    RateClass(name="pages", per_client=Quota(requests=6_000)),  # a page with its pictures is some 30 requests
    RateClass(name="api", per_client=Quota(requests=3_000), per_user=Quota(requests=1_500)),
    # a password costs the server 200 ms of CPU, and guessing should not pay
    RateClass(name="account", per_client=Quota(requests=300), per_user=Quota(requests=60)),
    RateClass(name="checkout", per_client=Quota(requests=600), per_user=Quota(requests=300)),
    RateClass(name="webhooks", per_client=Quota(requests=6_000)),  # a provider sends from few addresses
)

OPERATIONS: Final = ("/readyz", "/metrics", "/internal/dead-letters", "/internal/traces", "/internal/schema")

CALLS: Final = (
    Call(caller="web", target="users", paths=("/v1", "/oauth", "/.well-known", *OPERATIONS)),
    Call(caller="web", target="products", paths=("/v1", "/media", *OPERATIONS)),
    Call(caller="web", target="orders", paths=("/v1", "/internal/orders", *OPERATIONS)),
    Call(caller="web", target="payments", paths=("/v1", *OPERATIONS)),
    Call(caller="web", target="notifications", paths=("/v1", *OPERATIONS)),
    Call(caller="orders", target="products", paths=("/internal",)),
    Call(caller="orders", target="payments", paths=("/shopwright.payments.v1.Payments",), grpc=True),
    Call(caller="orders", target="users", paths=("/internal",)),
)

ROUTES: Final = (*_USERS, *_PRODUCTS, *_ORDERS, *_PAYMENTS, *_NOTIFICATIONS, *_WEB, *_NOWHERE)

TABLE: Final = Table(routes=ROUTES, calls=CALLS, rates=RATES)
