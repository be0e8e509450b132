"""The chain of filters that a request passes at the edge, and the two of the mesh.

Order matters and is told in `edge_chain`. Answers pass the chain backwards, so what stands first sees
everything last: security headers reach refusals too. Rate limits use one bucket per class and client (or
user); the class is in the metadata of the route.
"""

from __future__ import annotations

from shopwright.gateway.table import Call, Quota, Table, spiffe_id

from .proto import Json, add_header, default_header, http_filter, set_header, typed
from .settings import GatewaySettings

METADATA = "shopwright"
ISSUER = AUDIENCE = "shopwright"
IDENTITY = ("x-user-id", "x-user-scope", "x-session-id")
BUFFERED_MAX = 1_048_576  # a longer body streams through, so that no upload sits in the gateway's memory
TOKENS_CACHED = 5_000  # checking a signature costs 0.1 ms, finding the token again 0.02
CLOCK_SKEW_S = 10
CLIENTS_MAX = 50_000  # buckets kept; the client seen longest ago loses its bucket first
COMPRESSIBLE = (  # not event streams, which would wait for a full block
    "application/json", "application/problem+json", "application/javascript", "application/manifest+json",
    "application/xml", "image/svg+xml", "text/css", "text/csv", "text/html", "text/javascript", "text/plain",
    "text/xml",
)  # fmt: skip
COMPRESSORS: dict[str, Json] = {
    "zstd": {"compression_level": 3},
    "brotli": {"quality": 4},
    "gzip": {"compression_level": "COMPRESSION_LEVEL_4", "memory_level": 8, "window_bits": 15},
}
COMPRESS_FROM = 860  # bytes; below, the packet is the same

JWT = "envoy.filters.http.jwt_authn"
RBAC = "envoy.filters.http.rbac"
BUFFER = "envoy.filters.http.buffer"
CORS = "envoy.filters.http.cors"
CACHE = "envoy.filters.http.cache_v2"


def edge_chain(settings: GatewaySettings, jwks: str, *, tls: bool) -> list[Json]:
    table = settings.table
    chain = [_security_headers()]
    if tls:
        chain.append(_hsts())
    chain += [_compressor(kind) for kind in COMPRESSORS]
    chain.append(http_filter(CORS, "cors.v3.Cors"))
    if settings.rate_limit:  # before the token: guessing tokens is limited too
        chain += [_limit_headers("client"), _retry_after("client"), _limiter(table, "client")]
    chain.append(jwt(jwks, TOKENS_CACHED))
    chain.append(http_filter(RBAC, "rbac.v3.RBAC"))
    if settings.rate_limit:
        chain += [_limit_headers("user"), _retry_after("user"), _limiter(table, "user")]
    chain.append(http_filter(BUFFER, "buffer.v3.Buffer", max_request_bytes=BUFFERED_MAX))
    if settings.cache is not None:
        chain.append(_cache(settings))
    chain.append(router())
    return chain


def router() -> Json:
    return http_filter("envoy.filters.http.router", "router.v3.Router", suppress_envoy_headers=True)


def jwt(jwks: str, cached: int) -> Json:
    """Who the bearer of the token is, in headers. The token itself goes no further: services need none."""
    provider = {
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "local_jwks": {"inline_string": jwks},
        "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
        "forward": False,
        "require_expiration": True,
        "clock_skew_seconds": CLOCK_SKEW_S,
        "claim_to_headers": [
            {"header_name": header, "claim_name": claim}
            for header, claim in zip(IDENTITY, ("sub", "scope", "sid"), strict=True)
        ],
        "jwt_cache_config": {"jwt_cache_size": cached},
    }
    token = {"provider_name": "shopwright"}
    return http_filter(
        JWT,
        "jwt_authn.v3.JwtAuthentication",
        providers={"shopwright": provider},
        bypass_cors_preflight=True,
        requirement_map={
            "required": token,
            "optional": {"requires_any": {"requirements": [token, {"allow_missing": {}}]}},
            "public": {"requires_any": {"requirements": [token, {"allow_missing_or_failed": {}}]}},
        },
    )


def jwt_on_route(auth: str) -> Json:
    return typed("extensions.filters.http.jwt_authn.v3.PerRouteConfig", requirement_name=auth)


def scope_on_route(scope: str) -> Json:
    """Only who holds `scope`; it runs after the token was checked."""
    word = {"name": "x-user-scope", "string_match": {"safe_regex": {"regex": f"(?:.* )?{scope}(?: .*)?"}}}
    return _only(scope, [{"header": word}])


def loopback_on_route() -> Json:
    """Only who is on this machine."""
    ranges = ({"address_prefix": "127.0.0.0", "prefix_len": 8}, {"address_prefix": "::1", "prefix_len": 128})
    return _only("loopback", [{"direct_remote_ip": each} for each in ranges])


def caller_rules(calls: list[Call]) -> Json:
    """Mesh: by the identity in the peer's certificate, at or below the paths of the table; else no."""
    policies = {}
    for call in calls:
        paths: list[Json] = []
        for path in call.paths:
            paths += [_path({"exact": path}), _path({"prefix": f"{path}/"})]
        kind = {"header": {"name": "content-type", "string_match": {"prefix": "application/grpc"}}}
        rule = {
            "and_rules": {
                "rules": [{"or_rules": {"rules": paths}}, kind if call.grpc else {"not_rule": kind}]
            }
        }
        caller = {"authenticated": {"principal_name": {"exact": spiffe_id(call.caller)}}}
        name = f"{call.caller}{' grpc' if call.grpc else ''}"
        policies[name] = {"permissions": [rule], "principals": [caller]}
    return http_filter(RBAC, "rbac.v3.RBAC", rules={"action": "ALLOW", "policies": policies})


def deadline() -> Json:
    """The caller's x-timeout-ms limits the call."""
    header = set_header("x-envoy-upstream-rq-timeout-ms", "%REQ(x-timeout-ms)%")
    return _mutation("deadline", request=[{"append": header}])


def _only(name: str, principals: list[Json]) -> Json:
    policy = {"permissions": [{"any": True}], "principals": principals}
    rules = {"action": "ALLOW", "policies": {name: policy}}
    return typed("extensions.filters.http.rbac.v3.RBACPerRoute", rbac={"rules": rules})


def _path(matcher: Json) -> Json:
    return {"url_path": {"path": matcher}}


def _mutation(name: str, *, request: list[Json] | None = None, response: list[Json] | None = None) -> Json:
    mutations = {"request_mutations": request or [], "response_mutations": response or []}
    return http_filter(name, "header_mutation.v3.HeaderMutation", mutations=mutations)


def _security_headers() -> Json:
    # frame-ancestors and the rest of the content security policy are each page's own
    return _mutation(
        "security",
        response=[
            {"append": set_header("x-content-type-options", "nosniff")},
            {"append": default_header("referrer-policy", "strict-origin-when-cross-origin")},
            {"append": default_header("cross-origin-opener-policy", "same-origin")},
        ],
    )


def _hsts() -> Json:
    """Not for `localhost`: a browser would then ask for TLS on every port of the developer's machine."""
    value = set_header("strict-transport-security", "max-age=31536000; includeSubDomains")
    local = _matches("HttpRequestHeaderMatchInput", r"localhost(:\d+)?", header_name=":authority")
    return _unless(local, _mutation("hsts", response=[{"append": value}]))


def _limiter(table: Table, who: str) -> Json:
    """One bucket per class and `who`."""
    subject: Json = (
        {
            "masked_remote_address": {"v4_prefix_mask_len": 32, "v6_prefix_mask_len": 64}
        }  # one line, one client
        if who == "client"
        else {"request_headers": {"header_name": "x-user-id", "descriptor_key": "user"}}
    )
    key = "masked_remote_address" if who == "client" else "user"
    quotas = {rate.name: rate.per_client if who == "client" else rate.per_user for rate in table.rates}
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    return http_filter(
        f"limit-{who}",
        "local_ratelimit.v3.LocalRateLimit",
        stat_prefix=f"limit_{who}",
        filter_enabled=always,
        filter_enforced=always,
        always_consume_default_token_bucket=False,
        max_dynamic_descriptors=CLIENTS_MAX,
        enable_x_ratelimit_headers="DRAFT_VERSION_03",
        rate_limits=[{"actions": [_class_action(), subject]}],
        descriptors=[
            {"entries": [{"key": "class", "value": name}, {"key": key}], "token_bucket": _bucket(quota)}
            for name, quota in quotas.items()
            if quota is not None
        ],
    )


def _class_action() -> Json:
    key = {"key": METADATA, "path": [{"key": "class"}]}
    return {"metadata": {"descriptor_key": "class", "metadata_key": key, "source": "ROUTE_ENTRY"}}


def _bucket(quota: Quota) -> Json:
    return {
        "max_tokens": quota.requests,
        "tokens_per_fill": quota.requests,
        "fill_interval": f"{quota.window_s}s",
    }


def _limit_headers(who: str) -> Json:
    """`RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10)."""
    name = f'"{who}"'
    window = f"%METADATA(ROUTE:{METADATA}:{who}_window)%"
    policy = add_header("ratelimit-policy", f"{name};q=%RESP(x-ratelimit-limit)%;w={window}")
    state = add_header("ratelimit", f"{name};r=%RESP(x-ratelimit-remaining)%;t=%RESP(x-ratelimit-reset)%")
    removed = [{"remove": f"x-ratelimit-{part}"} for part in ("limit", "remaining", "reset")]
    return _unless(
        {"not_matcher": _matches("HttpResponseHeaderMatchInput", ".+", header_name="x-ratelimit-limit")},
        _mutation(f"limit-headers-{who}", response=[{"append": policy}, {"append": state}, *removed]),
    )


def _retry_after(who: str) -> Json:
    """On 429; a service's own Retry-After stays."""
    header = default_header("retry-after", "%RESP(x-ratelimit-reset)%")
    return _unless(
        {"not_matcher": _matches("HttpResponseStatusCodeMatchInput", "429")},
        _mutation(f"retry-after-{who}", response=[{"append": header}]),
    )


def _cache(settings: GatewaySettings) -> Json:
    """Off but on the routes that switch it on: anonymous reads of the catalogue.

    It asks for what it misses by itself, past the router: without its time limit, retries and headers. Those
    routes therefore lead to the listener `reads`, whose router does all that.
    """
    store = typed(
        "extensions.http.cache_v2.file_system_http_cache.v3.FileSystemHttpCacheV2Config",
        cache_path=str(settings.cache),
        max_cache_size_bytes=settings.cache_max_bytes,
        manager_config={"thread_pool": {"thread_count": 1}},
    )
    return http_filter(CACHE, "cache_v2.v3.CacheV2Config", typed_config=store) | {"disabled": True}


def _compressor(kind: str) -> Json:
    level = COMPRESSORS[kind]
    return http_filter(
        f"compress-{kind}",
        "compressor.v3.Compressor",
        response_direction_config={
            "common_config": {
                "min_content_length": COMPRESS_FROM,
                "content_type_matcher": [{"prefix": media_type} for media_type in COMPRESSIBLE],
            },
            "weaken_etag_on_compress": True,
            # so that services do not compress; by the last one, or the others would not see it
            "remove_accept_encoding_header": kind == [*COMPRESSORS][-1],
        },
        compressor_library={
            "name": kind,
            "typed_config": typed(
                f"extensions.compression.{kind}.compressor.v3.{kind.capitalize()}", **level
            ),
        },
    )


def _matches(source: str, pattern: str, **fields: str) -> Json:
    value = {"name": "input", "typed_config": typed(f"type.matcher.v3.{source}", **fields)}
    regex = {"safe_regex": {"regex": pattern, "google_re2": {}}}
    return {"single_predicate": {"input": value, "value_match": regex}}


def _unless(predicate: Json, wrapped: Json) -> Json:
    """`wrapped`, skipped where `predicate` holds."""
    skip = {"name": "skip", "typed_config": typed("extensions.filters.common.matcher.action.v3.SkipFilter")}
    return {
        "name": wrapped["name"],
        "typed_config": typed(
            "extensions.common.matching.v3.ExtensionWithMatcher",
            extension_config={"name": wrapped["name"], "typed_config": wrapped["typed_config"]},
            xds_matcher={
                "matcher_list": {"matchers": [{"predicate": predicate, "on_match": {"action": skip}}]}
            },
        ),
    }
