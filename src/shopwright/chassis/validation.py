"""Malformed input, told all at once: every wrong field of a body with its JSON Pointer and what would be
right.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from shopwright.contracts.problems import FieldError, InvalidInput

ERRORS_MAX = 50

#: What a body that is no JSON raises besides `DecodeError`: other letters than UTF-8, or too many brackets.
UNREADABLE = (UnicodeError, RecursionError)

DecHook = Callable[[type, Any], Any]


def check(raw: Any, expected: Any, dec_hook: DecHook | None = None) -> None:
    """Raises InvalidInput naming every field of `raw` that does not fit `expected`; returns if all fit."""
    errors = list(_errors(raw, expected, "", dec_hook))[:ERRORS_MAX]
    if errors:
        raise InvalidInput(
            detail="; ".join(f"{e.pointer or '/'}: {e.detail}" for e in errors[:3]), errors=errors
        )


def parsed(content: bytes) -> Any:
    """The JSON of a body; raises InvalidInput if it is none."""
    try:
        return msgspec.json.decode(content)
    except RecursionError:
        words = "it is nested too deeply"
    except UnicodeError:
        words = "it is not UTF-8"
    except msgspec.DecodeError as error:
        words = str(error)
    raise InvalidInput(detail=f"the body is not JSON: {words}", errors=[FieldError("", words)])


def invalid(pointer: str, detail: str) -> InvalidInput:
    """One wrong field."""
    return InvalidInput(detail=f"{pointer}: {detail}", errors=[FieldError(pointer, detail)])


def _errors(raw: Any, expected: Any, pointer: str, dec_hook: DecHook | None) -> Iterator[FieldError]:
    try:
        msgspec.convert(raw, expected, dec_hook=dec_hook)
    except msgspec.ValidationError as error:
        inner = list(_inside(raw, _plain(expected), pointer, dec_hook))
        yield from inner or [FieldError(pointer, str(error).partition(" - at `")[0])]


def _inside(raw: Any, expected: Any, pointer: str, dec_hook: DecHook | None) -> Iterator[FieldError]:
    if isinstance(expected, type) and issubclass(expected, msgspec.Struct) and isinstance(raw, Mapping):
        hints = get_type_hints(expected, include_extras=True)
        for field in msgspec.structs.fields(expected):
            place = f"{pointer}/{_escape(field.encode_name)}"
            if field.encode_name in raw:
                yield from _errors(raw[field.encode_name], hints[field.name], place, dec_hook)
            elif field.required:
                yield FieldError(place, "is required")
    elif get_origin(expected) in {list, tuple} and isinstance(raw, list):
        for index, item in enumerate(raw):
            yield from _errors(item, get_args(expected)[0], f"{pointer}/{index}", dec_hook)
    elif get_origin(expected) is dict and isinstance(raw, Mapping):
        for key, item in raw.items():
            yield from _errors(item, get_args(expected)[1], f"{pointer}/{_escape(str(key))}", dec_hook)


def _plain(expected: Any) -> Any:
    """`expected` without `Annotated` and without `| None`."""
    if get_origin(expected) is Annotated:
        return _plain(get_args(expected)[0])
    if get_origin(expected) in {Union, types.UnionType}:
        real = [member for member in get_args(expected) if member is not type(None)]
        return _plain(real[0]) if len(real) == 1 else expected
    return expected


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
