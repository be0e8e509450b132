"""Where requests go: each service's sockets over HTTP/2, with health checks, breakers and outlier detection.

Every slot of a service is listed, also the spare one of a rolling restart: an absent socket is an unhealthy
endpoint and nothing more. There is no panic mode: no healthy replica means 503, not a guess.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from shopwright.gateway.table import Breaker, HealthCheck, Outlier

from .proto import Json, seconds, tcp, typed
from .routes import ADMIN, READ_AGAIN
from .settings import GatewaySettings

CONNECT_TIMEOUT = "0.5s"  # a Unix socket of this node
IDLE = "300s"
OTLP = "otlp"
HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def service_clusters(settings: GatewaySettings) -> list[Json]:
    table = settings.table
    result = [
        _cluster(settings, service, settings.sockets(service), _http_check(table.health, service))
        for service in table.services
    ]
    for target in {call.target: None for call in table.calls if call.grpc}:
        check = _timing(table.health) | {"tcp_health_check": {}}
        result.append(_cluster(settings, grpc_name(target), settings.grpc_sockets(target), check))
    if settings.cache is not None:
        result.append(_reads(settings))
    return [*result, _admin(settings), _otlp(settings.otlp_endpoint)]


def grpc_name(service: str) -> str:
    return f"{service}-grpc"


def http2(**more: object) -> Json:
    """typed_extension_protocol_options: HTTP/2 with prior knowledge."""
    options = typed(
        "extensions.upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config={"http2_protocol_options": {}},
        common_http_protocol_options={"idle_timeout": IDLE},
        **more,
    )
    return {HTTP_OPTIONS: options}


def endpoints(name: str, sockets: list[Path]) -> Json:
    listed = [{"endpoint": {"address": {"pipe": {"path": str(path)}}}} for path in sockets]
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": listed}]}


def breakers(breaker: Breaker) -> Json:
    budget = {
        "budget_percent": {"value": breaker.retry_budget_percent},
        "min_retry_concurrency": breaker.min_retries,
    }
    threshold = {
        "max_connections": breaker.max_connections,
        "max_pending_requests": breaker.max_pending,
        "max_requests": breaker.max_requests,
        "retry_budget": budget,
        "track_remaining": True,
    }
    return {"thresholds": [threshold]}


def _cluster(settings: GatewaySettings, name: str, sockets: list[Path], check: Json) -> Json:
    table = settings.table
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": CONNECT_TIMEOUT,
        "lb_policy": "LEAST_REQUEST",
        "load_assignment": endpoints(name, sockets),
        "typed_extension_protocol_options": http2(),
        "health_checks": [check],
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "circuit_breakers": breakers(table.breaker),
        "outlier_detection": _outlier(table.outlier, replicas=len(sockets) - 1),
    }


def _timing(health: HealthCheck) -> Json:
    return {
        "timeout": seconds(health.timeout_s),
        "interval": seconds(health.interval_s),
        "no_traffic_interval": seconds(health.interval_s),
        "unhealthy_threshold": health.unhealthy_after,
        "healthy_threshold": health.healthy_after,
    }


def _http_check(health: HealthCheck, service: str) -> Json:
    check = {"path": health.path, "host": service, "codec_client_type": "HTTP2"}
    return _timing(health) | {"http_health_check": check}


def _outlier(outlier: Outlier, replicas: int) -> Json:
    return {
        "split_external_local_origin_errors": True,
        "consecutive_gateway_failure": outlier.gateway_errors,
        "enforcing_consecutive_gateway_failure": 100 if replicas > 1 else 0,
        "consecutive_local_origin_failure": outlier.refused_connections,
        "enforcing_consecutive_local_origin_failure": 100,
        "enforcing_consecutive_5xx": 0,
        "enforcing_success_rate": 0,
        "enforcing_local_origin_success_rate": 0,
        "interval": seconds(outlier.interval_s),
        "base_ejection_time": seconds(outlier.ejection_s),
        "max_ejection_percent": outlier.max_ejected_percent,
        "always_eject_one_host": False,
    }


def _reads(settings: GatewaySettings) -> Json:
    """Our own listener behind the cache."""
    return {
        "name": READ_AGAIN,
        "type": "STATIC",
        "connect_timeout": CONNECT_TIMEOUT,
        "load_assignment": endpoints(READ_AGAIN, [settings.reads]),
        "typed_extension_protocol_options": http2(),
        "circuit_breakers": breakers(settings.table.breaker),
    }


def _admin(settings: GatewaySettings) -> Json:
    """Envoy's own admin socket, of which the edge shows the metrics only."""
    return {
        "name": ADMIN,
        "type": "STATIC",
        "connect_timeout": CONNECT_TIMEOUT,
        "load_assignment": endpoints(ADMIN, [settings.admin]),
    }


def _otlp(endpoint: str) -> Json:
    """The collector of spans; Envoy's tracer wants the cluster even if there is none."""
    cluster: Json = {
        "name": OTLP,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": endpoints(OTLP, []),
    }
    if endpoint:
        url = urlsplit(endpoint)
        address = tcp(url.hostname or "127.0.0.1", url.port or 4318)
        cluster["type"] = "STRICT_DNS"
        cluster["load_assignment"]["endpoints"] = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    return cluster
