"""The fake of users: log-ins, own account, address book."""

from __future__ import annotations

import base64
import time
from typing import Any
from uuid import uuid4

import msgspec
from aiohttp import web

from shopwright.chassis import problems
from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import NotAllowed, NotAuthenticated

from .routing import route

STAFF_SCOPES = (
    "catalog:read catalog:write inventory:read inventory:write orders:read orders:write orders:refund "
    "payments:read notifications:read operations:read operations:write"
)


class People:
    def __init__(self, *, token_s: int = 900) -> None:
        self.token_s = token_s
        self.users = {
            "buyer@example.com": {"password": "buyer-password", "name": "Bea Buyer", "scope": "shop"},
            "admin@example.com": {"password": "admin-password", "name": "Ada Admin", "scope": STAFF_SCOPES},
        }
        self.sessions: dict[str, str] = {}
        self.addresses: list[dict[str, Any]] = []

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
    def log_in(self, _request: web.Request, body: Any) -> Any:
        user = self.users.get(body["email"])
        if user is None or user["password"] != body["password"]:
            raise NotAuthenticated(detail="e-mail or password is wrong")
        return self._tokens(body["email"])

    @route("users", "POST", "/v1/sessions/refresh")
    def refresh(self, _request: web.Request, body: Any) -> Any:
        email = self.sessions.pop(body["refresh_token"], None)
        if email is None:
            raise NotAuthenticated(detail="the refresh token was used before")
        return self._tokens(email)

    @route("users", "DELETE", "/v1/sessions/current")
    def log_out(self, request: web.Request, _body: Any) -> Any:
        self.sessions.pop(request.headers.get("authorization", "").removeprefix("Bearer "), None)

    @route("users", "POST", "/v1/users")
    def register(self, _request: web.Request, body: Any) -> Any:
        if body["email"] in self.users:
            raise problems.ForeignProblem(
                document={"type": "/problems/email-taken", "title": "Taken", "status": 409}
            )
        self.users[body["email"]] = {"password": body["password"], "name": body["name"], "scope": "shop"}
        return 201, {"id": str(new_id()), "email": body["email"], "name": body["name"]}

    @route("users", "GET", "/v1/users/me")
    def me(self, request: web.Request, _body: Any) -> Any:
        self.needs(request, "")
        email = str(self.user_of(request))
        return {"id": str(new_id()), "email": email, "name": self.users[email]["name"]}

    @route("users", "PUT", "/v1/users/me/password")
    def change_password(self, request: web.Request, body: Any) -> Any:
        user = self.users[str(self.user_of(request))]
        if user["password"] != body["current"]:
            raise NotAuthenticated(detail="the password is wrong")
        user["password"] = body["new"]

    @route("users", "DELETE", "/v1/users/me/addresses/([^/]+)")
    def remove_address(self, request: web.Request, _body: Any, address_id: str) -> Any:
        self.needs(request, "")
        self.addresses = [item for item in self.addresses if item["id"] != address_id]

    @route("users", "PATCH", "/v1/users/me")
    def change_me(self, request: web.Request, body: Any) -> Any:
        self.users[str(self.user_of(request))].update(body)
        return self.me(request, body)

    @route("users", "GET", "/v1/users/me/addresses")
    def list_addresses(self, request: web.Request, _body: Any) -> Any:
        self.needs(request, "")
        return {"items": self.addresses}

    @route("users", "POST", "/v1/users/me/addresses")
    def add_address(self, request: web.Request, body: Any) -> Any:
        self.needs(request, "")
        self.addresses.append({"id": str(new_id()), "address": body, "is_default": not self.addresses})
        return 201, self.addresses[-1]

    def _tokens(self, email: str) -> dict[str, Any]:
        claims = {
            "sub": str(new_id()),
            "scope": self.users[email]["scope"],
            "exp": time.time() + self.token_s,
        }
        payload = base64.urlsafe_b64encode(msgspec.json.encode(claims)).rstrip(b"=").decode()
        access, refresh = f"e30.{payload}.{uuid4().hex}", uuid4().hex
        self.sessions |= {access: email, refresh: email}
        return {
            "access_token": access, "refresh_token": refresh, "token_type": "Bearer",
            "expires_in": self.token_s,
        }  # fmt: skip
