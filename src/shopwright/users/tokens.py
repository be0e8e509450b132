"""Access tokens: ES256 JWTs (RFC 7519, RFC 9068) signed with this installation's key; Envoy checks them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.jwk import ECKey

ISSUER = "shopwright"


class Tokens:
    def __init__(self, pem: str, life: timedelta) -> None:
        self._key = ECKey.import_key(pem)
        self.kid = self._key.thumbprint()
        self.life = life

    def access(self, user_id: UUID, session_id: UUID, scope: str) -> str:
        now = datetime.now(UTC)
        claims = {
            "iss": ISSUER,
            "aud": ISSUER,
            "sub": str(user_id),
            "sid": str(session_id),
            "scope": scope,
            "iat": int(now.timestamp()),
            "exp": int((now + self.life).timestamp()),
        }
        return jwt.encode({"alg": "ES256", "kid": self.kid}, claims, self._key)

    def public_keys(self) -> dict[str, Any]:
        """The JWK Set (RFC 7517)."""
        return {
            "keys": [dict(self._key.as_dict(private=False)) | {"kid": self.kid, "use": "sig", "alg": "ES256"}]
        }
