"""Rules and bundles over HTTP, for staff."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import delete, get, put

from shopwright.chassis.auth import Principal

from ..commands import Rules
from ..domain import Bundle, Component, Policy, Sku

Quantity = Annotated[int, msgspec.Meta(ge=1, le=1_000)]


class Part(msgspec.Struct, frozen=True):
    """`quantity` units of `sku` in each bundle."""

    sku: Sku
    quantity: Quantity = 1


class Components(msgspec.Struct, frozen=True):
    components: Annotated[list[Part], msgspec.Meta(min_length=1, max_length=50)]


@get("/v1/inventory/{sku:str}/policy", tags=["inventory"])
async def read_policy(sku: str, principal: Principal, rules: Rules) -> Policy:
    """How a SKU is sold: what is kept back, what may be sold beyond stock."""
    principal.require("inventory:read")
    return await rules.policy(sku)


@put("/v1/inventory/{sku:str}/policy", tags=["inventory"])
async def set_policy(sku: str, data: Policy, principal: Principal, rules: Rules) -> Policy:
    """Replace the rules of a SKU; what was sold by the old ones stays sold."""
    principal.require("inventory:write")
    return await rules.set_policy(sku, data)


@get("/v1/inventory/bundles/{sku:str}", tags=["inventory"])
async def read_bundle(sku: str, principal: Principal, rules: Rules) -> Bundle:
    """What a bundle is made of, and how many could be made."""
    principal.require("inventory:read")
    return await rules.bundle(sku)


@put("/v1/inventory/bundles/{sku:str}", tags=["inventory"])
async def set_bundle(sku: str, data: Components, principal: Principal, rules: Rules) -> Bundle:
    """Sell a SKU from its components' stock."""
    principal.require("inventory:write")
    return await rules.set_bundle(sku, [Component(part.sku, part.quantity) for part in data.components])


@delete("/v1/inventory/bundles/{sku:str}", tags=["inventory"])
async def unbundle(sku: str, principal: Principal, rules: Rules) -> None:
    """Sell it as itself again."""
    principal.require("inventory:write")
    await rules.unbundle(sku)


HANDLERS: list[object] = [read_policy, set_policy, read_bundle, set_bundle, unbundle]
