"""The calls of payments.proto as values: path, request and answer, so that both sides are typed from one
table.

The messages are generated, never edited: `python -m grpc_tools.protoc -I src --python_out=src --pyi_out=src
src/shopwright/contracts/payments.proto` (`make proto`). A caller writes
`await rpc.call(CAPTURE, PaymentId(payment_id=...), timeout_s=5)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.message import Message

from .payments_pb2 import AuthoriseRequest, PaymentId, PaymentPart, PaymentState, RefundRequest

__all__ = [
    "AUTHORISE", "CAPTURE", "GET", "REFUND", "SERVICE", "VOID",
    "AuthoriseRequest", "PaymentId", "PaymentPart", "PaymentState", "RefundRequest", "Rpc",
]  # fmt: skip

Request = TypeVar("Request", bound=Message)
Answer = TypeVar("Answer", bound=Message)

SERVICE = "shopwright.payments.v1.Payments"


@dataclass(frozen=True)
class Rpc(Generic[Request, Answer]):
    """One unary call of a gRPC service."""

    service: str
    method: str
    request: type[Request]
    answer: type[Answer]

    @property
    def path(self) -> str:
        return f"/{self.service}/{self.method}"


AUTHORISE = Rpc(SERVICE, "Authorise", AuthoriseRequest, PaymentState)
CAPTURE = Rpc(SERVICE, "Capture", PaymentId, PaymentState)
VOID = Rpc(SERVICE, "Void", PaymentId, PaymentState)
REFUND = Rpc(SERVICE, "Refund", RefundRequest, PaymentState)
GET = Rpc(SERVICE, "Get", PaymentId, PaymentState)
