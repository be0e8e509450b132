"""gRPC between services on Unix sockets: a server of unary calls, and a client through the node's Envoy.

The same promises as `chassis.http`: a call is never made inside a transaction, gets at most the time the
caller has left, carries trace and request id, and a refusal is raised as its own class. A refusal travels
as a gRPC status (`chassis.problems`) with its RFC 9457 document in the trailing metadata `problem-bin`; a
bug as INTERNAL without details. Who calls is told by `x-caller`, which only the mesh can set.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, NoReturn, TypeVar

import grpc
import grpc.aio
import structlog
from google.protobuf.message import Message

from shopwright.contracts.payments_rpc import Rpc
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import (
    DeadlineExceeded,
    InternalError,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    TooManyRequests,
    Unavailable,
)

from . import deadline, problems, telemetry
from .auth import SPIFFE_PREFIX
from .db import in_transaction

log = structlog.get_logger()

Request = TypeVar("Request", bound=Message)
Answer = TypeVar("Answer", bound=Message)

PROBLEM: Final = "problem-bin"
CONCURRENT_MAX = 2_000  # calls at once; more are refused rather than served too late
MESSAGE_MAX = 1_048_576

_SERVER_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MESSAGE_MAX),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
)
_CLIENT_OPTIONS: Final = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", MESSAGE_MAX),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # a socket that was away for a restart must not stay away for grpcio's two minutes
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.enable_retries", 0),
)


@dataclass(frozen=True)
class Serves(Generic[Request, Answer]):
    """One call of the table and the coroutine that answers it."""

    rpc: Rpc[Request, Answer]
    answer: Callable[[Request], Awaitable[Answer]]


class RpcServer:
    """Answers `methods` on a Unix socket, for `callers` only."""

    def __init__(self, socket: Path, methods: Sequence[Serves[Any, Any]], callers: Collection[str]) -> None:
        self._socket, self._callers = socket, frozenset(callers)
        self._methods = methods
        self._server: Any = None

    async def start(self) -> None:
        self._socket.unlink(missing_ok=True)
        self._server = grpc.aio.server(options=_SERVER_OPTIONS, maximum_concurrent_rpcs=CONCURRENT_MAX)
        for service in {item.rpc.service for item in self._methods}:
            handlers = {
                item.rpc.method: self._handler(item) for item in self._methods if item.rpc.service == service
            }
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        self._server.add_insecure_port(f"unix:{self._socket}")
        await self._server.start()

    async def stop(self, grace_s: float) -> None:
        """Take no new calls; those in flight get `grace_s`."""
        if self._server is not None:
            await self._server.stop(grace_s)

    def _handler(self, item: Serves[Any, Any]) -> Any:
        async def handle(request: Any, context: Any) -> Any:
            metadata = dict(context.invocation_metadata() or ())
            deadline.start(_time_left(context.time_remaining(), str(metadata.get(deadline.HEADER, ""))))
            with telemetry.span(
                f"rpc {item.rpc.method}",
                remote=str(metadata.get("traceparent", "")),
                request_id=str(metadata.get("x-request-id", "")),
            ):
                try:
                    self._admit(str(metadata.get("x-caller", "")))
                    return await item.answer(request)
                except Problem as problem:
                    log.info("refused", problem=problem.slug, detail=problem.detail, method=item.rpc.method)
                    await _abort(context, problem)
                except Exception:  # the border of the process: a bug is told by its request id only
                    log.exception("call failed", method=item.rpc.method)
                    await _abort(
                        context, InternalError(detail="the request id tells our engineers what happened")
                    )

        return grpc.unary_unary_rpc_method_handler(
            handle,
            request_deserializer=item.rpc.request.FromString,
            response_serializer=item.rpc.answer.SerializeToString,
        )

    def _admit(self, identity: str) -> None:
        caller = identity.removeprefix(SPIFFE_PREFIX)
        if caller not in self._callers:
            raise NotAllowed(detail=f"{caller or 'this caller'} may not call this")


def _time_left(by_grpc: float | None, told_ms: str) -> float:
    """What grpcio tells is rounded up; what the caller wrote is exact."""
    left = deadline.DEFAULT_S if by_grpc is None else by_grpc
    return min(left, int(told_ms) / 1_000) if told_ms.isdigit() else left


async def _abort(context: Any, problem: Problem) -> NoReturn:
    current = telemetry.current()
    body = problems.encode(problem, current.request_id if current else "")
    await context.abort(
        getattr(grpc.StatusCode, problems.grpc_code(problem)), problem.title, ((PROBLEM, body),)
    )
    raise AssertionError("abort returned")


class RpcClient:
    """One service's way to the gRPC calls of `service`; make it inside the running loop.

    `caller` is for a socket without the mesh, which overwrites it by the certificate's identity.
    """

    def __init__(self, mesh_socket: Path, service: str, *, caller: str = "") -> None:
        self._service, self._caller = service, caller
        self._channel = grpc.aio.insecure_channel(
            f"unix:{mesh_socket}", options=[*_CLIENT_OPTIONS, ("grpc.default_authority", service)]
        )
        self._calls: dict[str, Any] = {}

    async def close(self) -> None:
        await self._channel.close(None)

    async def call(self, rpc: Rpc[Request, Answer], request: Request, *, timeout_s: float) -> Answer:
        """Make one call; ids in `request` make a repeat harmless.

        Args:
            timeout_s: the most this call may take; less if the caller has less left.

        Raises:
            Problem: what the service refused with, as its own class.
            DeadlineExceeded: no answer in time; the outcome is unknown.
            Unavailable: the service cannot be reached.
        """
        if in_transaction():
            raise RuntimeError(f"{rpc.path} was called inside a database transaction")
        limit_s = deadline.remaining_s(timeout_s)
        if limit_s <= 0:
            raise DeadlineExceeded(detail=f"no time left to call {self._service}", part=self._service)
        with telemetry.span(f"call {self._service}", method="rpc", path=rpc.path):
            try:
                answer: Answer = await self._callable(rpc)(
                    request, timeout=limit_s, metadata=self._metadata(limit_s)
                )
            except grpc.aio.AioRpcError as error:
                raise _problem_of(error, self._service) from None
        return answer

    def _callable(self, rpc: Rpc[Any, Any]) -> Any:
        if rpc.path not in self._calls:
            self._calls[rpc.path] = self._channel.unary_unary(
                rpc.path,
                request_serializer=rpc.request.SerializeToString,
                response_deserializer=rpc.answer.FromString,
            )
        return self._calls[rpc.path]

    def _metadata(self, limit_s: float) -> tuple[tuple[str, str], ...]:
        context = telemetry.current()
        pairs = {
            deadline.HEADER: str(int(limit_s * 1_000)),
            "x-caller": self._caller,
            "traceparent": context.traceparent if context else "",
            "x-request-id": context.request_id if context else "",
        }
        return tuple((name, value) for name, value in pairs.items() if value)


def _problem_of(error: Any, part: str) -> Problem:
    """What a failed call means: the service's own problem, or the mesh's or grpcio's word as ours."""
    status = {code: number for number, code in problems.STATUS.values()}
    name = error.code().name
    for key, value in error.trailing_metadata() or ():
        if key == PROBLEM:
            return problems.from_response(status.get(name, 500), value, part)
    detail = f"{part}: {error.details() or name}"
    ours: dict[str, Problem] = {
        "UNAVAILABLE": Unavailable(detail=detail, part=part),
        "DEADLINE_EXCEEDED": DeadlineExceeded(detail=detail, part=part),
        "CANCELLED": DeadlineExceeded(detail=detail, part=part),
        "UNAUTHENTICATED": NotAuthenticated(detail=detail),
        "PERMISSION_DENIED": NotAllowed(detail=detail),
        "NOT_FOUND": NotFound(detail=detail),
        "RESOURCE_EXHAUSTED": TooManyRequests(detail=detail),
    }
    return ours.get(name, InternalError(detail=detail))
