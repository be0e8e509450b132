"""What Envoy listens on: the edge, plain on loopback and with TLS, and how a connection is read and logged.

Clients are not trusted: headers that name an identity or steer Envoy are dropped before a route is looked up.
The log has one JSON line per request, without query strings, headers or bodies; whoever supervises Envoy
rotates it.
"""

from __future__ import annotations

from . import filters, routes, tls
from .clusters import OTLP
from .proto import Json, pipe, tcp, typed
from .replies import local_reply_config
from .settings import GatewaySettings

STRIPPED = (*filters.IDENTITY, "x-caller", "x-timeout-ms", "x-request-id", "x-forwarded-client-cert")
NOBODY = {"address_prefix": "192.0.2.0", "prefix_len": 32}  # RFC 5737; without a range Envoy trusts loopback
SAMPLED_PERCENT = 5  # as the services do where a trace starts with them
HEADERS_KIB = 32  # a session cookie, a token of 4 KiB, and room
INSIDE: Json = {  # a request keeps the id and the addresses that the edge gave it
    "preserve_external_request_id": True,
    "skip_xff_append": True,
    "server_header_transformation": "PASS_THROUGH",
}
LINE = {
    "time": "%START_TIME%",
    "method": "%REQ(:METHOD)%",
    "path": "%PATH(NQ:PATH)%",
    "status": "%RESPONSE_CODE%",
    "duration_ms": "%DURATION%",
    "upstream_ms": "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
    "bytes_in": "%BYTES_RECEIVED%",
    "bytes_out": "%BYTES_SENT%",
    "route": "%ROUTE_NAME%",
    "service": "%UPSTREAM_CLUSTER%",
    "upstream": "%UPSTREAM_HOST%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "flags": "%RESPONSE_FLAGS%",
    "reason": "%RESPONSE_CODE_DETAILS%",
    "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "user": "%REQ(X-USER-ID)%",
    "agent": "%REQ(USER-AGENT):200%",
    "protocol": "%PROTOCOL%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "trace_id": "%TRACE_ID%",
}


def edge_listeners(settings: GatewaySettings, jwks: str) -> list[Json]:
    plain = _edge(settings, jwks, secure=False)
    secure = _edge(settings, jwks, secure=True)
    return [plain, secure] if settings.cache is None else [plain, secure, _reads(settings)]


def _edge(settings: GatewaySettings, jwks: str, *, secure: bool) -> Json:
    name = "edge-tls" if secure else "edge"
    manager = connection_manager(
        name,
        route_config=routes.edge_routes(settings, tls=secure),
        http_filters=filters.edge_chain(settings, jwks, tls=secure),
        stripped=STRIPPED,
        access_log=[access_log(settings, LINE, _worth_a_line(settings))],
        use_remote_address=True,
        xff_num_trusted_hops=settings.trusted_hops,
        request_headers_timeout="10s",
        request_timeout="300s",  # for the whole of a catalogue's upload
        max_request_headers_kb=HEADERS_KIB,
        always_set_request_id_in_response=True,
        server_header_transformation="OVERWRITE",
        server_name="shopwright",
        tracing=_tracing(settings),
    )
    chain: Json = {"filters": [manager]}
    if secure:
        chain |= {"transport_socket": tls.edge(settings), "transport_socket_connect_timeout": "5s"}
    return {
        "name": name,
        "address": tcp(settings.address, settings.tls_port if secure else settings.port),
        "per_connection_buffer_limit_bytes": 262_144,
        "filter_chains": [chain],
    }


def _reads(settings: GatewaySettings) -> Json:
    """Behind the cache, for what it misses; only the cache knows the way here."""
    manager = connection_manager(
        "reads",
        route_config=routes.read_routes(settings),
        http_filters=[filters.router()],
        stripped=(),
        tracing=_tracing(settings),
        **INSIDE,
    )
    return mesh_listener("reads", pipe(settings.reads), {"filters": [manager]})


def mesh_listener(name: str, address: Json, chain: Json) -> Json:
    return {"name": name, "address": address, "filter_chains": [chain], "ignore_global_conn_limit": True}


def connection_manager(
    name: str, *, route_config: Json, http_filters: list[Json], stripped: tuple[str, ...], **more: object
) -> Json:
    """The HTTP connection manager; `stripped` and every x-envoy- header go before anything reads them."""
    removals: list[Json] = [{"remove": header} for header in stripped]
    removals.append({"remove_on_match": {"key_matcher": {"prefix": "x-envoy-"}}})
    early = typed(
        "extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation", mutations=removals
    )
    config = typed(
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=name,
        codec_type="AUTO",
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action="KEEP_UNCHANGED",  # a SKU may hold a slash
        internal_address_config={"unix_sockets": False, "cidr_ranges": [NOBODY]},
        early_header_mutation_extensions=[{"name": "strip", "typed_config": early}],
        common_http_protocol_options={
            "idle_timeout": "300s",
            "max_headers_count": 100,
            "headers_with_underscores_action": "DROP_HEADER",  # x_user_id is not x-user-id to everyone
        },
        http2_protocol_options={
            "max_concurrent_streams": 256,
            "initial_stream_window_size": 262_144,
            "initial_connection_window_size": 1_048_576,
        },
        stream_idle_timeout="300s",
        delayed_close_timeout="1s",
        local_reply_config=local_reply_config(),
        route_config=route_config,
        http_filters=http_filters,
        **more,
    )
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": config}


def access_log(settings: GatewaySettings, line: Json, condition: Json | None) -> Json:
    log_format = {"json_format": line}
    if str(settings.access_log) == "/dev/stdout":
        config = typed("extensions.access_loggers.stream.v3.StdoutAccessLog", log_format=log_format)
    else:
        path = str(settings.access_log)
        config = typed("extensions.access_loggers.file.v3.FileAccessLog", path=path, log_format=log_format)
    log: Json = {"name": "log", "typed_config": config}
    return log | ({"filter": condition} if condition else {})


def _worth_a_line(settings: GatewaySettings) -> Json | None:
    if settings.access_log_percent >= 100:
        return None
    refused = {"op": "GE", "value": {"default_value": 400, "runtime_key": "gateway.log.status"}}
    part = {
        "runtime_key": "gateway.log.percent",
        "percent_sampled": {
            "numerator": int(settings.access_log_percent * 100),
            "denominator": "TEN_THOUSAND",
        },
        "use_independent_randomness": True,
    }
    return {
        "or_filter": {"filters": [{"status_code_filter": {"comparison": refused}}, {"runtime_filter": part}]}
    }


def _tracing(settings: GatewaySettings) -> Json:
    """W3C Trace Context for every request. Without a collector nothing starts sampled and nothing leaves.

    With one, a caller's decision is kept; where there is none, SAMPLED_PERCENT are.
    """
    uri = f"{settings.otlp_endpoint.rstrip('/') or 'http://nowhere'}/v1/traces"
    exporter = {"http_uri": {"uri": uri, "cluster": OTLP, "timeout": "1s"}}
    share = {"sampling_percentage": {"numerator": SAMPLED_PERCENT, "denominator": "HUNDRED"}}
    by_caller = {"wrapped_sampler": _sampler("trace_id_ratio_based", "TraceIdRatioBased", share)}
    config = typed(
        "config.trace.v3.OpenTelemetryConfig",
        service_name="gateway",
        http_service=exporter,
        sampler=_sampler("parent_based", "ParentBased", by_caller),
    )
    return {
        "provider": {"name": "envoy.tracers.opentelemetry", "typed_config": config},
        # what the sampler must agree to besides, caller or not
        "random_sampling": {"value": 100 if settings.otlp_endpoint else 0},
        "spawn_upstream_span": False,
    }


def _sampler(name: str, message: str, fields: Json) -> Json:
    config = typed(f"extensions.tracers.opentelemetry.samplers.v3.{message}SamplerConfig", **fields)
    return {"name": f"envoy.tracers.opentelemetry.samplers.{name}", "typed_config": config}
