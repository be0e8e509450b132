"""Codes of gift cards: made here, shown once, and kept as a keyed hash only.

Whoever reads the database cannot spend a card: without the key a hash cannot be tried out. A code is looked
up by its hash, so that how long an answer takes tells nothing about codes that exist.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Final

from shopwright.chassis.validation import invalid

ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without 0, O, 1 and I, which people mix up
LENGTH: Final = 16  # 80 bits
SHORTEST: Final = 12  # of a code that staff choose: it must not be guessed either
_PLAIN = re.compile(rf"[A-Z0-9]{{{SHORTEST},32}}")


def new_code() -> str:
    """A code such as `K7QM-2XVB-9RTA-HW4N`."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return "-".join(letters[start : start + 4] for start in range(0, LENGTH, 4))


def normalised(code: str) -> str:
    """A code as people mean it: without spaces and dashes, in capitals."""
    return re.sub(r"[\s-]", "", code).upper()


def chosen(code: str) -> str:
    """A code that staff chose; raises InvalidInput for one that is too easily guessed."""
    plain = normalised(code)
    if not _PLAIN.fullmatch(plain):
        raise invalid("/code", f"must be {SHORTEST} to 32 letters and digits")
    return plain


class Codes:
    def __init__(self, key: str) -> None:
        self._key = hashlib.sha256(b"gift card codes\0" + key.encode()).digest()

    def hash(self, code: str) -> bytes:
        return hmac.digest(self._key, normalised(code).encode(), "sha256")
