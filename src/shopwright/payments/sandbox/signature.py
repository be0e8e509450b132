"""Signatures of webhooks: HMAC-SHA256 over time and body, as Stripe does it.

Header `shopwright-sandbox-signature: t=<unix seconds>,v1=<hex>`, where v1 signs `<t>.<body>` with the shared
secret. Compared in constant time; older or newer than `TOLERANCE_S` is refused, so a recorded one is useless
later (within the window the event's id tells a repeat).
Protocol: https://docs.stripe.com/webhooks#verify-manually
"""

from __future__ import annotations

import hashlib
import hmac

HEADER = "shopwright-sandbox-signature"
TOLERANCE_S = 300


def sign(secret: str, body: bytes, at: int) -> str:
    return f"t={at},v1={_digest(secret, body, str(at))}"


def genuine(secret: str, header: str, body: bytes, now: float) -> bool:
    """Whether one of the header's signatures is ours and fresh; there are several while a secret changes."""
    pairs = [part.partition("=")[::2] for part in header.split(",")]
    at = next((value for name, value in pairs if name.strip() == "t"), "")
    if not (at.isascii() and at.isdigit() and len(at) <= 12) or abs(now - int(at)) > TOLERANCE_S:
        return False
    expected = _digest(secret, body, at).encode()
    given = [value for name, value in pairs if name.strip() == "v1"]
    return any(hmac.compare_digest(expected, value.encode()) for value in given)


def _digest(secret: str, body: bytes, at: str) -> str:
    return hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
