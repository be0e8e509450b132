"""Problem: the base of every refusal, one class each (RFC 9457).

A subclass names its `kind`; its annotated fields become extension members; the first line of its docstring
is the title; the slug is its class name in kebab case and unique in the process, checked when the class is
made. The same class is raised again on the caller's side of an internal call. HTTP and gRPC statuses are
the chassis' business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, dataclass_transform, get_type_hints

import msgspec

Kind = Literal[
    "invalid", "unauthenticated", "denied", "not_found", "wrong_method", "conflict", "gone",
    "payment_required", "too_large", "rate_limited", "unavailable", "timeout", "internal",
]  # fmt: skip

#: The members of RFC 9457 §3.1 that the chassis writes; an extension of that name would hide them.
RESERVED = frozenset({"type", "title", "status", "instance"})

REGISTRY: dict[str, type[Problem]] = {}


@dataclass_transform(kw_only_default=True)
class _Refusal(Exception):
    """Carries the dataclass behaviour of `Problem`'s subclasses."""


@dataclass(kw_only=True, eq=False, repr=False)
class Problem(_Refusal):
    kind: ClassVar[Kind] = "internal"
    slug: ClassVar[str] = "problem"
    title: ClassVar[str] = "Problem"

    detail: str = ""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        dataclass(kw_only=True, eq=False, repr=False)(cls)
        if taken := RESERVED & {field.name for field in fields(cls)}:
            raise TypeError(f"{cls.__name__} cannot have the members {sorted(taken)}: RFC 9457 has its own")
        cls.slug = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()
        cls.title = (cls.__doc__ or cls.__name__).strip().splitlines()[0].rstrip(".")
        if cls.slug in REGISTRY:
            raise TypeError(f"two problems are called {cls.slug}: {REGISTRY[cls.slug]!r} and {cls!r}")
        REGISTRY[cls.slug] = cls

    def __str__(self) -> str:
        return self.detail or self.title

    def members(self) -> dict[str, Any]:
        """The extension members as plain data, without `detail`."""
        names = [field.name for field in fields(self) if field.name != "detail"]
        return {name: msgspec.to_builtins(getattr(self, name)) for name in names}


def revive(slug: str, document: dict[str, Any]) -> Problem | None:
    """The problem that `document` tells of, as its own class; None if this process does not know the slug, or
    knows it with other members.
    """
    cls = REGISTRY.get(slug)
    if cls is None:
        return None
    hints = {
        name: hint for name, hint in get_type_hints(cls).items() if name not in {"kind", "slug", "title"}
    }
    try:
        known = {
            name: msgspec.convert(document[name], hint, strict=False)
            for name, hint in hints.items()
            if name in document
        }
        return cls(**known)
    except (TypeError, msgspec.ValidationError):
        return None
