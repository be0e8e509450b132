"""Identifiers: UUIDv7 (RFC 9562 §5.7), so that rows sort by the time they were made."""

from uuid import UUID

import uuid6


def new_id() -> UUID:
    return UUID(bytes=uuid6.uuid7().bytes)
