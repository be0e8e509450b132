"""What each path asks of a caller: a token, a scope, and whether Idempotency-Key is honoured. Pure data.

The services' descriptions do not tell. A test holds these rows against the gateway's table, so that the
reference never promises less than what is asked.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Final, Literal

Auth = Literal["public", "optional", "required"]
WRITES: Final = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Rule:
    """For `path` (with its parameters as in the description) and what lies below it, unless `exact`."""

    path: str
    auth: Auth = "optional"
    _: KW_ONLY
    scope: str = ""
    methods: tuple[str, ...] = ()
    exact: bool = False
    keyed: bool = False
    cart_header: bool = False  # a guest shows the order's cart by `x-cart-id`


ORDER: Final = "/v1/orders/{order_id}"
RULES: Final = (
    Rule("/v1/users", "public", methods=("POST",), keyed=True),
    Rule("/v1/users", "required"),
    Rule("/v1/users/me", "required", methods=WRITES, keyed=True),
    Rule("/v1/sessions", "public"),
    Rule("/v1/sessions/current", "required"),
    Rule("/v1/password-resets", "public"),
    Rule("/oauth", "public"),
    Rule("/.well-known", "public"),
    Rule("/v1/products", "optional"),
    Rule("/v1/products", "required", scope="catalog:write", methods=WRITES, keyed=True),
    Rule("/v1/categories", "optional"),
    Rule("/v1/categories", "required", scope="catalog:write", methods=WRITES, keyed=True),
    Rule("/v1/search", "optional"),
    Rule("/v1/search", "required", scope="catalog:write", methods=WRITES),
    Rule("/v1/imports", "required", scope="catalog:write"),
    Rule("/v1/exports", "required", scope="catalog:read"),
    Rule("/v1/inventory", "required", scope="inventory:read"),
    Rule("/v1/inventory", "required", scope="inventory:write", methods=WRITES, keyed=True),
    Rule("/v1/warehouses", "required", scope="inventory:read"),
    Rule("/v1/warehouses", "required", scope="inventory:write", methods=WRITES, keyed=True),
    Rule("/media", "public"),
    Rule("/v1/carts", "optional"),
    Rule("/v1/carts", "optional", methods=WRITES, keyed=True),
    Rule("/v1/carts/current", "required"),
    Rule("/v1/orders", "required", exact=True),
    Rule("/v1/orders", "optional", exact=True, methods=("POST",), keyed=True),
    Rule("/v1/orders/summary", "required", scope="orders:read"),
    Rule(ORDER, "optional", cart_header=True),
    Rule(ORDER, "optional", methods=WRITES, keyed=True, cart_header=True),
    Rule("/v1/orders/pay-links", "optional"),
    Rule("/v1/orders/pay-links", "optional", methods=("POST",), keyed=True),
    Rule(f"{ORDER}/fulfilments", "required", scope="orders:write", methods=WRITES, keyed=True),
    Rule(f"{ORDER}/refunds", "required", scope="orders:refund", methods=WRITES, keyed=True),
    Rule(f"{ORDER}/returns", "required", scope="orders:refund", methods=WRITES, keyed=True),
    Rule("/v1/drafts", "required", scope="orders:write"),
    Rule("/v1/drafts", "required", scope="orders:write", methods=WRITES, keyed=True),
    Rule("/v1/promotions", "required", scope="promotions:read"),
    Rule("/v1/promotions", "required", scope="promotions:write", methods=WRITES, keyed=True),
    Rule("/v1/taxes", "required", scope="settings:read"),
    Rule("/v1/taxes", "required", scope="settings:write", methods=WRITES, keyed=True),
    Rule("/v1/shipping", "required", scope="settings:read"),
    Rule("/v1/shipping", "required", scope="settings:write", methods=WRITES, keyed=True),
    Rule("/v1/payments", "required", scope="payments:read"),
    Rule("/v1/payments", "required", scope="payments:write", methods=WRITES, keyed=True),
    Rule("/v1/payments/methods", "public"),
    Rule("/v1/wallet", "required"),
    Rule("/v1/gift-cards", "required", scope="payments:read"),
    Rule("/v1/gift-cards", "required", scope="payments:write", methods=WRITES, keyed=True),
    Rule("/v1/gift-cards/check", "public"),
    Rule("/v1/reconciliations", "required", scope="payments:read"),
    Rule("/v1/reconciliations", "required", scope="payments:write", methods=WRITES, keyed=True),
    Rule("/v1/webhooks", "public"),
    Rule("/v1/notifications", "required"),
    Rule("/v1/notification-preferences", "required"),
    Rule("/v1/dead-letters", "required", scope="operations:read"),
    Rule("/v1/dead-letters", "required", scope="operations:write", methods=WRITES),
)
_ANYTHING: Final = Rule("/", "optional")


def rule_of(method: str, path: str) -> Rule:
    """The longest row that covers `path`, one that names the method before one that does not."""
    fitting = [rule for rule in RULES if _covers(rule, method.upper(), path)]
    return max(fitting, key=lambda rule: (len(rule.path), bool(rule.methods)), default=_ANYTHING)


def _covers(rule: Rule, method: str, path: str) -> bool:
    below = path == rule.path or (not rule.exact and path.startswith(f"{rule.path}/"))
    return below and (not rule.methods or method in rule.methods)
