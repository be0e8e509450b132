"""Calls between services: out through the caller's own socket, over mutual TLS, in through the target's.

    caller → RUN/mesh/<caller>.out.sock → (TLS, both identities checked) → RUN/mesh/<target>.in.sock → target

The way out offers only the targets of the table, the way in asks the certificate who calls and the table
whether that path is theirs. The target is told the caller's identity in `x-caller` and, where the caller
brings a buyer's token, whose it is; what the caller wrote there itself is dropped. Nothing is repeated that
may have been done.
"""

from __future__ import annotations

from shopwright.gateway.table import READS

from . import filters, tls
from .clusters import breakers, endpoints, grpc_name, http2
from .listeners import INSIDE, access_log, connection_manager, mesh_listener
from .proto import Json, any_of, pipe, seconds, set_header
from .replies import refuse
from .routes import retry
from .settings import GatewaySettings

STRIPPED = (*filters.IDENTITY, "x-caller", "x-forwarded-client-cert")
TOKENS_CACHED = 1_000
REFUSAL = {
    "time": "%START_TIME%",
    "caller": "%DOWNSTREAM_PEER_URI_SAN%",
    "method": "%REQ(:METHOD)%",
    "path": "%PATH(NQ:PATH)%",
    "status": "%RESPONSE_CODE%",
    "duration_ms": "%DURATION%",
    "service": "%UPSTREAM_CLUSTER%",
    "flags": "%RESPONSE_FLAGS%",
    "reason": "%RESPONSE_CODE_DETAILS%",
    "request_id": "%REQ(X-REQUEST-ID)%",
}


def mesh_listeners(settings: GatewaySettings, jwks: str) -> list[Json]:
    services = settings.table.services
    return [_egress(settings, name) for name in services] + [
        _ingress(settings, name, jwks) for name in services
    ]


def mesh_clusters(settings: GatewaySettings) -> list[Json]:
    """One per caller and target: the caller's certificate is part of it."""
    return [
        {
            "name": _cluster_name(caller, target),
            "type": "STATIC",
            "connect_timeout": "1s",
            "load_assignment": endpoints(_cluster_name(caller, target), [settings.ingress(target)]),
            "typed_extension_protocol_options": http2(),
            "transport_socket": tls.egress(settings, caller, target),
            "circuit_breakers": breakers(settings.table.breaker),
        }
        for caller in settings.table.services
        for target in settings.table.targets_of(caller)
    ]


def _cluster_name(caller: str, target: str) -> str:
    return f"mesh-{caller}-{target}"


def _egress(settings: GatewaySettings, caller: str) -> Json:
    table = settings.table
    action = {
        "timeout": seconds(table.mesh_timeout_s),
        "max_stream_duration": {"grpc_timeout_header_max": seconds(table.mesh_timeout_s)},
        "retry_policy": retry(table.retry, repeatable=False),
    }
    hosts: list[Json] = [
        {
            "name": target,
            "domains": [target],
            "routes": [
                {"match": {"prefix": "/"}, "route": {"cluster": _cluster_name(caller, target), **action}}
            ],
        }
        for target in table.targets_of(caller)
    ]
    nobody = {"match": {"prefix": "/"}, "direct_response": refuse(403)}
    hosts.append({"name": "nobody", "domains": ["*"], "routes": [nobody]})
    manager = connection_manager(
        f"mesh-{caller}-out",
        route_config={"name": "egress", "validate_clusters": False, "virtual_hosts": hosts},
        http_filters=[filters.deadline(), filters.router()],
        stripped=STRIPPED,
        strip_any_host_port=True,
        **INSIDE,
    )
    return mesh_listener(f"mesh-{caller}-out", pipe(settings.egress(caller)), {"filters": [manager]})


def _ingress(settings: GatewaySettings, service: str, jwks: str) -> Json:
    table = settings.table
    calls = table.callers_of(service)
    optional = {filters.JWT: filters.jwt_on_route("optional")}
    hops: list[Json] = []
    if any(call.grpc for call in calls):
        hops.append(
            _hop({"prefix": "/", "grpc": {}}, grpc_name(service), retry(table.retry, repeatable=False))
        )
    reads = {"prefix": "/", "headers": [any_of(":method", READS)]}
    hops.append(_hop(reads, service, retry(table.retry, repeatable=True)))
    hops.append(_hop({"prefix": "/"}, service, retry(table.retry, repeatable=False)))
    host = {"name": service, "domains": ["*"], "routes": hops, "typed_per_filter_config": optional}
    manager = connection_manager(
        f"mesh-{service}-in",
        route_config={
            "name": "ingress",
            "validate_clusters": False,
            "virtual_hosts": [host],
            "request_headers_to_add": [set_header("x-caller", "%DOWNSTREAM_PEER_URI_SAN%")],
        },
        http_filters=[filters.caller_rules(calls), filters.jwt(jwks, TOKENS_CACHED), filters.router()],
        stripped=STRIPPED,
        access_log=[access_log(settings, REFUSAL, _refused())],
        **INSIDE,
    )
    chain = {
        "filters": [manager],
        "transport_socket": tls.ingress(settings, service),
        "transport_socket_connect_timeout": "5s",
    }
    return mesh_listener(f"mesh-{service}-in", pipe(settings.ingress(service)), chain)


def _hop(match: Json, cluster: str, retry_policy: Json) -> Json:
    # no limit here: when the way out runs out of time it cancels, and that arrives here at once
    return {"match": match, "route": {"cluster": cluster, "timeout": "0s", "retry_policy": retry_policy}}


def _refused() -> Json:
    denied = {"op": "EQ", "value": {"default_value": 403, "runtime_key": "gateway.log.denied"}}
    return {
        "or_filter": {
            "filters": [{"status_code_filter": {"comparison": denied}}, {"response_flag_filter": {}}]
        }
    }
