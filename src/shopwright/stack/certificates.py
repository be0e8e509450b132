"""Certificates of one installation: a local CA, the gateway's, and a short-lived SPIFFE identity per
service.

Identities live for a day (`SHOPWRIGHT_IDENTITY_LIFE_S`) and are renewed at half of it by the keeper, which
alone reads the CA's key. New files are renamed into place; Envoy watches the folder and takes them without
a restart. X.509-SVID: https://spiffe.io/docs/.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from . import choices
from .layout import Layout
from .secrets import SERVICES

TRUST_DOMAIN = "shopwright.local"
CA_LIFE = timedelta(days=3650)
GATEWAY_LIFE = timedelta(days=397)  # browsers take no longer
SKEW = timedelta(minutes=5)


def identity_life(environ: Mapping[str, str]) -> timedelta:
    seconds = choices.number(environ, "SHOPWRIGHT_IDENTITY_LIFE_S", 86_400, least=2, most=31_536_000)
    return timedelta(seconds=seconds)


def ensure(layout: Layout, life: timedelta) -> None:
    """Make what is missing and renew what is past half of its life."""
    if not (layout.tls / "ca.crt").exists():
        _make_ca(layout)
    renew(layout, life)


def renew(layout: Layout, life: timedelta) -> list[str]:
    """Renew certificates past half of their life; returns whose."""
    renewed = []
    if _due(layout.tls / "gateway.crt"):
        names: list[x509.GeneralName] = [x509.DNSName("localhost")]
        names += [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "::1")]
        _issue(
            layout, "localhost", names, GATEWAY_LIFE, layout.tls / "gateway.crt", layout.tls / "gateway.key"
        )
        renewed.append("gateway")
    for service in SERVICES:
        folder = layout.tls / "identities" / service
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        if _due(folder / "cert.pem"):
            spiffe = x509.UniformResourceIdentifier(f"spiffe://{TRUST_DOMAIN}/ns/default/sa/{service}")
            _issue(layout, service, [spiffe], life, folder / "cert.pem", folder / "key.pem")
            renewed.append(service)
    return renewed


def _due(path: Path) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return True
    begin, end = certificate.not_valid_before_utc + SKEW, certificate.not_valid_after_utc
    return datetime.now(UTC) > begin + (end - begin) / 2


def _make_ca(layout: Layout) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Shopwright local CA")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    _put(layout.tls / "ca.key", _pem(key))
    _put(layout.tls / "ca.crt", certificate.public_bytes(Encoding.PEM))


def _issue(
    layout: Layout, common_name: str, names: list[x509.GeneralName], life: timedelta, cert: Path, key: Path
) -> None:
    ca_key = load_pem_private_key((layout.tls / "ca.key").read_bytes(), None)
    ca = x509.load_pem_x509_certificate((layout.tls / "ca.crt").read_bytes())
    if not isinstance(ca_key, ec.EllipticCurvePrivateKey):
        raise TypeError("the CA's key is not an EC key")
    own = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .issuer_name(ca.subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(ca=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
            critical=False,
        )
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, SHA256())
    )
    _put(key, _pem(own))
    _put(cert, certificate.public_bytes(Encoding.PEM))


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _put(path: Path, content: bytes) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    fresh.rename(path)
