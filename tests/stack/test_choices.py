from __future__ import annotations

import pytest

from shopwright.stack import choices
from shopwright.stack.choices import BadPlan
from shopwright.stack.layout import Layout
from shopwright.stack.parts import Plan


class TestMemory:
    def test_stands_where_the_environment_says_nothing(self, layout: Layout):
        choices.remember(layout, {"SHOPWRIGHT_PORT": "9000", "SHOPWRIGHT_RATE_LIMIT": "off", "PATH": "/bin"})
        environ = {"SHOPWRIGHT_RATE_LIMIT": "on"}

        choices.recall(layout, environ)

        assert environ == {"SHOPWRIGHT_PORT": "9000", "SHOPWRIGHT_RATE_LIMIT": "on"}

    def test_keeps_any_character(self, layout: Layout):
        odd = {"SHOPWRIGHT_SHOP_NAME": 'Tom\'s "#1" shop; 100 % größer\n'}

        choices.remember(layout, odd)

        assert choices.remembered(layout) == odd

    def test_keeps_neither_the_home_nor_anybodys_token(self, layout: Layout):
        choices.remember(layout, {"SHOPWRIGHT_HOME": "/x", "SHOPWRIGHT_TOKEN": "secret"})

        assert choices.remembered(layout) == {}

    def test_is_for_its_owner_only(self, layout: Layout):
        choices.remember(layout, {"SHOPWRIGHT_SMTP_URL": "smtp://user:secret@host"})

        assert layout.choices.stat().st_mode & 0o077 == 0

    def test_is_empty_once_forgotten(self, layout: Layout):
        choices.remember(layout, {"SHOPWRIGHT_PORT": "9000"})

        choices.forget(layout)

        assert choices.remembered(layout) == {}


class TestWrongValues:
    @pytest.mark.parametrize(
        ("name", "value", "told"),
        [
            ("SHOPWRIGHT_REPLICAS", "billing=2", "is not <service>=<1 to 8>"),
            ("SHOPWRIGHT_REPLICAS", "orders=0", "is not <service>=<1 to 8>"),
            ("SHOPWRIGHT_RATE_LIMIT", "false", "neither on nor off"),
            ("SHOPWRIGHT_ACCESS_LOG_PERCENT", "lots", "is not a number from 0 to 100"),
            ("SHOPWRIGHT_ACCESS_LOG_PERCENT", "nan", "is not a number from 0 to 100"),
            ("SHOPWRIGHT_IDENTITY_LIFE_S", "0", "is not a number from 2"),
            ("SHOPWRIGHT_OTLP_ENDPOINT", "here", "is not an address"),
            ("SHOPWRIGHT_PUBLIC_URL", "ftp://shop.example", "is not an address"),
        ],
    )
    def test_are_named_with_what_would_be_right(self, layout: Layout, name: str, value: str, told: str):
        with pytest.raises(BadPlan, match=name) as refused:
            Plan.of(layout, {name: value})

        assert told in str(refused.value)


class TestParts:
    def test_a_new_choice_is_a_new_part(self, layout: Layout):
        (layout.secret("valkey")).write_text("x")
        one, other = (
            {part.name: part for part in Plan.of(layout, environ).rest()}
            for environ in ({}, {"SHOPWRIGHT_SHOP_NAME": "Other"})
        )

        assert one["web-0"] != other["web-0"]
        assert one["gateway"] == other["gateway"]

    def test_no_secret_stands_in_a_command_or_an_environment(self, layout: Layout):
        from shopwright.stack import secrets

        secrets.ensure(layout)
        words = str(Plan.of(layout, {}).parts())

        kept = {path.name: path.read_text().strip() for path in layout.secrets.iterdir()}
        assert [name for name, secret in kept.items() if secret in words] == []

    def test_a_service_has_a_slot_to_spare(self, layout: Layout):
        plan = Plan.of(layout, {"SHOPWRIGHT_REPLICAS": "orders=3"})
        slots = {part.name: part.autostart for part in plan.rest() if part.service == "orders"}

        assert slots == {"orders-0": True, "orders-1": True, "orders-2": True, "orders-3": False}
