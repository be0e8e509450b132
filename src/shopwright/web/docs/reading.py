"""The merged document as people read it: groups of calls, fields of bodies and answers, examples. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import msgspec

from .merging import METHODS, Document

DEPTH_MAX: Final = 5  # of fields shown below one another; deeper ones are named only
GROUPS: Final = (
    ("catalogue", "Catalogue"), ("search", "Search"), ("carts", "Carts"), ("orders", "Orders"),
    ("payments", "Payments"), ("users", "Accounts"), ("oauth", "OAuth"), ("notifications", "Notifications"),
    ("inventory", "Stock"), ("imports", "Imports and exports"), ("operations", "Operations"),
    ("mailbox", "Mailbox"),
)  # fmt: skip
_FORMATS: Final = {
    "uuid": "018f4c1e-7a2b-7c3d-9e4f-5a6b7c8d9e0f", "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31", "email": "ada@example.com", "uri": "https://example.com/",
}  # fmt: skip
_NAMES: Final = {
    "email": "ada@example.com", "password": "a long enough passphrase", "name": "Ada Lovelace",
    "sku": "MUG-RED", "slug": "red-mug", "currency": "EUR", "country": "DE", "city": "Berlin",
    "postal_code": "10115", "line1": "1 Long Lane", "amount": 1999, "quantity": 2, "limit": 20, "q": "lamp",
    "number": "SW-100001", "token": "tok_ok", "reason": "Count", "provider": "sandbox",
}  # fmt: skip


class Field(NamedTuple):
    name: str
    type: str
    required: bool
    text: str
    children: list[Field]


class Body(NamedTuple):
    media_type: str
    fields: list[Field]
    type: str
    example: str


class Answer(NamedTuple):
    status: str
    text: str
    body: Body | None


class Call(NamedTuple):
    id: str
    method: str
    path: str
    summary: str
    text: str
    auth: str
    scope: str
    parameters: list[Field]
    places: list[str]
    body: Body | None
    answers: list[Answer]
    refusals: list[tuple[str, str]]
    curl: str


class Group(NamedTuple):
    id: str
    title: str
    calls: list[Call]


class Event(NamedTuple):
    topic: str
    name: str
    text: str
    fields: list[Field]


def groups_of(document: Document, server: str, words: str = "") -> list[Group]:
    """All calls by subject; with `words` only those that have each of them."""
    found: dict[str, list[Call]] = {}
    wanted = words.lower().split()
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            operation = item.get(method)
            text = f"{method} {path} {operation['summary']} {operation['tags']}".lower() if operation else ""
            if operation and all(word in text for word in wanted):
                call = _call(document, server, method, path, operation)
                found.setdefault(operation["tags"][0], []).append(call)
    titles = dict(GROUPS)
    order = [*titles, *sorted(found.keys() - titles.keys())]
    return [Group(tag, titles.get(tag, tag.capitalize()), found[tag]) for tag in order if tag in found]


def events_of(asyncapi: Document) -> list[Event]:
    schemas = {"components": {"schemas": asyncapi["components"]["schemas"]}}
    return [
        Event(
            message["name"],
            message["title"],
            message.get("description", ""),
            _fields(schemas, {"$ref": f"#/components/schemas/{message['title']}"}, 1),
        )
        for message in asyncapi["components"]["messages"].values()
    ]


def _call(document: Document, server: str, method: str, path: str, operation: Document) -> Call:
    parameters = operation.get("parameters", [])
    security = operation.get("security", [])
    scopes = [scope for item in security for scope in item.get("bearer", [])]
    auth = "none" if not security else "optional" if {} in security else "required"
    body = _body(document, operation.get("requestBody", {}).get("content", {}), reading=False)
    answers, refusals = [], []
    for status, answer in operation["responses"].items():
        if status.startswith(("2", "3")):
            content = _body(document, answer.get("content", {}), reading=True)
            answers.append(Answer(status, answer["description"], content))
        else:
            refusals.append((status, _resolved(document, answer)["description"]))
    return Call(
        id=operation["operationId"], method=method.upper(), path=path, summary=operation["summary"],
        text=operation.get("description", ""), auth=auth, scope=" ".join(scopes),
        parameters=[_parameter(document, item) for item in parameters],
        places=[item["in"] for item in parameters], body=body, answers=answers, refusals=refusals,
        curl=_curl(document, server, method, path, operation, body, auth),
    )  # fmt: skip


def _parameter(document: Document, raw: Document) -> Field:
    schema = raw.get("schema", {})
    text = _told(raw.get("description", ""), _limits(schema))
    return Field(raw["name"], _type(document, schema), raw.get("required", False), text, [])


def _body(document: Document, content: Document, *, reading: bool) -> Body | None:
    """What is sent, or (`reading`) what comes back."""
    for media_type, entry in content.items():
        schema = entry.get("schema", {})
        value = _sample(document, schema, "", 0, every=reading)
        example = msgspec.json.format(msgspec.json.encode(value), indent=2).decode() if value else ""
        shown = example if "json" in media_type else ""
        return Body(media_type, _fields(document, schema, 1), _type(document, schema), shown)
    return None


def _fields(document: Document, raw: Document, depth: int) -> list[Field]:
    if raw.get("$ref", "").endswith("/Money"):
        return []  # told once, in the guide
    schema = _resolved(document, raw)
    options = [
        item for item in schema.get("oneOf") or schema.get("anyOf") or [] if item.get("type") != "null"
    ]
    if len(options) == 1:
        return _fields(document, options[0], depth)
    if "items" in schema and isinstance(schema["items"], dict):
        return _fields(document, schema["items"], depth)
    if "allOf" in schema:
        return [field for part in schema["allOf"] for field in _fields(document, part, depth)]
    required = schema.get("required", [])
    return [
        Field(
            name,
            _type(document, member),
            name in required,
            _told(_text(document, member), _limits(_resolved(document, member))),
            _fields(document, member, depth + 1) if depth < DEPTH_MAX else [],
        )
        for name, member in schema.get("properties", {}).items()
    ]


def _type(document: Document, raw: Document) -> str:
    """`list of OrderLine`, `text (uuid) or null`, …"""
    if ref := raw.get("$ref"):
        return str(ref).rpartition("/")[2]
    options = raw.get("oneOf") or raw.get("anyOf")
    if options:
        return " or ".join(dict.fromkeys(_type(document, option) for option in options))
    if "const" in raw:
        return f"“{raw['const']}”"
    if values := [value for value in raw.get("enum", []) if value is not None]:
        return " · ".join(map(str, values))
    kinds = raw.get("type", "anything")
    if isinstance(kinds, list):
        return " or ".join(_type(document, raw | {"type": kind}) for kind in sorted(kinds, key="null".__eq__))
    if kinds == "array":
        return f"list of {_type(document, raw.get('items') or {})}"
    if kinds == "object" and isinstance(raw.get("additionalProperties"), dict):
        return f"map of {_type(document, raw['additionalProperties'])}"
    words = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
    form = f" ({raw['format']})" if raw.get("format") and kinds == "string" else ""
    return words.get(kinds, str(kinds)) + form


def _text(document: Document, raw: Document) -> str:
    if raw.get("$ref", "").endswith("/Money"):
        return ""
    return str(raw.get("description", "")) or str(_resolved(document, raw).get("description", ""))


def _told(text: str, limits: str) -> str:
    return f"{text.rstrip('.')} · {limits}" if text and limits else text or limits


def _limits(schema: Document) -> str:
    """The bounds of a value, in words."""
    words = []
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None or most is not None:
        words.append(_between(least, most, ""))
    short, long = schema.get("minLength"), schema.get("maxLength")
    if short is not None or long is not None:
        words.append(_between(short, long, " characters"))
    if schema.get("pattern"):
        words.append(f"like {schema['pattern']}")
    if isinstance(default := schema.get("default"), str | int) and default:
        words.append(f"default {default}")
    return "; ".join(words)


def _between(least: float | None, most: float | None, unit: str) -> str:
    low = None if least is None else f"{least:,.0f}"
    high = None if most is None else f"{most:,.0f}"
    if low is None:
        return f"at most {high}{unit}"
    return f"at least {low}{unit}" if high is None else f"{low} to {high}{unit}"


def _resolved(document: Document, raw: Document) -> Document:
    seen = 0
    while "$ref" in raw and seen < DEPTH_MAX:
        value: Any = document
        for name in raw["$ref"].removeprefix("#/").split("/"):
            value = value.get(name, {})
        raw, seen = value, seen + 1
    return raw


def _sample(document: Document, raw: Document, name: str, depth: int, *, every: bool) -> Any:
    """A value that fits: members that are required, or (`every`) all of them."""
    schema = _resolved(document, raw)
    if "default" in schema and not every and schema["default"] not in (None, "", [], {}):
        return schema["default"]
    for option in schema.get("oneOf") or schema.get("anyOf") or []:
        if option.get("type") != "null":
            return _sample(document, option, name, depth, every=every)
    if values := schema.get("enum"):
        return values[0]
    if "const" in schema:
        return schema["const"]
    kinds = schema.get("type", "object" if "properties" in schema else "")
    kind = next((k for k in kinds if k != "null"), "null") if isinstance(kinds, list) else kinds
    if kind == "object" or "properties" in schema:
        if depth > DEPTH_MAX:
            return {}
        required = schema.get("required", [])
        return {
            member: _sample(document, inner, member, depth + 1, every=every)
            for member, inner in schema.get("properties", {}).items()
            if every or member in required
        }
    if kind == "array":
        inner = schema.get("items") or {}
        return (
            [] if depth > DEPTH_MAX else [_sample(document, inner, name.rstrip("s"), depth + 1, every=every)]
        )
    return _scalar(schema, name, kind)


def _scalar(schema: Document, name: str, kind: str) -> Any:
    if examples := schema.get("examples"):
        return examples[0]
    known = _NAMES.get(name)
    if kind == "integer":
        return known if isinstance(known, int) else int(max(1, schema.get("minimum", 1)))
    if kind == "number":
        return 1.0
    if kind == "boolean":
        return True
    if kind == "string":
        return _FORMATS.get(schema.get("format", "")) or (known if isinstance(known, str) else "…")
    return None


def _curl(
    document: Document, server: str, method: str, path: str, operation: Document, body: Body | None, auth: str
) -> str:
    """A command that can be pasted, with the parameters that are required."""
    query, headers = [], []
    for item in operation.get("parameters", []):
        value = quote(str(_sample(document, item.get("schema", {}), item["name"], 0, every=False)), safe="")
        if item["in"] == "path":
            path = re.sub(r"\{" + re.escape(item["name"]) + r"[^}]*\}", value, path)
        elif item["in"] == "query" and item.get("required"):
            query.append(f"{item['name']}={value}")
        elif item["name"] == "Idempotency-Key":
            headers.append('-H "idempotency-key: $(uuidgen)"')
    url = f"{server}{path}" + (f"?{'&'.join(query)}" if query else "")
    lines = [f"curl -s{'' if method == 'get' else f' -X {method.upper()}'} '{url}'"]
    lines += ['-H "authorization: Bearer $TOKEN"'] if auth == "required" else []
    lines += headers
    if body and body.example:
        compact = msgspec.json.encode(msgspec.json.decode(body.example)).decode().replace("'", "'\\''")
        lines += ["-H 'content-type: application/json'", f"-d '{compact}'"]
    return " \\\n  ".join(lines)


def numbered(fields: Sequence[Field], depth: int = 0) -> Iterator[tuple[int, Field]]:
    """Fields with their depth, children after their parents."""
    for field in fields:
        yield depth, field
        yield from numbered(field.children, depth + 1)
