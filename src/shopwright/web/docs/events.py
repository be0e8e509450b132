"""The events as an AsyncAPI 3 document, made of the classes that services publish. Pure."""

from __future__ import annotations

import inspect
from typing import Any, Final

import msgspec

from shopwright.chassis.streams import stream_of
from shopwright.contracts import orders, payments, products, users
from shopwright.contracts.events import TOPICS, Envelope, Event

Document = dict[str, Any]

PUBLISHERS: Final = (orders, payments, products, users)  # importing them registers their events
_REF: Final = "#/components/schemas/{name}"
_TEXT: Final = (
    "Facts in the past tense, as CloudEvents 1.0 in JSON. Delivered at least once, in order for each "
    "subject; `sequence` counts a subject's events from 1 without gaps."
)


def topics_told() -> dict[str, type[Event]]:
    """The facts that services may know of one another; a service's private ones are its own business."""
    modules = {module.__name__ for module in PUBLISHERS}
    return {topic: cls for topic, cls in sorted(TOPICS.items()) if cls.__module__ in modules}


def asyncapi(version: str) -> Document:
    topics = topics_told()
    _, schemas = msgspec.json.schema_components([Envelope, *topics.values()], ref_template=_REF)
    sources = sorted({topic.partition(".")[0] for topic in topics})
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Shopwright events", "version": version, "description": _TEXT},
        "defaultContentType": "application/cloudevents+json",
        "channels": {source: _channel(source, topics) for source in sources},
        "operations": {
            f"publish.{topic}": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{topic.partition('.')[0]}"},
                "messages": [{"$ref": f"#/channels/{topic.partition('.')[0]}/messages/{cls.__name__}"}],
            }
            for topic, cls in topics.items()
        },
        "components": {
            "messages": {cls.__name__: _message(topic, cls) for topic, cls in topics.items()},
            "schemas": schemas,
        },
    }


def _channel(source: str, topics: dict[str, type[Event]]) -> Document:
    own = [cls for topic, cls in topics.items() if topic.partition(".")[0] == source]
    return {
        "address": stream_of(source),
        "title": source.capitalize(),
        "description": f"All that {source} publishes, in order; an entry of the stream has one in `e`.",
        "messages": {cls.__name__: {"$ref": f"#/components/messages/{cls.__name__}"} for cls in own},
    }


def _message(topic: str, cls: type[Event]) -> Document:
    data = {"$ref": _REF.format(name=cls.__name__)}
    described = inspect.cleandoc(cls.__doc__ or "") if cls.__doc__ else ""
    message: Document = {
        "name": topic,
        "title": cls.__name__,
        "payload": {
            "allOf": [
                {"$ref": _REF.format(name="Envelope")},
                {"type": "object", "properties": {"type": {"const": topic}, "data": data}},
            ]
        },
    }
    return message | ({"description": " ".join(described.split())} if described else {})
