"""What Envoy answers by itself, as RFC 9457 documents: the same problems, slugs and titles that services use.

Every document carries the request's id. A cause is told only where it helps the caller (why a token is
refused); names of sockets and reasons of upstream failures stay in the log. A browser that finds a service
away, or that asked too often, gets a page instead, which looks again by itself unless something was sent.
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


AWAY = (502, 503, 504)
TOO_MANY = 429
AGAIN_S = {AWAY: 3, (TOO_MANY,): 15}  # a limit refills within the minute
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">{head}
<title>{title}</title></head>
<body style="font: 1.1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 18vh auto; padding: 0 1rem">
<h1>{title}</h1><p>{words}</p><p><small>Request %REQ(X-REQUEST-ID)%</small></p></body></html>
"""
_WORDS = {
    AWAY: ("Back in a moment", "This part of the shop cannot answer just now."),
    (TOO_MANY,): ("One moment, please", "That was more at once than we answer to one visitor."),
}


def local_reply_config() -> Json:
    mappers = [page for statuses in _WORDS for page in _pages(statuses)]
    mappers += [_mapper(_status("EQ", status), problem, more) for status, problem, more in REPLIES]
    mappers.append(_mapper(_status("GE", 500), InternalError, {}))
    mappers.append(_mapper(_status("GE", 400), InvalidInput, {}))
    return {"mappers": mappers}


def _pages(statuses: tuple[int, ...]) -> list[Json]:
    """A page that looks again; for who sent something one that asks to send it again."""
    title, words = _WORDS[statuses]
    refresh = f'<meta http-equiv="refresh" content="{AGAIN_S[statuses]}">'
    again = _PAGE.format(head=refresh, title=title, words=f"{words} This page looks again by itself.")
    sent = _PAGE.format(head="", title=title, words=f"{words} Go back, and send it again in a moment.")
    got = _has(":method", {"exact": "GET"})
    return [_page(status, html, *more) for html, more in ((again, [got]), (sent, [])) for status in statuses]


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


def _page(status: int, html: str, *more: Json) -> Json:
    """For those who ask for HTML."""
    asked = _has("accept", {"contains": "text/html"})
    return {
        "filter": {"and_filter": {"filters": [_status("EQ", status), asked, *more]}},
        "body_format_override": {
            "text_format_source": {"inline_string": html},
            "content_type": "text/html; charset=utf-8",
        },
    }


def _has(header: str, match: Json) -> Json:
    return {"header_filter": {"header": {"name": header, "string_match": match}}}


def _status(comparison: str, status: int) -> Json:
    value = {"default_value": status, "runtime_key": f"gateway.reply.{comparison}.{status}"}
    return {"status_code_filter": {"comparison": {"op": comparison, "value": value}}}
