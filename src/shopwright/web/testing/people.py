"""The fake of users: log-ins, own account, address book. It refuses with the slugs of the real one."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec
from aiohttp import web

from shopwright.chassis import problems
from shopwright.contracts.ids import new_id
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import FieldError, InvalidInput, NotAllowed, NotAuthenticated, NotFound

from .routing import route

STAFF_SCOPES = (
    "shop catalog:read catalog:write inventory:read inventory:write orders:read orders:write payments:read "
    "promotions:read promotions:write settings:read notifications:read operations:read orders:refund "
    "payments:write settings:write operations:write users:read users:write"
)


class People:
    def __init__(self, *, token_s: int = 900) -> None:
        self.token_s = token_s
        self.users: dict[str, dict[str, Any]] = {}
        self.sessions: dict[str, str] = {}  # a good token of either kind → whose it is
        self.resets: dict[str, str] = {}  # what a mail carries → whose password it sets
        self.log_ins: dict[str, dict[str, Any]] = {}
        self._add("buyer@example.com", "buyer-password", "Bea Buyer", "shop")
        self._add("admin@example.com", "admin-password", "Ada Admin", STAFF_SCOPES)

    def revoke(self) -> None:
        """Every token is worth nothing from now on."""
        self.sessions.clear()

    def user_of(self, request: web.Request) -> str | None:
        sent = request.headers.get("authorization", "")
        if not sent:
            return None
        if sent.removeprefix("Bearer ") not in self.sessions:
            raise NotAuthenticated(detail="the token is not good")
        return self.sessions[sent.removeprefix("Bearer ")]

    def needs(self, request: web.Request, scope: str) -> None:
        email = self.user_of(request)
        if email is None:
            raise NotAuthenticated
        if scope and scope not in self.users[email]["scope"].split():
            raise NotAllowed(scope=scope)

    @route("users", "POST", "/v1/sessions")
    def log_in(self, request: web.Request, body: Any) -> Any:
        user = self.users.get(body["email"])
        if user is None or user["password"] != body["password"]:
            raise refusal("invalid-credentials", 401)
        now = datetime.now(UTC)
        log_in = {
            "id": str(new_id()), "agent": request.headers.get("user-agent", ""), "created_at": now,
            "used_at": now, "expires_at": now,
        }  # fmt: skip
        user["log_ins"][log_in["id"]] = log_in
        return self._tokens(body["email"], str(log_in["id"]))

    @route("users", "POST", "/v1/sessions/refresh")
    def refresh(self, _request: web.Request, body: Any) -> Any:
        email = self.sessions.pop(body["refresh_token"], None)
        if email is None:
            raise refusal("session-ended", 401)
        return self._tokens(email, str(next(iter(self.users[email]["log_ins"]), "")))

    @route("users", "DELETE", "/v1/sessions/current")
    def log_out(self, request: web.Request, _body: Any) -> Any:
        self._own(request)
        self.sessions.pop(request.headers.get("authorization", "").removeprefix("Bearer "), None)

    @route("users", "POST", "/v1/users")
    def register(self, _request: web.Request, body: Any) -> Any:
        if body["email"] in self.users:
            raise refusal("email-taken", 409)
        if body["password"] == "password":
            raise InvalidInput(errors=[FieldError("/password", "is one of the first that are guessed")])
        self._add(body["email"], body["password"], body["name"], "shop")
        return 201, self._view(body["email"])

    @route("users", "GET", "/v1/users/me")
    def me(self, request: web.Request, _body: Any) -> Any:
        self._own(request)
        return self._view(str(self.user_of(request)))

    @route("users", "PATCH", "/v1/users/me")
    def change_me(self, request: web.Request, body: Any) -> Any:
        self._own(request)["name"] = body["name"]
        return self.me(request, body)

    @route("users", "DELETE", "/v1/users/me")
    def erase_me(self, request: web.Request, body: Any) -> Any:
        self._prove(request, body["password"])
        email = str(self.user_of(request))
        self.sessions = {token: owner for token, owner in self.sessions.items() if owner != email}
        del self.users[email]

    @route("users", "PUT", "/v1/users/me/password")
    def change_password(self, request: web.Request, body: Any) -> Any:
        self._prove(request, body["current"])["password"] = body["new"]

    @route("users", "POST", "/v1/password-resets")
    def ask_reset(self, _request: web.Request, body: Any) -> Any:
        if body["email"] in self.users:
            self.resets[uuid4().hex] = body["email"]
        return 202, None

    @route("users", "POST", "/v1/password-resets/confirm")
    def reset_password(self, _request: web.Request, body: Any) -> Any:
        if body["password"] == "password":
            raise InvalidInput(errors=[FieldError("/password", "is one of the first that are guessed")])
        email = self.resets.pop(body["token"], None)
        if email is None:
            raise refusal("reset-link-ended", 410)
        self.users[email]["password"] = body["password"]

    @route("users", "GET", "/v1/users/me/sessions")
    def list_sessions(self, request: web.Request, _body: Any) -> Any:
        return {"items": list(self._own(request)["log_ins"].values())}

    @route("users", "DELETE", "/v1/users/me/sessions/([^/]+)")
    def end_session(self, request: web.Request, _body: Any, log_in_id: str) -> Any:
        if self._own(request)["log_ins"].pop(log_in_id, None) is None:
            raise NotFound(detail=f"no session {log_in_id}")

    @route("users", "GET", "/v1/users/me/export")
    def export_me(self, request: web.Request, body: Any) -> Any:
        own = self._own(request)
        sessions = list(own["log_ins"].values())
        return {"user": self.me(request, body), "addresses": own["addresses"], "sessions": sessions}

    @route("users", "GET", "/v1/users/me/addresses")
    def list_addresses(self, request: web.Request, _body: Any) -> Any:
        return {"items": self._own(request)["addresses"]}

    @route("users", "POST", "/v1/users/me/addresses")
    def add_address(self, request: web.Request, body: Any) -> Any:
        book = self._own(request)["addresses"]
        if len(body["postal_code"]) > 20:
            raise InvalidInput(errors=[FieldError("/postal_code", "expected at most 20 characters")])
        book.append({"id": str(new_id()), "address": body, "is_default": not book})
        return 201, book[-1]

    @route("users", "DELETE", "/v1/users/me/addresses/([^/]+)")
    def remove_address(self, request: web.Request, _body: Any, address_id: str) -> Any:
        own = self._own(request)
        kept = [item for item in own["addresses"] if item["id"] != address_id]
        if len(kept) == len(own["addresses"]):
            raise NotFound(detail=f"no address {address_id}")
        own["addresses"] = kept

    def _add(self, email: str, password: str, name: str, scope: str) -> None:
        self.users[email] = {
            "id": str(new_id()), "password": password, "name": name, "scope": scope, "addresses": [],
            "log_ins": {}, "created_at": datetime.now(UTC),
        }  # fmt: skip

    def _own(self, request: web.Request) -> dict[str, Any]:
        self.needs(request, "")
        return self.users[str(self.user_of(request))]

    def _prove(self, request: web.Request, password: str) -> dict[str, Any]:
        own = self._own(request)
        if own["password"] != password:
            raise refusal("invalid-credentials", 401)
        return own

    def _view(self, email: str) -> dict[str, Any]:
        user = self.users[email]
        role = "buyer" if user["scope"] == "shop" else "admin"
        shown = {name: user[name] for name in ("id", "name", "created_at")}
        return shown | {"email": email, "role": role}

    def _tokens(self, email: str, log_in_id: str) -> dict[str, Any]:
        claims = {
            "sub": self.users[email]["id"], "sid": log_in_id, "scope": self.users[email]["scope"],
            "exp": time.time() + self.token_s,
        }  # fmt: skip
        payload = base64.urlsafe_b64encode(msgspec.json.encode(claims)).rstrip(b"=").decode()
        access, refresh = f"e30.{payload}.{uuid4().hex}", uuid4().hex
        self.sessions |= {access: email, refresh: email}
        return {
            "access_token": access, "refresh_token": refresh, "token_type": "Bearer",
            "expires_in": self.token_s,
        }  # fmt: skip


def refusal(slug: str, status: int, **members: Any) -> Problem:
    """A refusal that only the real service has a class for."""
    document = {"type": f"/problems/{slug}", "title": slug.replace("-", " ").capitalize(), "status": status}
    return problems.ForeignProblem(document=document | members)
