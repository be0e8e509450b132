"""Certificates by file: secrets that Envoy watches, and the TLS contexts that use them.

A secret names the files and the directory to watch: renaming a new certificate or key into it is all that a
renewal needs. TLS 1.3 only. Between services both ends show a SPIFFE identity and check the other's.
"""

from __future__ import annotations

from pathlib import Path

from shopwright.gateway.table import TRUST_DOMAIN, spiffe_id

from .proto import Json, typed
from .settings import GatewaySettings

EDGE = "gateway"
AUTHORITY = "authority"


def secrets(settings: GatewaySettings) -> dict[str, Json]:
    """Secret name → its file's content (a DiscoveryResponse)."""
    found = {AUTHORITY: _authority(settings.tls / "ca.crt")}
    found[EDGE] = _pair(settings.tls / "gateway.crt", settings.tls / "gateway.key")
    for service in settings.table.services:
        directory = settings.tls / "identities" / service
        found[service] = _pair(directory / "cert.pem", directory / "key.pem")
    return {
        name: {"resources": [typed("extensions.transport_sockets.tls.v3.Secret", name=name, **secret)]}
        for name, secret in found.items()
    }


def edge(settings: GatewaySettings) -> Json:
    context = _common(settings, EDGE, alpn=["h2", "http/1.1"])
    return _socket("DownstreamTlsContext", common_tls_context=context)


def ingress(settings: GatewaySettings, service: str) -> Json:
    """Of a service: whoever connects must show an identity of this installation; which one is asked later."""
    member = {"san_type": "URI", "matcher": {"prefix": f"spiffe://{TRUST_DOMAIN}/"}}
    context = _common(settings, service, alpn=["h2"]) | _trust(settings, member)
    return _socket("DownstreamTlsContext", require_client_certificate=True, common_tls_context=context)


def egress(settings: GatewaySettings, caller: str, target: str) -> Json:
    """Of `caller`, who speaks only to the one that can prove to be `target`."""
    exactly = {"san_type": "URI", "matcher": {"exact": spiffe_id(target)}}
    context = _common(settings, caller, alpn=["h2"]) | _trust(settings, exactly)
    return _socket("UpstreamTlsContext", common_tls_context=context, sni=target)


def _common(settings: GatewaySettings, identity: str, *, alpn: list[str]) -> Json:
    return {
        "tls_params": {
            "tls_minimum_protocol_version": "TLSv1_3",
            "tls_maximum_protocol_version": "TLSv1_3",
        },
        "tls_certificate_sds_secret_configs": [_reference(settings, identity)],
        "alpn_protocols": alpn,
    }


def _trust(settings: GatewaySettings, peer: Json) -> Json:
    combined = {
        "default_validation_context": {"match_typed_subject_alt_names": [peer]},
        "validation_context_sds_secret_config": _reference(settings, AUTHORITY),
    }
    return {"combined_validation_context": combined}


def _reference(settings: GatewaySettings, name: str) -> Json:
    source = {"path": str(settings.sds / f"{name}.json")}
    return {"name": name, "sds_config": {"resource_api_version": "V3", "path_config_source": source}}


def _pair(certificate: Path, key: Path) -> Json:
    return {
        "tls_certificate": {
            "certificate_chain": {"filename": str(certificate)},
            "private_key": {"filename": str(key)},
            "watched_directory": {"path": str(certificate.parent)},
        }
    }


def _authority(certificate: Path) -> Json:
    return {
        "validation_context": {
            "trusted_ca": {"filename": str(certificate)},
            "watched_directory": {"path": str(certificate.parent)},
        }
    }


def _socket(context: str, **fields: object) -> Json:
    config = typed(f"extensions.transport_sockets.tls.v3.{context}", **fields)
    return {"name": "envoy.transport_sockets.tls", "typed_config": config}
