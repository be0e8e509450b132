"""Mails for tests: what a fact makes, composed."""

from __future__ import annotations

from datetime import UTC, datetime

from shopwright.contracts.ids import new_id
from shopwright.contracts.users import UserRegistered
from shopwright.notifications import domain
from shopwright.notifications.domain import Letter
from shopwright.notifications.mail import compose
from shopwright.notifications.rendering import Shop, render

SHOP = Shop("Shopwright", "http://127.0.0.1:8080")
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def draft_of(fact):
    return (
        domain.welcome(fact, SHOP.name) if isinstance(fact, UserRegistered) else domain.order_confirmed(fact)
    )


def letter_of(draft, **changes):
    values = {name: getattr(draft, name) for name in ("kind", "email", "name", "title", "link", "content")}
    token = "token" if draft.kind == "welcome" else None
    given = {"id": new_id(), "guest": draft.user_id is None, "created_at": NOW, "unsubscribe_token": token}
    return Letter(**values | given | changes)


def mail_about(fact, **changes):
    letter = letter_of(draft_of(fact), **changes)
    return compose(letter, render(letter, SHOP), shop=SHOP, sender="shop@example.org", now=NOW)
