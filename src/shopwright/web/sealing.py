"""What is secret about a session, and how it is kept: sealed with AES-256-GCM, found by hash, guarded by
HMAC.

Three keys are derived from the one session key (HKDF, RFC 5869), so no use can be played against another.
Pure but for the random nonce.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12
_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{43}")


def new_session_id() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def is_session_id(text: str) -> bool:
    """Whether `text` looks like an id of ours; what does not is no cookie that we gave."""
    return _SESSION_ID.fullmatch(text) is not None


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
        """The token that the forms of one page carry; it is good for this session id only.

        Its text differs from page to page, so that the length of compressed pages tells nothing of it.
        """
        return self._token(secrets.token_hex(NONCE_BYTES), session_id)

    def is_form_token(self, token: str, session_id: str) -> bool:
        """Compared in constant time."""
        expected = self._token(token.partition(".")[0], session_id)
        return hmac.compare_digest(token.encode(), expected.encode())

    def _token(self, nonce: str, session_id: str) -> str:
        proof = hmac.new(self._form_key, f"{nonce}.{session_id}".encode(), hashlib.sha256)
        return f"{nonce}.{proof.hexdigest()}"


def _derive(key: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(key.encode())
