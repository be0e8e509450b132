"""Events: facts in the past tense, in a CloudEvents 1.0 envelope with a sequence per aggregate.

`@event("orders.order_confirmed.v1", subject="order_id")` registers a class under its topic; `subject` names
the field that identifies the aggregate. A new meaning is a new version beside the old one. `sequence`
counts an aggregate's events from 1 without gaps, so a consumer can tell a lost one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar, TypeVar

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What happened; the payload of an envelope."""

    topic: ClassVar[str] = ""
    subject_field: ClassVar[str] = ""

    @property
    def subject(self) -> str:
        return str(getattr(self, self.subject_field))


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """CloudEvents 1.0 in JSON, structured mode; `sequence` and `traceparent` are registered extensions."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    sequence: int
    data: msgspec.Raw
    traceparent: str = ""
    specversion: str = "1.0"
    datacontenttype: str = "application/json"

    def event(self) -> Event:
        """The payload as its registered class; raises KeyError for a topic this release does not know."""
        return msgspec.json.decode(self.data, type=TOPICS[self.type])


TOPICS: dict[str, type[Event]] = {}
E_ = TypeVar("E_", bound=type[Event])


def event(topic: str, *, subject: str) -> Callable[[E_], E_]:
    """Register an event class under `topic`; `subject` names the field that identifies its aggregate."""

    def register(cls: E_) -> E_:
        if topic in TOPICS:
            raise TypeError(f"two events are called {topic}")
        cls.topic, cls.subject_field = topic, subject
        TOPICS[topic] = cls
        return cls

    return register


def encode_data(fact: Event) -> bytes:
    return msgspec.json.encode(fact)


def schema_of(cls: type[Event]) -> dict[str, Any]:
    """JSON Schema 2020-12 of an event's data."""
    return msgspec.json.schema(cls)
