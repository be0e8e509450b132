"""What of orders can be configured."""

from __future__ import annotations

from typing import Annotated

import msgspec

from shopwright.chassis.settings import ServiceSettings


class OrdersSettings(ServiceSettings, frozen=True, kw_only=True):
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] = "EUR"
    buyer_time_s: Annotated[int, msgspec.Meta(ge=60, le=86_400)] = 1_800  # to finish at the provider's page
    transfer_days: Annotated[int, msgspec.Meta(ge=1, le=60)] = 7  # for a bank transfer to arrive
    cart_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 60  # an untouched guest cart is forgotten then
    saga_lease_s: Annotated[int, msgspec.Meta(ge=2, le=120)] = 15  # longer than any step may take
    seller_name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] = "Shopwright Demo Shop"
    seller_address: str = "1 Market Street, 10115 Berlin, Germany"  # its lines, parted by commas
    seller_tax_id: str = ""  # as it is to be printed, such as "VAT DE123456789"
    seller_email: str = "shop@example.com"
