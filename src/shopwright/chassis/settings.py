"""Settings: one frozen struct per service, read once from environment variables at start, typed and
bounded.

A field `mesh_socket` is read from `SHOPWRIGHT_MESH_SOCKET`, or from the file that
`SHOPWRIGHT_MESH_SOCKET_FILE` names (how secrets arrive, so that they never stand in a process list). A
wrong value names the variable and the reason; nothing else in the code reads the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

PREFIX = "SHOPWRIGHT_"


class BadSetting(ValueError):
    """A setting is missing or malformed; the message names the variable and what would be right."""


class ServiceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What every service needs to run; a service's own settings extend it."""

    service: str
    socket: Path
    database_url: str
    valkey_url: str
    mesh_socket: Path
    public_url: str
    home: Path
    slot: Annotated[int, msgspec.Meta(ge=0, le=63)] = 0
    log_level: str = "info"
    otlp_endpoint: str = ""
    database_pool: Annotated[int, msgspec.Meta(ge=2, le=100)] = 12
    drain_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)] = 20_000


Settings = TypeVar("Settings", bound=msgspec.Struct)


def load(cls: type[Settings], environ: Mapping[str, str]) -> Settings:
    """Read `cls` from `environ`.

    Raises:
        BadSetting: names the first variable that is missing or wrong.
    """
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(cls):
        variable = PREFIX + field.name.upper()
        if (raw := _raw(variable, environ)) is not None:
            values[field.name] = _typed(raw, field.type, variable)
        elif field.required:
            raise BadSetting(f"{variable} is not set; give it or {variable}_FILE")
    return msgspec.convert(values, cls, dec_hook=_path)


def own_origins(*urls: str) -> tuple[str, ...]:
    """Where this installation's pages are, the first of `urls` first; loopback has two names, and a browser
    may use either.
    """
    named = [url.rstrip("/") for url in urls if url]
    other = [
        url.replace(name, alias, 1)
        for url in named
        for name, alias in (("//127.0.0.1", "//localhost"), ("//localhost", "//127.0.0.1"))
        if name in url
    ]
    return tuple(dict.fromkeys([*named, *other]))


def _raw(variable: str, environ: Mapping[str, str]) -> str | None:
    if variable in environ:
        return environ[variable]
    if path := environ.get(f"{variable}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadSetting(f"{variable}_FILE: cannot read {path}: {error.strerror}") from error
    return None


def _typed(raw: str, expected: Any, variable: str) -> Any:
    try:
        return msgspec.convert(raw, expected, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise BadSetting(f"{variable}: {error}") from error


def _path(cls: type, value: Any) -> Any:
    if cls is Path:
        return Path(value)
    raise NotImplementedError(cls)
