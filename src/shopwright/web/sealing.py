"""What is secret about a session, and how it is kept: sealed with AES-256-GCM, found by hash, guarded by
HMAC.

Three keys are derived from the one session key (HKDF, RFC 5869), so no use can be played against another.
Pure but for the random nonce.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12


def new_session_id() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def hash_of(session_id: str) -> bytes:
    """What is stored instead of the id; a plain hash is enough for 256 random bits."""
    return hashlib.sha256(session_id.encode()).digest()


class Seal:
    """Seals and guards with keys of one installation."""

    def __init__(self, session_key: str) -> None:
        self._cipher = AESGCM(_derive(session_key, b"shopwright web session seal"))
        self._form_key = _derive(session_key, b"shopwright web form token")

    def seal(self, plain: bytes, session_id: str) -> bytes:
        """Ciphertext that opens only for the same session."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, hash_of(session_id))

    def open(self, sealed: bytes, session_id: str) -> bytes | None:
        """The plain bytes; None if the key, the session or the bytes are not the ones that were sealed."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], hash_of(session_id))
        except InvalidTag:
            return None

    def form_token(self, session_id: str) -> str:
        """The token that every form of this session carries; it changes with the session's id."""
        return hmac.new(self._form_key, session_id.encode(), hashlib.sha256).hexdigest()

    def is_form_token(self, token: str, session_id: str) -> bool:
        return hmac.compare_digest(token.encode(), self.form_token(session_id).encode())


def _derive(key: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(key.encode())
