"""The table's rows as Envoy routes: each row is up to four, by what may be repeated and what may be cached.

A read, or a request with an Idempotency-Key where the service honours it, is tried again after a broken
connection or a 502 or 503. Anything else only while nothing of it can have been done: no connection, or
refused before the headers were sent.
"""

from __future__ import annotations

from shopwright.gateway.table import READS, WRITES, Cors, Retry, Route, Table

from .filters import (
    BUFFER,
    BUFFERED_MAX,
    CACHE,
    CORS,
    JWT,
    METADATA,
    RBAC,
    jwt_on_route,
    loopback_on_route,
    scope_on_route,
)  # fmt: skip
from .proto import Json, absent, any_of, milliseconds, present, seconds, set_header, typed
from .replies import refuse
from .settings import GatewaySettings

NOTHING_DONE = "connect-failure,refused-stream,reset-before-request"
REPEATABLE = f"{NOTHING_DONE},reset,retriable-status-codes"
LONGEST = 2**62  # a length no request has
ADMIN = "admin"
READ_AGAIN = "reads"


def edge_routes(settings: GatewaySettings, *, tls: bool) -> Json:
    """RouteConfiguration of an edge listener."""
    table = settings.table
    routes = [_healthz()]
    if not tls:
        routes.append(_metrics())
    for row in table.ordered():
        routes += _rows(row, table, cached=settings.cache is not None)
    return {
        "name": "edge",
        "validate_clusters": False,  # clusters arrive by their own file, perhaps a moment later
        "virtual_hosts": [{"name": "edge", "domains": ["*"], "routes": routes}],
        "request_headers_to_add": [
            set_header("x-caller", "edge"),
            # the address that is believed and limited; Envoy would name its own for a client on this machine
            set_header("x-forwarded-for", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"),
        ],
        "request_headers_to_remove": ["x-envoy-external-address"],
        "most_specific_header_mutations_wins": True,
    }


def read_routes(settings: GatewaySettings) -> Json:
    """RouteConfiguration behind the cache: the cacheable rows once more, now to their services."""
    table = settings.table
    rows = [row for row in table.ordered() if row.cacheable and row.service is not None]
    routes = [
        {
            "name": row.name,
            "match": _match(row, [any_of(":method", READS)]),
            "request_headers_to_add": _time_left(row),
            **_to(row, table, repeatable=True),
        }
        for row in rows
    ]
    return {
        "name": "reads",
        "validate_clusters": False,
        "virtual_hosts": [{"name": "reads", "domains": ["*"], "routes": routes}],
        "request_headers_to_add": [set_header("x-caller", "edge")],
        "most_specific_header_mutations_wins": True,
    }


def retry(policy: Retry, *, repeatable: bool) -> Json:
    """Never the same replica twice if there is another."""
    result: Json = {
        "retry_on": REPEATABLE if repeatable else NOTHING_DONE,
        "num_retries": policy.times,
        "retry_back_off": {
            "base_interval": milliseconds(policy.base_ms),
            "max_interval": milliseconds(policy.max_ms),
        },
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": typed("extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"),
            }
        ],
        # the fewest requests are where they fail at once, so chance alone would choose that one again
        "host_selection_retry_max_attempts": 30,
    }
    if repeatable:
        result["retriable_status_codes"] = list(policy.statuses)
    return result


def _healthz() -> Json:
    """The gateway lives; asks nobody."""
    return {
        "name": "healthz",
        "match": {"path": "/healthz"},
        "direct_response": {"status": 200, "body": {"inline_string": '{"status":"ok"}\n'}},
        "response_headers_to_add": [
            set_header("content-type", "application/json"),
            set_header("cache-control", "no-store"),
        ],
        "typed_per_filter_config": {JWT: jwt_on_route("public")},
    }


def _metrics() -> Json:
    """Envoy's own figures, for a client on this machine that no proxy stands before."""
    return {
        "name": "stats",
        "match": {
            "path": "/stats/prometheus",
            "headers": [{"name": "x-forwarded-for", "string_match": {"safe_regex": {"regex": "[^,]+"}}}],
        },
        "route": {"cluster": ADMIN, "timeout": "5s"},
        "typed_per_filter_config": {JWT: jwt_on_route("public"), RBAC: loopback_on_route()},
    }


def _rows(row: Route, table: Table, *, cached: bool) -> list[Json]:
    if row.service is None:
        return [_row(row, table, [], {"direct_response": refuse(404)})]
    result = []
    if row.body_max > BUFFERED_MAX:
        longer = {"name": "content-length", "range_match": {"start": row.body_max + 1, "end": LONGEST}}
        result.append(_row(row, table, [longer], {"direct_response": refuse(413)}))
    if verbs := _verbs(row, READS):
        reads = any_of(":method", verbs)
        if row.cacheable and cached:
            anonymous = [reads, absent("authorization")]
            result.append(_row(row, table, anonymous, {"route": {"cluster": READ_AGAIN}}, cache=True))
        result.append(_row(row, table, [reads], _to(row, table, repeatable=True)))
    if row.keyed and (verbs := _verbs(row, WRITES)):
        keyed = [any_of(":method", verbs), present("idempotency-key")]
        result.append(_row(row, table, keyed, _to(row, table, repeatable=True)))
    if not row.methods or _verbs(row, WRITES):
        rest = [any_of(":method", row.methods)] if row.methods else []
        result.append(_row(row, table, rest, _to(row, table, repeatable=False)))
    return result


def _verbs(row: Route, wanted: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(verb for verb in wanted if verb in row.methods) if row.methods else wanted


def _row(row: Route, table: Table, headers: list[Json], action: Json, *, cache: bool = False) -> Json:
    result: Json = {"name": row.name, "match": _match(row, headers), **action}
    result["typed_per_filter_config"] = _filters(row, table, cache=cache)
    if row.service is not None:
        result["metadata"] = {"filter_metadata": {METADATA: _limits(row, table)}}
        result["request_headers_to_add"] = _time_left(row)
    return result


def _match(row: Route, headers: list[Json]) -> Json:
    match: Json = {"headers": headers} if headers else {}
    if row.exact:
        return match | {"path": row.path}
    if row.path == "/":
        return match | {"prefix": "/"}
    return match | {"path_separated_prefix": row.path}


def _time_left(row: Route) -> list[Json]:
    if row.timeout_s is None:
        return []
    return [set_header("x-timeout-ms", str(int(row.timeout_s * 1_000)))]


def _limits(row: Route, table: Table) -> Json:
    rate = table.rate(row.limit)
    limits: Json = {"class": rate.name, "client_window": str(rate.per_client.window_s)}
    if rate.per_user is not None:
        limits["user_window"] = str(rate.per_user.window_s)
    return limits


def _filters(row: Route, table: Table, *, cache: bool) -> Json:
    filters: Json = {JWT: jwt_on_route(row.auth)}
    if row.scope:
        filters[RBAC] = scope_on_route(row.scope)
    if row.body_max > BUFFERED_MAX:
        filters[BUFFER] = typed("extensions.filters.http.buffer.v3.BufferPerRoute", disabled=True)
    elif row.body_max != BUFFERED_MAX:
        limit = {"max_request_bytes": row.body_max}
        filters[BUFFER] = typed("extensions.filters.http.buffer.v3.BufferPerRoute", buffer=limit)
    if table.cors.covers(row.path):
        filters[CORS] = _cors(table.cors)
    if cache:
        filters[CACHE] = typed("config.route.v3.FilterConfig", config={})
    return filters


def _cors(cors: Cors) -> Json:
    return typed(
        "extensions.filters.http.cors.v3.CorsPolicy",
        allow_origin_string_match=[{"exact": origin} for origin in cors.origins],
        allow_methods=", ".join(cors.methods),
        allow_headers=", ".join(cors.headers),
        expose_headers=", ".join(cors.exposed),
        max_age=str(cors.max_age_s),
    )


def _to(row: Route, table: Table, *, repeatable: bool) -> Json:
    action: Json = {
        "cluster": row.service,
        "timeout": "0s" if row.timeout_s is None else seconds(row.timeout_s),
        "retry_policy": retry(table.retry, repeatable=repeatable),
    }
    if row.timeout_s is None:
        action["idle_timeout"] = "0s"
    return {"route": action}
