"""Secrets of one installation: made once, one file each, readable by its owner only, never overwritten."""

from __future__ import annotations

import json
import os
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from .layout import Layout

SERVICES = ("users", "products", "orders", "payments", "notifications", "web")
RANDOM = (
    "db-superuser",
    *(f"db-{service}" for service in SERVICES),
    "valkey",
    "session-key",
    "sandbox-webhook",
    "field-key",
    "gift-card-key",
    "demo-password",
)


def ensure(layout: Layout) -> None:
    """Make what is missing."""
    for name in RANDOM:
        _write_once(layout.secret(name), lambda: secrets.token_hex(32).encode())
    _write_once(layout.secret("jwt-es256.pem"), _signing_key)
    public = layout.secret("jwks.json")
    _write_once(public, lambda: json.dumps({"keys": [_jwk(layout.secret("jwt-es256.pem"))]}).encode())


def read(layout: Layout, name: str) -> str:
    return layout.secret(name).read_text(encoding="ascii").strip()


def put(path: Path, content: str) -> None:
    """Keep what is made of secrets (a URL with its password) as closely as they are."""
    if not path.exists() or path.read_text(encoding="ascii") != content:
        path.unlink(missing_ok=True)
        _write_once(path, content.encode)


def _write_once(path: Path, make: Callable[[], bytes]) -> None:
    if path.exists():
        return
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(make())
    fresh.rename(path)


def _signing_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _jwk(path: Path) -> dict[str, str]:
    """The public key as a JWK whose `kid` is its RFC 7638 thumbprint."""
    key = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path} is not an EC key")
    point = key.public_key().public_numbers()
    members = {"crv": "P-256", "kty": "EC", "x": _b64(point.x), "y": _b64(point.y)}
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    thumbprint = urlsafe_b64encode(sha256(canonical).digest()).rstrip(b"=").decode()
    return members | {"kid": thumbprint, "use": "sig", "alg": "ES256"}


def _b64(number: int) -> str:
    return urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()
