"""How a problem travels: the only table kind → HTTP status → gRPC code, and its RFC 9457 document both
ways.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from shopwright.contracts.problem import Kind, Problem, revive
from shopwright.contracts.problems import (
    DeadlineExceeded,
    InternalError,
    NotFound,
    TooManyRequests,
    Unavailable,
)

#: kind → (HTTP status, gRPC status code name)
STATUS: Final[dict[Kind, tuple[int, str]]] = {
    "invalid": (422, "INVALID_ARGUMENT"),
    "unauthenticated": (401, "UNAUTHENTICATED"),
    "denied": (403, "PERMISSION_DENIED"),
    "not_found": (404, "NOT_FOUND"),
    "wrong_method": (405, "UNIMPLEMENTED"),
    "conflict": (409, "FAILED_PRECONDITION"),
    "gone": (410, "FAILED_PRECONDITION"),
    "payment_required": (402, "FAILED_PRECONDITION"),
    "too_large": (413, "RESOURCE_EXHAUSTED"),
    "rate_limited": (429, "RESOURCE_EXHAUSTED"),
    "unavailable": (503, "UNAVAILABLE"),
    "timeout": (504, "DEADLINE_EXCEEDED"),
    "internal": (500, "INTERNAL"),
}
MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "/problems/"


def http_status(problem: Problem) -> int:
    return STATUS[problem.kind][0]


def grpc_code(problem: Problem) -> str:
    return STATUS[problem.kind][1]


def document(problem: Problem, request_id: str = "") -> dict[str, Any]:
    """The problem as an RFC 9457 document; extension members stand at the top level."""
    result: dict[str, Any] = {
        "type": TYPE_PREFIX + problem.slug,
        "title": problem.title,
        "status": http_status(problem),
    }
    if problem.detail:
        result["detail"] = problem.detail
    if request_id:
        result["request_id"] = request_id
    return result | problem.members()


def encode(problem: Problem, request_id: str = "") -> bytes:
    return msgspec.json.encode(document(problem, request_id))


class ForeignProblem(Problem):
    """A refusal of another service that this process has no class for; it keeps its own slug and members."""

    document: dict[str, Any]

    def __post_init__(self) -> None:
        status = self.document.get("status")
        self.slug = str(self.document["type"]).removeprefix(TYPE_PREFIX)  # type: ignore[misc]
        self.title = str(self.document.get("title", self.slug))  # type: ignore[misc]
        self.kind = next((kind for kind, row in STATUS.items() if row[0] == status), "internal")  # type: ignore[misc]

    def members(self) -> dict[str, Any]:
        return {name: value for name, value in self.document.items() if name not in _STANDARD}


_STANDARD = ("type", "title", "status", "detail", "request_id")


def from_response(status: int, body: bytes, part: str) -> Problem:
    """The problem that a called service answered with, as its own class where this process knows it."""
    try:
        answer = msgspec.json.decode(body)
        slug = str(answer["type"]).removeprefix(TYPE_PREFIX)
        if (known := revive(slug, answer)) is not None:
            return known
        if 400 <= status < 500:
            return ForeignProblem(detail=str(answer.get("detail", "")), document=answer | {"status": status})
        detail = str(answer.get("detail") or answer.get("title", ""))
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError, TypeError, AttributeError):
        detail = f"{part} answered {status}"
    fallback: dict[int, Problem] = {
        404: NotFound(detail=detail),
        429: TooManyRequests(detail=detail),
        503: Unavailable(detail=detail, part=part),
        504: DeadlineExceeded(detail=detail, part=part),
    }
    return fallback.get(status, InternalError(detail=detail))
