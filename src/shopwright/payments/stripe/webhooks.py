"""Stripe's webhooks: whether one is genuine, and which charge it is about.

Events come late, twice and in any order, and hold an object as it was then; so nothing else of them is
believed, and the charge is asked for. Signatures are checked by the SDK, five minutes old at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec
import stripe

from shopwright.chassis.validation import check, parsed

from ..provider import Notice, WebhookNotGenuine
from .reports import PAYMENT

HEADER: Final = "stripe-signature"
TOLERANCE_S: Final = 300


class About(msgspec.Struct, frozen=True):
    """The object of an event, as far as it says what it belongs to."""

    object: str
    id: str = ""
    payment_intent: str | None = None
    metadata: dict[str, str] | None = None


class Data(msgspec.Struct, frozen=True):
    object: About


class Event(msgspec.Struct, frozen=True):
    id: str
    type: str
    data: Data


def read(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
    """A genuine webhook as a notice without a report.

    Raises:
        WebhookNotGenuine: the signature is missing, wrong or too old.
        InvalidInput: it is not an event.
    """
    _check(secret, headers.get(HEADER, ""), body, now)
    raw = parsed(body)
    check(raw, Event)
    event = msgspec.convert(raw, Event)
    about = event.data.object
    ref = about.id if about.object == "payment_intent" else about.payment_intent or ""
    return Notice(event.id, (about.metadata or {}).get(PAYMENT, ""), None, ref)


def _check(secret: str, header: str, body: bytes, now: datetime) -> None:
    try:
        stripe.WebhookSignature.verify_header(body, header, secret, TOLERANCE_S)
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        raise WebhookNotGenuine from None
    stamp = next(part[2:] for part in header.split(",") if part.startswith("t="))
    if int(stamp) > now.timestamp() + TOLERANCE_S:  # old ones the SDK has refused
        raise WebhookNotGenuine
