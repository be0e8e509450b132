"""What of users can be configured."""

from __future__ import annotations

from typing import Annotated

import msgspec

from shopwright.chassis.settings import ServiceSettings

from .passwords import COST


class UsersSettings(ServiceSettings, frozen=True, kw_only=True):
    jwt_key: str  # PEM, EC P-256
    access_minutes: Annotated[int, msgspec.Meta(ge=1, le=60)] = 15
    session_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 30
    password_cost: Annotated[int, msgspec.Meta(ge=10, le=16)] = COST  # of bcrypt: one more doubles the work
