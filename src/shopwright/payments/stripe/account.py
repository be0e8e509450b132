"""The shop's account at Stripe: its keys, which never show, and calls by the SDK whose failures say what is
known.

A call that was certainly not taken raises ProviderUnreachable, one that Stripe refuses is the SDK's own
error, and everything else is a TimeoutError: in doubt. Nothing is tried again here; our side asks instead.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec
import stripe
import structlog

from shopwright.chassis.db import in_transaction

from ..provider import ProviderUnreachable

log = structlog.get_logger()

Answer = TypeVar("Answer")

TIMEOUT_S: Final = 20.0  # of a report's page; what a buyer waits for is limited by the caller
LOOPBACK: Final = {"127.0.0.1", "::1", "localhost"}


class BadAccount(ValueError):
    """The settings of the account make no sense; the message names the variable and never the key."""


@dataclass(frozen=True)
class Account:
    """`api_base`: another address of the API than Stripe's own, for a double of it on this machine."""

    key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    api_base: str = ""

    def __post_init__(self) -> None:
        if not self.key.startswith(("sk_", "rk_")):
            raise BadAccount("SHOPWRIGHT_STRIPE_KEY: must be a secret or restricted key, sk_… or rk_…")
        if not self.webhook_secret.startswith("whsec_"):
            raise BadAccount("SHOPWRIGHT_STRIPE_WEBHOOK_SECRET: must be the endpoint's secret, whsec_…")
        parts = urlsplit(self.api_base)
        own_machine = parts.scheme == "http" and parts.hostname in LOOPBACK
        if self.api_base and parts.scheme != "https" and not own_machine:
            raise BadAccount("SHOPWRIGHT_STRIPE_API_BASE: must begin with https://, or be on this machine")


class Api:
    """The SDK's client; make it inside the running loop and close it at the end."""

    def __init__(self, account: Account) -> None:
        self._http = stripe.AIOHTTPClient(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))
        self._client = stripe.StripeClient(
            account.key,
            base_addresses={"api": account.api_base.rstrip("/")} if account.api_base else None,
            max_network_retries=0,
            http_client=self._http,
        )
        self.v1 = self._client.v1

    async def close(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call] # the SDK's

    async def ask(self, call: Awaitable[Answer]) -> Answer:
        """The answer to `call`.

        Raises:
            ProviderUnreachable: it was certainly not taken.
            TimeoutError: nobody knows.
            stripe.CardError, stripe.InvalidRequestError: Stripe says no.
        """
        if in_transaction():
            raise RuntimeError("the payment provider was called inside a database transaction")
        try:
            return await call
        except (stripe.AuthenticationError, stripe.PermissionError) as error:
            log.error("stripe refuses our key", code=error.code, request_id=error.request_id)  # noqa: TRY400 - the trace holds request bodies
            raise ProviderUnreachable(detail="Stripe refuses the shop's key") from None
        except stripe.RateLimitError:
            raise ProviderUnreachable(detail="Stripe takes no more requests at the moment") from None
        except stripe.APIConnectionError as error:
            if isinstance(error.__cause__, aiohttp.ClientConnectorError):
                raise ProviderUnreachable(detail="Stripe cannot be reached") from None
            raise TimeoutError("Stripe's answer was lost") from None
        except (stripe.APIError, stripe.IdempotencyError) as error:
            raise TimeoutError(f"Stripe answered {error.http_status}") from None


def read(found: stripe.StripeObject, kind: type[Answer]) -> Answer:
    """What Stripe told, as we know it.

    Raises:
        TimeoutError: it is of another shape; what is true of the charge is then in doubt.
    """
    try:
        return msgspec.convert(found.to_dict(), kind)
    except msgspec.ValidationError as error:
        log.error("stripe told what we cannot read", what=kind.__name__, error=str(error))  # noqa: TRY400 - said
        raise TimeoutError(f"Stripe told what we cannot read: {error}") from None


def code_of(error: stripe.StripeError) -> str:
    """Stripe's word for why it refused."""
    told = _told(error)
    return str(told.get("decline_code") or told.get("code") or "refused")


def charge_of(error: stripe.StripeError) -> dict[str, Any] | None:
    """The PaymentIntent that the refusal is about, if it says so."""
    found = _told(error).get("payment_intent")
    return found if isinstance(found, dict) else None


def _told(error: stripe.StripeError) -> dict[str, Any]:
    body = error.json_body
    told = body.get("error") if isinstance(body, dict) else None
    return told if isinstance(told, dict) else {}
