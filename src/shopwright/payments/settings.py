"""What of payments can be configured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from shopwright.chassis.settings import ServiceSettings


class PaymentsSettings(ServiceSettings, frozen=True, kw_only=True):
    grpc_socket: Path
    sandbox_webhook_secret: Annotated[str, msgspec.Meta(min_length=16)]
    gift_card_key: Annotated[str, msgspec.Meta(min_length=16)]  # of the hashes of codes
    cash_on_delivery: bool = True  # offered to buyers
    bank_account: str = ""  # where transfers go, as buyers are told; empty: none are taken
    stripe_key: str = ""  # sk_… or rk_…: cards are then taken by Stripe, and no longer by the sandbox
    stripe_webhook_secret: str = ""
    stripe_api_base: str = ""  # another address of its API: a double on this machine
    tls_url: str = ""  # the gateway over TLS: a buyer who is there stays there
    return_origins: str = ""  # other sites, comma-separated, to which a buyer may be sent back after paying
    provider_timeout_ms: Annotated[int, msgspec.Meta(ge=50, le=10_000)] = 3_000  # orders gives a call 5 s

    def __repr__(self) -> str:
        return "PaymentsSettings(…)"  # half of it is secret
