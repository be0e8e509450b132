"""What of products can be configured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from shopwright.chassis.settings import ServiceSettings


class ProductsSettings(ServiceSettings, frozen=True, kw_only=True):
    search_index: Path | None = None  # the folder of the index; `data/search` in the home without it
    media: Path | None = None  # the folder of stored pictures; `media` in the home without it
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] = "EUR"  # of prices, unless asked
    low_stock_at: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 5  # units; a SKU may have its own

    @property
    def search_folder(self) -> Path:
        return self.search_index or self.home / "data" / "search"

    @property
    def media_folder(self) -> Path:
        return self.media or self.home / "media"
