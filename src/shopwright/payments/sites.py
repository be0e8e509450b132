"""Where a buyer who pays on a provider's page comes from and may be sent back to."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit
from uuid import UUID

from shopwright.chassis.validation import invalid


@dataclass(frozen=True)
class Sites:
    """Origins such as `https://shop.example`."""

    own: tuple[str, ...]
    others: tuple[str, ...] = ()

    def resolve(self, return_url: str) -> tuple[str, str]:
        """The page's origin and the absolute URL to return to, so that a buyer stays on the site they are on.

        Raises:
            InvalidInput: `return_url` leads elsewhere; a payment page redirects to known sites only.
        """
        if return_url.startswith("/") and not return_url.startswith(("//", "/\\")):
            return self.own[0], self.own[0] + return_url
        try:
            parts = urlsplit(return_url)
        except ValueError as error:
            raise invalid("/return_url", str(error)) from None
        origin = f"{parts.scheme}://{parts.netloc}"
        if not return_url:
            return self.own[0], f"{self.own[0]}/"
        if origin not in {*self.own, *self.others}:
            raise invalid("/return_url", f"must lead to one of {sorted({*self.own, *self.others})}")
        return (origin if origin in self.own else self.own[0]), return_url


def naming(return_url: str, payment_id: UUID | str) -> str:
    """The shop's page, told which payment this was; what became of it the shop asks its own books.

    A page that was told already stays: the payment of several parts is what the shop knows.
    """
    parts = urlsplit(return_url or "/")
    if "payment" in parse_qs(parts.query):
        return return_url
    query = "&".join(filter(None, (parts.query, urlencode({"payment": str(payment_id)}))))
    return urlunsplit(parts._replace(query=query))
