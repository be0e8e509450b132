"""What of notifications can be configured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from shopwright.chassis.settings import ServiceSettings


class NotificationsSettings(ServiceSettings, frozen=True, kw_only=True):
    mailbox: Path | None = None  # of the local mailbox; `mailbox` in the home without it
    mailbox_keep: Annotated[int, msgspec.Meta(ge=10, le=100_000)] = 2_000  # mails; about 10 KB each
    smtp_url: str = ""  # smtp://user:password@host:587 or smtps://…:465; empty: the local mailbox
    smtp_ca: Path | None = None  # PEM of a private authority that signed the server's certificate
    mail_from: str = ""  # whose mails these are, e.g. shop@example.com; SMTP needs it
    shop_name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] = "Shopwright"
    delivery_workers: Annotated[int, msgspec.Meta(ge=1, le=32)] = 4  # at most, per process
    retention_days: Annotated[int, msgspec.Meta(ge=1, le=3_650)] = 90
