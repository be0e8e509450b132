"""Users over HTTP: register, log in, refresh, log out, own account."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, delete, get, patch, post, put
from litestar.params import Parameter

from shopwright.chassis.auth import Principal
from shopwright.chassis.idempotency import once_of
from shopwright.contracts.orders import Address

from .commands import Grant, Users
from .domain import Role, Session, User
from .store import SavedAddress
from .tokens import Tokens

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Group = Annotated[str, msgspec.Meta(pattern="^[a-z0-9_-]{1,40}$", examples=["wholesale"])]
GROUPS_MAX = 20  # of one account
Secret = Annotated[str, msgspec.Meta(min_length=1, max_length=1_024)]


class Registration(msgspec.Struct, frozen=True):
    email: Annotated[str, msgspec.Meta(min_length=3, max_length=254)]
    password: Secret
    name: Text


class Credentials(msgspec.Struct, frozen=True):
    email: Annotated[str, msgspec.Meta(min_length=3, max_length=254)]
    password: Secret


class RefreshRequest(msgspec.Struct, frozen=True):
    refresh_token: Secret


class Profile(msgspec.Struct, frozen=True):
    name: Text


class PasswordChange(msgspec.Struct, frozen=True):
    current: Secret
    new: Secret


class ResetRequest(msgspec.Struct, frozen=True):
    email: Annotated[str, msgspec.Meta(min_length=3, max_length=254)]


class PasswordReset(msgspec.Struct, frozen=True):
    """`token`: what the mail carries."""

    token: Secret
    password: Secret


class Erasure(msgspec.Struct, frozen=True):
    password: Secret


class AddressForm(msgspec.Struct, frozen=True, kw_only=True):
    """A postal address; `country` is ISO 3166-1 alpha-2."""

    name: Text
    line1: Text
    city: Text
    postal_code: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]
    line2: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    region: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    phone: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    is_default: bool = False

    def address(self) -> Address:
        return msgspec.convert(self, Address, from_attributes=True)


class UserView(msgspec.Struct, frozen=True):
    id: UUID
    email: str
    name: str
    role: Role
    created_at: datetime
    groups: list[str] = []


class Groups(msgspec.Struct, frozen=True):
    """Groups of customers; promotions may be for them. `guest` and `registered` everybody is in by nature."""

    groups: Annotated[list[Group], msgspec.Meta(max_length=GROUPS_MAX)]


class Found(msgspec.Struct, frozen=True):
    items: list[UserView]


class Listed(msgspec.Struct, frozen=True):
    items: list[SavedAddress]


class Sessions(msgspec.Struct, frozen=True):
    items: list[Session]


class Export(msgspec.Struct, frozen=True):
    """Everything that this service knows of a person."""

    user: UserView
    addresses: list[SavedAddress]
    sessions: list[Session]


@post("/v1/users", tags=["users"])
async def register(data: Registration, request: Request, users: Users) -> UserView:
    """Make an account."""
    once = await once_of(request, "guest")
    return _view(await users.register(data.email, data.password, data.name, once))


@post("/v1/sessions", status_code=200, tags=["users"])
async def log_in(data: Credentials, request: Request, users: Users) -> Grant:
    """Log in."""
    return await users.log_in(data.email, data.password, request.headers.get("user-agent", ""))


@post("/v1/sessions/refresh", status_code=200, tags=["users"])
async def refresh(data: RefreshRequest, users: Users) -> Grant:
    """Trade a refresh token for new tokens; it works once."""
    return await users.refresh(data.refresh_token)


@delete("/v1/sessions/current", status_code=204, tags=["users"])
async def log_out(principal: Principal, users: Users) -> None:
    """Log out."""
    principal.require_user()
    await users.log_out(principal.session_id)


@post("/v1/password-resets", status_code=202, tags=["users"])
async def ask_reset(data: ResetRequest, users: Users) -> None:
    """Have a link for a new password mailed; the answer is the same where there is no account."""
    await users.ask_reset(data.email)


@post("/v1/password-resets/confirm", status_code=204, tags=["users"])
async def reset_password(data: PasswordReset, users: Users) -> None:
    """Choose a new password by the mailed link, which works once; every session ends."""
    await users.reset_password(data.token, data.password)


@get("/v1/users/me", tags=["users"])
async def read_me(principal: Principal, users: Users) -> UserView:
    """The own account."""
    return _view(await users.find(principal.require_user()))


@patch("/v1/users/me", tags=["users"])
async def change_me(data: Profile, request: Request, principal: Principal, users: Users) -> UserView:
    """Change the own name."""
    user_id = principal.require_user()
    return _view(await users.rename(user_id, data.name, await once_of(request, str(user_id))))


@delete("/v1/users/me", status_code=204, tags=["users"])
async def erase_me(data: Erasure, request: Request, principal: Principal, users: Users) -> None:
    """Delete the own account, everywhere; asks for the password."""
    user_id = principal.require_user()
    await users.erase(user_id, data.password, await once_of(request, str(user_id)))


@put("/v1/users/me/password", status_code=204, tags=["users"])
async def change_password(data: PasswordChange, request: Request, principal: Principal, users: Users) -> None:
    """Change the password; all other sessions end."""
    user_id = principal.require_user()
    once = await once_of(request, str(user_id))
    await users.change_password(user_id, data.current, data.new, keep_session=principal.session_id, once=once)


@get("/v1/users/me/sessions", tags=["users"])
async def read_sessions(principal: Principal, users: Users) -> Sessions:
    """Where the account is logged in."""
    return Sessions(await users.sessions(principal.require_user()))


@delete("/v1/users/me/sessions/{session_id:uuid}", status_code=204, tags=["users"])
async def end_session(session_id: UUID, principal: Principal, users: Users) -> None:
    """Log out where the account is logged in elsewhere."""
    await users.end_session(principal.require_user(), session_id)


@get("/v1/users/me/export", tags=["users"])
async def export_me(principal: Principal, users: Users) -> Export:
    """Everything this service knows of the account."""
    user_id = principal.require_user()
    user = _view(await users.find(user_id))
    return Export(user, await users.addresses(user_id), await users.sessions(user_id))


@get("/v1/users/me/addresses", tags=["users"])
async def read_addresses(principal: Principal, users: Users) -> Listed:
    """The address book, the default first."""
    return Listed(await users.addresses(principal.require_user()))


@post("/v1/users/me/addresses", tags=["users"])
async def add_address(
    data: AddressForm, request: Request, principal: Principal, users: Users
) -> SavedAddress:
    """Add an address."""
    user_id = principal.require_user()
    once = await once_of(request, str(user_id))
    return await users.save_address(user_id, None, data.address(), is_default=data.is_default, once=once)


@put("/v1/users/me/addresses/{address_id:uuid}", tags=["users"])
async def change_address(
    address_id: UUID, data: AddressForm, request: Request, principal: Principal, users: Users
) -> SavedAddress:
    """Replace an address."""
    user_id = principal.require_user()
    once = await once_of(request, str(user_id))
    return await users.save_address(
        user_id, address_id, data.address(), is_default=data.is_default, once=once
    )


@delete("/v1/users/me/addresses/{address_id:uuid}", status_code=204, tags=["users"])
async def remove_address(address_id: UUID, request: Request, principal: Principal, users: Users) -> None:
    """Forget an address."""
    user_id = principal.require_user()
    await users.remove_address(user_id, address_id, await once_of(request, str(user_id)))


@get("/v1/users", tags=["users"])
async def find_users(
    principal: Principal, users: Users, email: Annotated[str, Parameter(min_length=3, max_length=254)]
) -> Found:
    """For staff: the account with this e-mail address, if there is one."""
    principal.require("users:read")
    user = await users.by_email(email)
    return Found([_view(user)] if user else [])


@put("/v1/users/{user_id:uuid}/groups", tags=["users"])
async def set_groups(
    user_id: UUID, data: Groups, request: Request, principal: Principal, users: Users
) -> UserView:
    """For staff: put an account into groups of customers, and out of all others."""
    principal.require("users:write")
    once = await once_of(request, str(principal.user_id))
    return _view(await users.set_groups(user_id, data.groups, once))


@get("/oauth/jwks", tags=["oauth"], sync_to_thread=False)
def jwks(tokens: Tokens) -> dict[str, Any]:
    """The public keys of access tokens (RFC 7517)."""
    return tokens.public_keys()


@get("/internal/users/{user_id:uuid}", include_in_schema=False)
async def read_user(user_id: UUID, principal: Principal, users: Users) -> UserView:
    principal.require_caller(("orders", "web"))
    return _view(await users.find(user_id))


def _view(user: User) -> UserView:
    return UserView(user.id, user.email, user.name, user.role, user.created_at, user.groups)


HANDLERS: list[object] = [
    register, log_in, refresh, log_out, read_me, change_me, erase_me, change_password, read_sessions,
    end_session, export_me,
    read_addresses, add_address, change_address, remove_address, jwks, read_user, find_users,
    set_groups, ask_reset, reset_password,
]  # fmt: skip
