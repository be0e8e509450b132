"""Many services' OpenAPI documents made into one. Pure.

Component names are made unique: a shape that two services describe alike is one component, shapes that differ
under one name get their service's name before theirs. What the framework says of errors gives way to what is
true of all services: problem documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from .rules import Rule, rule_of

Document = dict[str, Any]

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_SCHEMAS: Final = "#/components/schemas/"
_NOISE: Final = {"deprecated": False, "allowEmptyValue": False, "allowReserved": False, "headers": {}}
_PHRASES: Final = {  # what HTTP says of a status, which tells nobody what is in the answer
    "Request fulfilled, document follows", "Document created, URL follows",
    "Request accepted, processing continues off-line", "Request fulfilled, nothing follows",
}  # fmt: skip

PROBLEM: Final[Document] = {
    "type": "object",
    "title": "Problem",
    "description": "A refusal (RFC 9457). Some types have members of their own beside these.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {
            "type": "string", "description": "Which refusal it is.", "examples": ["/problems/invalid-input"],
        },
        "title": {"type": "string", "description": "The type in words."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "detail": {"type": "string", "description": "What was wrong this time."},
        "request_id": {"type": "string", "description": "Names this request in our logs."},
        "errors": {
            "type": "array",
            "description": "Every field that was wrong, with type /problems/invalid-input.",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON Pointer (RFC 6901) to the field."},
                    "detail": {"type": "string", "description": "What would be right."},
                },
            },
        },
    },
    "additionalProperties": True,
}  # fmt: skip
REFUSALS: Final = {
    "Unauthenticated": ("401", "No token, or one that is no longer good."),
    "Denied": ("403", "The token lacks the scope, or the thing is not yours."),
    "NotFound": ("404", "There is no such thing, or not for you."),
    "Conflict": ("409", "The state of things refuses it."),
    "Invalid": ("422", "The request is malformed; `errors` names every field."),
    "TooMany": ("429", "Too many requests; `Retry-After` says when to come back."),
    "Broken": ("5XX", "Something on our side; safe to repeat where Idempotency-Key is honoured."),
}  # fmt: skip
KEY_HEADER: Final[Document] = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "description": "Makes a repeat harmless: the same key and request get the first answer again.",
    "schema": {"type": "string", "maxLength": 255},
}  # fmt: skip
CART_HEADER: Final[Document] = {
    "name": "x-cart-id", "in": "header", "required": False,
    "description": "The id of the cart that the order came from: how a guest shows that it is theirs.",
    "schema": {"type": "string", "format": "uuid"},
}  # fmt: skip


def merge(parts: Mapping[str, Document], info: Document, servers: Sequence[str]) -> Document:
    """One document of `parts` (by service); paths under /internal are left out."""
    names = _names({service: _schemas(part) for service, part in parts.items()})
    paths: Document = {}
    schemas: Document = {"Problem": PROBLEM}
    used: set[str] = set()
    for service, part in parts.items():
        for path, operations in part.get("paths", {}).items():
            if path.startswith("/internal"):
                continue
            merged = paths.setdefault(path, {})
            for method, operation in _operations(operations):
                renamed = _renamed(operation, names[service])
                merged[method] = _operation(service, method, path, renamed, used)
        for name, schema in _schemas(part).items():
            schemas[names[service][name]] = _schema(_renamed(schema, names[service]), names[service][name])
    reachable = _reachable(paths, schemas)
    return {
        "openapi": "3.1.0",
        "info": info,
        "servers": [{"url": url} for url in servers],
        "tags": [{"name": tag} for tag in _tags(paths)],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {name: schemas[name] for name in sorted(reachable)},
            "responses": {name: _refusal(text) for name, (_, text) in REFUSALS.items()},
            "securitySchemes": {
                "bearer": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "The access token of POST /v1/sessions, or of the OAuth server.",
                }
            },
        },
    }  # fmt: skip


def _operation(service: str, method: str, path: str, raw: Document, used: set[str]) -> Document:
    rule = rule_of(method, path)
    text = " ".join(raw.get("description", "").split())
    parameters = [_parameter(item) for item in raw.get("parameters", [])]
    parameters += [KEY_HEADER] if rule.keyed else []
    parameters += [CART_HEADER] if rule.cart_header and rule.auth == "optional" else []
    made: Document = {
        "tags": raw.get("tags") or [service],
        "summary": _spaced(raw.get("summary", "")) or f"{method.upper()} {path}",
        "operationId": _unique(_camel(raw.get("summary") or raw["operationId"]), service, used),
    }  # fmt: skip
    if text:
        made["description"] = text
    if parameters:
        made["parameters"] = parameters
    if body := raw.get("requestBody"):
        made["requestBody"] = _quiet(body)
    made["responses"] = _responses(method, rule, raw, parameters)
    made["security"] = _security(rule)
    return made


def _responses(method: str, rule: Rule, raw: Document, parameters: Sequence[Document]) -> Document:
    good = {
        status: _quiet(answer) | {"description": _described(answer)}
        for status, answer in raw.get("responses", {}).items()
        if status.startswith(("2", "3"))
    }
    wanted = {"TooMany", "Broken"}
    if rule.auth != "public":
        wanted.add("Unauthenticated")
    if rule.scope:
        wanted.add("Denied")
    if any(item["in"] == "path" for item in parameters):
        wanted.add("NotFound")
    if parameters or raw.get("requestBody"):
        wanted.add("Invalid")
    if method != "get":
        wanted.add("Conflict")
    bad = {status: {"$ref": f"#/components/responses/{name}"}
           for name, (status, _) in REFUSALS.items() if name in wanted}  # fmt: skip
    return good | bad


def _described(answer: Document) -> str:
    text = str(answer.get("description", ""))
    if text and text not in _PHRASES:
        return text
    return "Done." if answer.get("content") else "Done; the answer has no body."


def _security(rule: Rule) -> list[Document]:
    scopes = [rule.scope] if rule.scope else []
    known: dict[str, list[Document]] = {
        "public": [],
        "optional": [{}, {"bearer": []}],
        "required": [{"bearer": scopes}],
    }
    return known[rule.auth]


def _refusal(text: str) -> Document:
    schema = {"$ref": f"{_SCHEMAS}Problem"}
    return {"description": text, "content": {"application/problem+json": {"schema": schema}}}


def _names(schemas: Mapping[str, Document]) -> dict[str, dict[str, str]]:
    """For each service, what each of its components is called in the merged document."""
    owners: dict[str, list[str]] = {}
    for service, components in schemas.items():
        for name in components:
            owners.setdefault(_short(name), []).append(service)
    alike = {
        name
        for name, services in owners.items()
        if name != "Problem" and len({repr(_by_short(schemas[service])[name]) for service in services}) == 1
    }
    while torn := {name for name in alike if not _refs_of(name, owners, schemas) <= alike}:
        alike -= torn
    return {
        service: {name: _called(service, _short(name), owners, alike) for name in components}
        for service, components in schemas.items()
    }


def _called(service: str, name: str, owners: Mapping[str, list[str]], alike: set[str]) -> str:
    alone = len(owners[name]) == 1 and name != "Problem"
    return name if alone or name in alike else service.capitalize() + name


def _refs_of(name: str, owners: Mapping[str, list[str]], schemas: Mapping[str, Document]) -> set[str]:
    """The components that `name` is made of, where more than one service has it."""
    if len(owners[name]) == 1:
        return set()
    return {_short(ref) for ref in _refs(_by_short(schemas[owners[name][0]])[name])}


def _by_short(components: Document) -> Document:
    return {_short(name): schema for name, schema in components.items()}


def _short(name: str) -> str:
    """`Page_shopwright.orders.api.orders.OrderView_` is OrderViewPage."""
    match = re.fullmatch(r"(\w+?)_(?:[\w.]+\.)?(\w+)_", name)
    if match:
        return match[2] + match[1]
    *rooms, last = name.split("_")  # `documents_CategoryView`: two of one name in one service
    return (rooms[-1].capitalize() + last) if rooms and last[:1].isupper() else name


def _schemas(part: Document) -> Document:
    found: Document = part.get("components", {}).get("schemas", {})
    return found


def _schema(schema: Document, name: str) -> Document:
    return schema | {"title": name} if "title" in schema else schema


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """`value` with its references pointing to the new names."""
    if isinstance(value, dict):
        ref = value.get("$ref")
        if isinstance(ref, str) and ref.startswith(_SCHEMAS):
            name = ref.removeprefix(_SCHEMAS)
            return value | {"$ref": _SCHEMAS + names.get(name, name)}
        return {key: _renamed(item, names) for key, item in value.items()}
    return [_renamed(item, names) for item in value] if isinstance(value, list) else value


def _refs(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(ref := value.get("$ref"), str) and ref.startswith(_SCHEMAS):
            yield ref.removeprefix(_SCHEMAS)
        for item in value.values():
            yield from _refs(item)
    elif isinstance(value, list):
        for item in value:
            yield from _refs(item)


def _reachable(paths: Document, schemas: Document) -> set[str]:
    """The components that something still speaks of."""
    found: set[str] = {"Problem"}
    waiting = list(_refs(paths))
    while waiting:
        name = waiting.pop()
        if name in schemas and name not in found:
            found.add(name)
            waiting += _refs(schemas[name])
    return found


def _operations(operations: Document) -> Iterable[tuple[str, Document]]:
    return ((method, operations[method]) for method in METHODS if method in operations)


def _parameter(raw: Document) -> Document:
    """Without the description repeated inside the schema."""
    quiet: Document = _quiet(raw)
    schema = {key: value for key, value in quiet.get("schema", {}).items() if key != "description"}
    return quiet | {"schema": schema}


def _quiet(value: Any) -> Any:
    """Without members that say what holds anyway."""
    if isinstance(value, dict):
        return {k: _quiet(v) for k, v in value.items() if k not in _NOISE or v != _NOISE[k]}
    return [_quiet(item) for item in value] if isinstance(value, list) else value


def _tags(paths: Document) -> list[str]:
    found = {tag for item in paths.values() for operation in item.values() for tag in operation["tags"]}
    return sorted(found)


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()  # `ListOrders` is List orders


def _camel(name: str) -> str:
    joined = re.sub(r"[^A-Za-z0-9]+", "", name)
    return joined[:1].lower() + joined[1:]


def _unique(name: str, service: str, used: set[str]) -> str:
    wanted = name if name not in used else service + name[:1].upper() + name[1:]
    used.add(wanted)
    return wanted
