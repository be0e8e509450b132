"""What of web can be configured."""

from __future__ import annotations

from typing import Annotated

import msgspec

from shopwright.chassis.settings import ServiceSettings


class WebSettings(ServiceSettings, frozen=True, kw_only=True):
    session_key: Annotated[str, msgspec.Meta(min_length=32)]  # any text with 256 bits in it
    tls_url: str = ""
    shop_name: str = "Shopwright"
    shop_tagline: str = "Well-made things for every day"
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] = "EUR"
    locale: str = "en"
    session_idle_s: Annotated[int, msgspec.Meta(ge=60, le=90 * 86_400)] = 14 * 86_400
    session_max_s: Annotated[int, msgspec.Meta(ge=60, le=365 * 86_400)] = 60 * 86_400
    staff_idle_s: Annotated[int, msgspec.Meta(ge=60, le=86_400)] = 3_600  # a shared desk
    staff_max_s: Annotated[int, msgspec.Meta(ge=60, le=86_400)] = 12 * 3_600  # a working day
