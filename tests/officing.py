"""Staff at work in a test: a browser that logs in at the back office, and orders for it to find."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from browsing import Browser
from shopwright.contracts.ids import new_id


class Office(Browser):
    """A browser of somebody who works in the back office."""

    @property
    def cookie(self):
        return next((c.value for c in self.client.cookies.jar if c.name.endswith("staff")), None)

    async def enter(self, email="admin@example.com", password="admin-password", path="/admin"):
        page = await self.get(path)
        return await self.send(page, "/admin/login", email=email, password=password)

    async def upload(self, page, action, files, **changes):
        """Send the form at `action` with files, as a browser sends multipart/form-data."""
        form = page.form(action)
        fields = dict(form.fields) | changes
        headers = {"origin": self.origin, "referer": f"{self.origin}{page.path}"}
        plain = {name: value for name, value in fields.items() if name not in files}
        answer = await self.client.post(form.action, data=plain, files=files, headers=headers)
        return await self._follow(answer)


def hire(mesh, scopes, email="staff@example.com"):
    """An account with these scopes only; returns how to log in."""
    mesh.people._add(email, "staff-password", "Sam Staff", f"shop {scopes}")
    return {"email": email, "password": "staff-password"}


def placed(mesh, status="confirmed", payment="captured", *, minutes_ago=5, **more):
    """An order as the fake of orders keeps it."""
    item = mesh.goods.products[0]
    variant = item["variants"][0]
    price = variant["price"]
    order = {
        "id": str(new_id()),
        "number": f"SW-{100_001 + len(mesh.purchases.orders)}",
        "status": status,
        "email": "ada@example.com",
        "name": "Ada Buyer",
        "currency": "EUR",
        "lines": [
            {
                "id": str(new_id()),
                "sku": variant["sku"],
                "name": item["name"],
                "slug": item["slug"],
                "quantity": 1,
                "unit_price": price,
                "total": price,
                "options": variant["options"],
                "picture": None,
            }
        ],
        "totals": [{"type": "subtotal", "amount": price}],
        "total": price,
        "payment": {"id": str(new_id()), "status": payment, "method": "card", "action_url": None},
        "shipping": {"code": "standard", "name": "Standard delivery"},
        "address": {
            "name": "Ada Buyer",
            "line1": "1 Long Lane",
            "city": "Berlin",
            "postal_code": "10115",
            "country": "DE",
        },
        "refusal": None,
        "created_at": datetime.now(UTC) - timedelta(minutes=minutes_ago),
        "cart_id": str(new_id()),
        "user": None,
        **more,
    }
    mesh.purchases.orders[order["id"]] = order
    mesh.purchases.carts[order["cart_id"]] = {"id": order["cart_id"], "status": "ordered", "lines": []}
    return order


def step(name, outcome="done", *, direction="forward", detail="", seconds=0):
    """A line of a saga's log."""
    at = datetime(2026, 1, 31, 12, tzinfo=UTC) + timedelta(seconds=seconds)
    return {"at": at, "step": name, "direction": direction, "outcome": outcome, "detail": detail}
