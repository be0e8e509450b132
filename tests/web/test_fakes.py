"""The fakes answer in the shapes and with the slugs of the services they stand for, or they would prove
nothing.
"""

import importlib
import re
from pathlib import Path

import httpx
import msgspec
import pytest

import shopwright
from shopwright.chassis.problems import TYPE_PREFIX
from shopwright.contracts.problem import REGISTRY
from shopwright.orders import domain as orders_domain
from shopwright.orders.api.carts import ShippingOffers
from shopwright.orders.api.orders import OrderView, Timeline
from shopwright.orders.api.promotions import PromotionView
from shopwright.orders.commands.carts import PricedCart
from shopwright.orders.domain import ShippingMethod, ShippingZone, TaxRate
from shopwright.payments.manual.api import MethodView
from shopwright.payments.stored.api import GiftCardView
from shopwright.products.catalog.documents import Card, ProductView
from shopwright.users import domain as users_domain
from shopwright.users.api import Export, Listed, UserView
from shopwright.users.api import Sessions as LogIns
from shopwright.users.commands import Grant
from shopwright.web import testing

ADDRESS = {"name": "Ada", "line1": "1 Lane", "city": "Bern", "postal_code": "3000", "country": "CH"}
ID = "019a0000-0000-7000-8000-000000000009"
PICTURE = {
    "id": "019a0000-0000-7000-8000-000000000001",
    "url": "/media/a.svg",
    "alt": "",
    "width": 8,
    "height": 8,
}


@pytest.fixture
async def call(mesh, tmp_path):
    transport = httpx.AsyncHTTPTransport(uds=str(tmp_path / "mesh.sock"))
    async with httpx.AsyncClient(transport=transport) as client:

        async def send(service, method, path, body=None, **headers):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.request(method, f"http://{service}{path}", json=body, headers=named)

        yield send


def check(answer, shape):
    """The answer is one of `shape`: every member of the right type, none missing, none that the real service
    does not send.
    """
    assert answer.status_code < 300, answer.text
    msgspec.json.decode(answer.content, type=shape)
    exact(answer.json(), shape)
    return answer.json()


def exact(value, shape):
    shape = next(
        (part for part in getattr(shape, "__args__", ()) if hasattr(part, "__struct_fields__")), shape
    )
    if isinstance(value, list):
        for item in value:
            exact(item, shape)
    elif isinstance(value, dict) and hasattr(shape, "__struct_fields__"):
        names = dict(zip(shape.__struct_encode_fields__, msgspec.structs.fields(shape), strict=True))
        assert value.keys() <= names.keys(), f"{shape.__name__} has no {value.keys() - names.keys()}"
        for name, member in value.items():
            exact(member, names[name].type)


class TestUsers:
    async def test_log_ins_account_and_addresses(self, call):
        body = {"email": "buyer@example.com", "password": "buyer-password"}
        grant = check(await call("users", "POST", "/v1/sessions", body), Grant)
        own = {"authorization": f"Bearer {grant['access_token']}"}

        check(await call("users", "GET", "/v1/users/me", **own), UserView)
        check(await call("users", "PATCH", "/v1/users/me", {"name": "B"}, **own), UserView)
        added = await call("users", "POST", "/v1/users/me/addresses", ADDRESS, **own)
        check(await call("users", "GET", "/v1/users/me/addresses", **own), Listed)
        check(await call("users", "GET", "/v1/users/me/sessions", **own), LogIns)
        check(await call("users", "GET", "/v1/users/me/export", **own), Export)
        check(
            await call("users", "POST", "/v1/sessions/refresh", {"refresh_token": grant["refresh_token"]}),
            Grant,
        )
        made = await call(
            "users", "POST", "/v1/users", {"email": "a@b.example", "password": "x" * 8, "name": "A"}
        )

        assert (added.status_code, made.status_code) == (201, 201)
        check(made, UserView)

    async def test_have_the_scopes_of_real_roles(self, mesh):
        scopes = {user["scope"] for user in mesh.people.users.values()}

        assert {frozenset(scope.split()) for scope in scopes} == {
            frozenset(users_domain.SCOPES[role].split()) for role in ("buyer", "admin")
        }


class TestProducts:
    async def test_lists_hold_cards_and_a_page_the_whole_product(self, call, mesh):
        mesh.goods.products[0]["pictures"] = [PICTURE]

        listed = (await call("products", "GET", "/v1/products")).json()
        found = (await call("products", "GET", "/v1/search?q=lamp")).json()
        whole = (await call("products", "GET", "/v1/products/oak-lamp")).json()

        assert found.keys() == {"items", "total", "facets", "next_cursor", "suggestion"}
        assert listed["items"][0].keys() == set(Card.__struct_fields__)
        assert whole.keys() == set(ProductView.__struct_fields__)
        exact(whole, ProductView)
        msgspec.convert(whole, ProductView)


class TestOrders:
    async def test_carts_orders_and_timelines(self, call):
        cart = check(await call("orders", "POST", "/v1/carts", {}), PricedCart)
        path = f"/v1/carts/{cart['id']}"
        check(await call("orders", "POST", f"{path}/lines", {"sku": "OAK-LAMP-0", "quantity": 2}), PricedCart)
        body = {"email": "a@b.example", "address": ADDRESS}
        check(await call("orders", "PUT", f"{path}/address", body), PricedCart)
        check(await call("orders", "GET", f"{path}/shipping"), ShippingOffers)
        cart = check(await call("orders", "PUT", f"{path}/shipping", {"method": "express"}), PricedCart)

        body = {"cart_id": cart["id"], "payment": {"method": "card"}, "expected_total": cart["total"]}
        placed = await call("orders", "POST", "/v1/orders", body, idempotency_key="k")
        order = check(placed, OrderView)
        seen = {"x_cart_id": cart["id"]}
        check(await call("orders", "GET", f"/v1/orders/{order['id']}", **seen), OrderView)
        check(await call("orders", "GET", f"/v1/orders/{order['id']}/timeline", **seen), Timeline)
        check(await call("orders", "POST", f"/v1/orders/{order['id']}/cancel", **seen), OrderView)

        assert (placed.status_code, order["status"]) == (202, "awaiting_buyer")

    async def test_deliver_as_the_first_migration_says(self, call):
        cart = (await call("orders", "POST", "/v1/carts", {})).json()
        offers = (await call("orders", "GET", f"/v1/carts/{cart['id']}/shipping")).json()["methods"]

        sql = Path(orders_domain.__file__).parents[1] / "migrations" / "0001_orders.sql"
        named = re.findall(r"\('(\w+)', '([\w ]+)', (true|false), (\d), (\d), \d\)", sql.read_text())
        assert [
            (o["code"], o["name"], str(o["needs_address"]).lower(), str(o["days_min"]), str(o["days_max"]))
            for o in offers
        ] == named


class TestStaff:
    @pytest.mark.parametrize(
        ("service", "path", "view"),
        [
            ("orders", "/v1/promotions", PromotionView),
            ("orders", "/v1/taxes/rates", TaxRate),
            ("orders", "/v1/shipping/zones", ShippingZone),
            ("orders", "/v1/shipping/methods", ShippingMethod),
            ("payments", "/v1/gift-cards", GiftCardView),
            ("payments", "/v1/payments/methods", MethodView),
        ],
    )
    async def test_lists_are_those_of_the_services(self, mesh, call, service, path, view):
        where = {"country": "DE", "region": "", "tax_class": "standard"}
        zone = {"id": ID, "name": "Near", "places": [{"country": "DE", "region": ""}]}
        rule = {"currency": "EUR", "amount": 490}
        mesh.marketing.add()
        mesh.vault.add_card("GIFT-ABCD-1234", 2_000)
        mesh.rulebook.rates["1"] = {"id": ID, "name": "VAT", "percent": "19"} | where
        mesh.rulebook.zones["1"] = zone
        mesh.rulebook.methods["std"] = {"code": "std", "name": "Standard", "needs_address": True} | {
            "days_min": 1, "days_max": 2, "position": 0, "rules": [rule],
        }  # fmt: skip
        login = {"email": "admin@example.com", "password": "admin-password"}
        token = (await call("users", "POST", "/v1/sessions", login)).json()["access_token"]

        answer = await call(service, "GET", f"{path}?limit=5", authorization=f"Bearer {token}")

        rows = answer.json()["items"]
        assert [msgspec.convert(row, view, strict=False) for row in rows]
        assert set(rows[0]) <= {field.name for field in msgspec.structs.fields(view)}


def test_refuse_with_slugs_that_services_have():
    package = Path(shopwright.__file__).parent
    for domain in [*package.glob("*/**/domain.py"), package / "payments/stored/commands.py"]:
        importlib.import_module(".".join(("shopwright", *domain.relative_to(package).with_suffix("").parts)))

    written = "".join(path.read_text() for path in Path(testing.__file__).parent.glob("*.py"))
    named = re.findall(rf'refusal\("([a-z-]+)"|"{TYPE_PREFIX}([a-z-]+)"', written)
    slugs = {one or other for one, other in named}

    assert len(slugs) > 5
    assert slugs - set(REGISTRY) == set()
