"""Who asks: the principal, from headers that only Envoy can set (it strips them from clients and verifies
the token).

Scopes are checked here finely; the gateway checks coarsely. A service's socket lies in a directory that
only this installation's own processes reach, so the headers are trusted there.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import msgspec
from litestar import Request

from shopwright.contracts.problems import NotAllowed, NotAuthenticated

SPIFFE_PREFIX = "spiffe://shopwright.local/ns/default/sa/"


class Principal(msgspec.Struct, frozen=True):
    """The caller: a user with scopes, a service over the mesh (`caller`), or a guest."""

    user_id: UUID | None = None
    scopes: frozenset[str] = frozenset()
    session_id: str = ""
    caller: str = ""

    def require_user(self) -> UUID:
        if self.user_id is None:
            raise NotAuthenticated
        return self.user_id

    def may(self, scope: str) -> bool:
        return scope in self.scopes

    def require(self, scope: str) -> None:
        """Raises NotAuthenticated for a guest, NotAllowed for an account without `scope`."""
        self.require_user()
        if scope not in self.scopes:
            raise NotAllowed(detail=f"this needs the scope {scope}", scope=scope)

    def require_caller(self, services: Iterable[str]) -> None:
        """For /internal/ paths: raises NotAllowed unless one of `services` calls."""
        if self.caller not in services:
            raise NotAllowed(detail=f"{self.caller or 'this caller'} may not call this")


def principal_of(request: Request) -> Principal:
    """Litestar dependency."""
    headers = request.headers
    user = headers.get("x-user-id", "")
    return Principal(
        user_id=UUID(user) if user else None,
        scopes=frozenset(headers.get("x-user-scope", "").split()),
        session_id=headers.get("x-session-id", ""),
        caller=headers.get("x-caller", "").removeprefix(SPIFFE_PREFIX),
    )
