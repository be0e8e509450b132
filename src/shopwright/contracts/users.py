"""What others may know of users: the facts it publishes and the answers of its internal calls."""

from __future__ import annotations

from uuid import UUID

from .events import Event, event


@event("users.user_registered.v1", subject="user_id")
class UserRegistered(Event, frozen=True):
    user_id: UUID
    email: str
    name: str


@event("users.password_changed.v1", subject="user_id")
class PasswordChanged(Event, frozen=True):
    user_id: UUID
    email: str
    name: str


@event("users.password_reset_requested.v1", subject="user_id")
class PasswordResetRequested(Event, frozen=True):
    """Somebody asks for a new password; `token` works once and for `minutes`, and goes to the owner only."""

    user_id: UUID
    email: str
    name: str
    token: str
    minutes: int


@event("users.user_erased.v1", subject="user_id")
class UserErased(Event, frozen=True):
    """The account is gone; every service forgets what it knew of this person."""

    user_id: UUID
