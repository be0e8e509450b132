"""Calls to users: accounts, log-ins, addresses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from shopwright.chassis.http import Client

from .orders import Address
from .remote import WRITE_S, Remote

AGENT_MAX = 300


class Tokens(msgspec.Struct, frozen=True):
    access_token: str
    refresh_token: str = ""
    expires_in: int = 900


class Account(msgspec.Struct, frozen=True, kw_only=True):
    email: str
    id: str = ""
    name: str = ""
    created_at: str = ""


class SavedAddress(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the address book."""

    id: str
    address: Address
    is_default: bool = False


class LogIn(msgspec.Struct, frozen=True, kw_only=True):
    """A place where the account is logged in; `agent` is what its browser calls itself."""

    id: str
    used_at: datetime
    agent: str = ""


class _LogIns(msgspec.Struct):
    items: list[LogIn] = []


class _Addresses(msgspec.Struct):
    items: list[SavedAddress] = []


class Users:
    def __init__(self, client: Client) -> None:
        self._users = Remote(client, "users")

    async def log_in(self, email: str, password: str, otp: str = "", *, agent: str = "") -> Tokens:
        """`agent` is the browser's name for itself, which the account's owner is shown."""
        body = {"email": email, "password": password} | ({"otp": otp} if otp else {})
        headers = {"user-agent": agent[:AGENT_MAX]} if agent else {}
        return await self._users.call(
            "POST", "/v1/sessions", Tokens, body=body, headers=headers, timeout_s=WRITE_S
        )

    async def refresh(self, refresh_token: str) -> Tokens:
        """New tokens; the given one is used up."""
        body = {"refresh_token": refresh_token}
        return await self._users.call("POST", "/v1/sessions/refresh", Tokens, body=body)

    async def log_out(self, token: str) -> None:
        await self._users.call("DELETE", "/v1/sessions/current", token=token)

    async def register(self, email: str, password: str, name: str, *, key: str) -> None:
        body = {"email": email, "password": password, "name": name}
        await self._users.call("POST", "/v1/users", body=body, key=key, timeout_s=WRITE_S)

    async def account(self, token: str) -> Account:
        return await self._users.call("GET", "/v1/users/me", Account, token=token)

    async def rename(self, token: str, name: str) -> None:
        await self._users.call("PATCH", "/v1/users/me", token=token, body={"name": name}, timeout_s=WRITE_S)

    async def change_password(self, token: str, current: str, new: str) -> None:
        """Set a new password; all other log-ins of the account end."""
        body = {"current": current, "new": new}
        await self._users.call("PUT", "/v1/users/me/password", token=token, body=body, timeout_s=WRITE_S)

    async def ask_reset(self, email: str) -> None:
        """Have a link for a new password mailed, if there is such an account."""
        await self._users.call("POST", "/v1/password-resets", body={"email": email}, timeout_s=WRITE_S)

    async def reset_password(self, token: str, password: str) -> None:
        """Raises a problem of kind `gone` for a link that no longer works."""
        body = {"token": token, "password": password}
        await self._users.call("POST", "/v1/password-resets/confirm", body=body, timeout_s=WRITE_S)

    async def addresses(self, token: str) -> list[SavedAddress]:
        """The address book, the default first."""
        return (await self._users.call("GET", "/v1/users/me/addresses", _Addresses, token=token)).items

    async def add_address(self, token: str, address: dict[str, Any], *, key: str) -> None:
        await self._users.call(
            "POST", "/v1/users/me/addresses", token=token, body=address, key=key, timeout_s=WRITE_S
        )

    async def remove_address(self, token: str, address_id: str) -> None:
        await self._users.call("DELETE", f"/v1/users/me/addresses/{address_id}", token=token)

    async def log_ins(self, token: str) -> list[LogIn]:
        """Where the account is logged in, the last used first."""
        return (await self._users.call("GET", "/v1/users/me/sessions", _LogIns, token=token)).items

    async def end_log_in(self, token: str, log_in_id: str) -> None:
        """Raises NotFound for one that is over."""
        await self._users.call("DELETE", f"/v1/users/me/sessions/{log_in_id}", token=token)

    async def export(self, token: str) -> bytes:
        """Everything that users knows of the account, as JSON."""
        return await self._users.call("GET", "/v1/users/me/export", token=token)

    async def erase(self, token: str, password: str) -> None:
        """Delete the account everywhere."""
        await self._users.call(
            "DELETE", "/v1/users/me", token=token, body={"password": password}, timeout_s=WRITE_S
        )
