"""Problems that cross a service border or that every service raises. A service's own stay in its domain."""

from __future__ import annotations

import msgspec

from .money import Money
from .problem import Problem


class FieldError(msgspec.Struct, frozen=True):
    """One refused field: a JSON Pointer (RFC 6901) into the request and what would be right."""

    pointer: str
    detail: str


class InvalidInput(Problem):
    """The request is malformed."""

    kind = "invalid"
    errors: list[FieldError]


class NotAuthenticated(Problem):
    """Log in first."""

    kind = "unauthenticated"


class NotAllowed(Problem):
    """This account may not do that."""

    kind = "denied"
    scope: str = ""


class NotFound(Problem):
    """There is no such thing here."""

    kind = "not_found"


class WrongMethod(Problem):
    """This path takes other methods."""

    kind = "wrong_method"
    allowed: list[str]


class TooManyRequests(Problem):
    """Too many requests."""

    kind = "rate_limited"
    retry_after_s: int = 1


class Unavailable(Problem):
    """A part of the platform cannot answer now."""

    kind = "unavailable"
    part: str = ""


class DeadlineExceeded(Problem):
    """The answer did not come in time; its outcome is unknown."""

    kind = "timeout"
    part: str = ""


class RequestTooLarge(Problem):
    """The request is larger than allowed."""

    kind = "too_large"
    limit: int = 0


class InternalError(Problem):
    """Something broke on our side."""

    kind = "internal"


class IdempotencyKeyReused(Problem):
    """This Idempotency-Key was used with another request."""

    kind = "invalid"


class RequestInFlight(Problem):
    """The same request is being worked on; ask again in a moment."""

    kind = "conflict"


class Shortage(msgspec.Struct, frozen=True):
    sku: str
    requested: int
    available: int


class OutOfStock(Problem):
    """Not enough stock."""

    kind = "conflict"
    shortages: list[Shortage]


class UnknownSku(Problem):
    """There is no such SKU for sale."""

    kind = "not_found"
    sku: str
    currency: str = ""


class TotalChanged(Problem):
    """The total has changed since you saw it."""

    kind = "conflict"
    expected_total: Money
    total: Money


class PaymentDeclined(Problem):
    """The payment was declined."""

    kind = "payment_required"
    code: str = ""
