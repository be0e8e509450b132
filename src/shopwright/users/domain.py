"""What is true of accounts: rules for passwords and names, what a role may do, and the problems that
refuse. Pure.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from email_validator import EmailNotValidError, validate_email

from shopwright.chassis.validation import invalid
from shopwright.contracts.problem import Problem

Role = Literal["buyer", "staff", "admin"]

STAFF = (
    "shop catalog:read catalog:write inventory:read inventory:write orders:read orders:write payments:read "
    "promotions:read promotions:write settings:read notifications:read operations:read"
)
SCOPES: Mapping[str, str] = {
    "buyer": "shop",
    "staff": STAFF,
    "admin": f"{STAFF} orders:refund payments:write settings:write operations:write users:read users:write",
}

PASSWORD_MIN, PASSWORD_MAX = 8, 256  # NIST SP 800-63B: at least 8; long phrases welcome, megabytes not
NAME_MAX, EMAIL_MAX = 100, 254
FAILURES_FREE = 5  # wrong passwords before each further try has to wait
THROTTLE_MAX_S = 900
RESET_MINUTES = 60  # a mail may be late; a link that lies in a mailbox must not open the account for long
RESET_PAUSE_S = 60  # between two mails to one account

COMMON = frozenset(
    [
        "password",
        "12345678",
        "123456789",
        "1234567890",
        "qwertyuiop",
        "iloveyou",
        "password1",
        "sunshine",
        "princess",
        "football",
        "baseball",
        "superman",
        "trustno1",
        "starwars",
        "whatever",
        "letmein1",
        "welcome1",
        "11111111",
        "00000000",
        "passw0rd",
        "changeme",
    ]
)


class EmailTaken(Problem):
    """There is an account with this e-mail address."""

    kind = "conflict"


class InvalidCredentials(Problem):
    """E-mail address or password is wrong."""

    kind = "unauthenticated"


class SessionEnded(Problem):
    """This session has ended; log in again."""

    kind = "unauthenticated"


class ResetLinkEnded(Problem):
    """This link for a new password was used, is too old, or was replaced by a newer one."""

    kind = "gone"


class AddressBookFull(Problem):
    """The address book holds as many addresses as it can."""

    kind = "conflict"
    addresses_max: int = 0


class User(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    email: str
    name: str
    role: Role
    created_at: datetime
    groups: list[str] = []

    @property
    def scope(self) -> str:
        return SCOPES[self.role]


class Session(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    agent: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime


def clean_email(text: str) -> str:
    """The address in its normal form; raises InvalidInput. Nobody is asked over the network."""
    try:
        found = validate_email(text[: EMAIL_MAX + 1], check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise invalid("/email", str(error)) from error
    return found.normalized


def clean_name(text: str) -> str:
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    if not 1 <= len(name) <= NAME_MAX or not name.isprintable():
        raise invalid("/name", f"must be 1 to {NAME_MAX} printable characters")
    return name


def check_password(password: str, pointer: str = "/password") -> None:
    """Raises InvalidInput for a password that is too short, too long or too common."""
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise invalid(pointer, f"must be {PASSWORD_MIN} to {PASSWORD_MAX} characters long")
    if password.lower() in COMMON or len(set(password)) < 3:
        raise invalid(pointer, "is one of the first that are guessed; a few words make a better one")


def wait_s(failures: int) -> int:
    """Seconds until the next try after so many failures: none at first, then doubling."""
    over = failures - FAILURES_FREE
    return 0 if over < 0 else int(min(THROTTLE_MAX_S, 2 ** min(over, 20)))
