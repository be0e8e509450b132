from __future__ import annotations

from dataclasses import replace

import pytest

from shopwright.gateway.table import SERVICES, TABLE, Call, Route, Table


def row_for(path: str, method: str = "GET") -> Route:
    """What a gateway that obeys the table does."""
    return next(
        row
        for row in TABLE.ordered()
        if (path == row.path or (not row.exact and path.startswith(row.path.rstrip("/") + "/")))
        and (not row.methods or method in row.methods)
    )


class TestRoutes:
    def test_every_service_can_be_reached(self):
        assert {row.service for row in TABLE.routes} - {None} == set(SERVICES)

    @pytest.mark.parametrize(
        ("method", "path", "service"),
        [
            ("POST", "/v1/users", "users"),
            ("GET", "/v1/users/me/addresses", "users"),
            ("GET", "/.well-known/openid-configuration", "users"),
            ("GET", "/v1/products/red-shirt", "products"),
            ("GET", "/media/a.webp", "products"),
            ("POST", "/v1/carts/1/lines", "orders"),
            ("POST", "/v1/orders", "orders"),
            ("POST", "/v1/webhooks/sandbox", "payments"),
            ("GET", "/v1/notifications/stream", "notifications"),
            ("GET", "/mailbox.json", "notifications"),
            ("GET", "/v1/dead-letters", "web"),
            ("GET", "/readyz", "web"),
            ("GET", "/", "web"),
            ("GET", "/some/page", "web"),
        ],
    )
    def test_leads_each_call_of_the_contract_to_its_owner(self, method: str, path: str, service: str):
        assert row_for(path, method).service == service

    @pytest.mark.parametrize("path", ["/internal", "/internal/quotes", "/metrics", "/v1", "/v1/unheard-of"])
    def test_exposes_nothing_internal_and_nothing_unknown(self, path: str):
        assert row_for(path).service is None

    def test_a_name_that_only_begins_alike_is_another_path(self):
        assert row_for("/v1/usersandmore").service is None

    @pytest.mark.parametrize(
        ("method", "path", "scope"),
        [
            ("POST", "/v1/products", "catalog:write"),
            ("GET", "/v1/products", ""),
            ("POST", "/v1/imports", "catalog:write"),
            ("GET", "/v1/exports/products", "catalog:read"),
            ("GET", "/v1/inventory/SKU-1", "inventory:read"),
            ("POST", "/v1/inventory/adjustments", "inventory:write"),
            ("POST", "/v1/dead-letters/1/replay", "operations:write"),
        ],
    )
    def test_asks_for_the_scope_of_a_staff_prefix(self, method: str, path: str, scope: str):
        assert row_for(path, method).scope == scope

    def test_only_the_stream_has_no_time_limit(self):
        assert [row.path for row in TABLE.routes if row.timeout_s is None] == ["/v1/notifications/stream"]


class TestCalls:
    def test_only_web_and_orders_call_anyone(self):
        assert {call.caller for call in TABLE.calls} == {"web", "orders"}

    def test_nobody_but_orders_may_reserve_or_pay(self):
        callers = {
            call.caller
            for call in TABLE.calls
            if "/internal" in call.paths or "/shopwright.payments.v1.Payments" in call.paths
        }

        assert callers == {"orders"}


class TestContradictions:
    @pytest.mark.parametrize(
        "row",
        [
            Route("/v1/carts", "orders"),
            Route("/v1/carts/", "orders"),
            Route("/v1/x", "billing"),
            Route("/v1/x", "orders", limit="unheard-of"),
            Route("/v1/x", "orders", scope="orders:read"),
            Route("/v1/x", "orders", auth="required", cacheable=True),
        ],
    )
    def test_refuses_a_row_that_cannot_be_meant(self, row: Route):
        with pytest.raises(ValueError, match="contradicts itself"):
            replace(TABLE, routes=(*TABLE.routes, row))

    def test_refuses_a_call_of_somebody_unknown(self):
        with pytest.raises(ValueError, match="billing cannot call"):
            Table(routes=(), rates=(), calls=(Call(caller="billing", target="users", paths=("/v1",)),))
