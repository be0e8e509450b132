"""What Envoy answers by itself, as RFC 9457 documents: the same problems, slugs and titles that services use.

Every document carries the request's id. A cause is told only where it helps the caller (why a token is
refused); names of sockets and reasons of upstream failures stay in the log.
"""

from __future__ import annotations

from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import (
    DeadlineExceeded,
    InternalError,
    InvalidInput,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    RequestTooLarge,
    TooManyRequests,
    Unavailable,
)

from .proto import Json

REPLIES: tuple[tuple[int, type[Problem], Json], ...] = (
    (401, NotAuthenticated, {"detail": "%LOCAL_REPLY_BODY%"}),
    (403, NotAllowed, {}),
    (404, NotFound, {}),
    (408, DeadlineExceeded, {"part": "gateway"}),
    (413, RequestTooLarge, {}),
    (429, TooManyRequests, {}),
    (503, Unavailable, {"part": "%UPSTREAM_CLUSTER%"}),
    (504, DeadlineExceeded, {"part": "%UPSTREAM_CLUSTER%"}),
)


def local_reply_config() -> Json:
    mappers = [_mapper(_status("EQ", status), problem, more) for status, problem, more in REPLIES]
    mappers.append(_mapper(_status("GE", 500), InternalError, {}))
    mappers.append(_mapper(_status("GE", 400), InvalidInput, {}))
    return {"mappers": mappers}


def refuse(status: int) -> Json:
    """DirectResponseAction; the mappers above give it its document."""
    return {"status": status}


def _mapper(condition: Json, problem: type[Problem], more: Json) -> Json:
    document = {
        "type": f"/problems/{problem.slug}",
        "title": problem.title,
        "status": "%RESPONSE_CODE%",
        "request_id": "%REQ(X-REQUEST-ID)%",
    }
    return {
        "filter": condition,
        "body_format_override": {
            "json_format": document | more,
            "content_type": "application/problem+json",
        },
    }


def _status(comparison: str, status: int) -> Json:
    value = {"default_value": status, "runtime_key": f"gateway.reply.{comparison}.{status}"}
    return {"status_code_filter": {"comparison": {"op": comparison, "value": value}}}
