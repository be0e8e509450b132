from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from shopwright.stack import preflight, secrets
from shopwright.stack.choices import BadPlan
from shopwright.stack.layout import BadHome, Layout
from shopwright.stack.parts import Plan

PETABYTE = 2**50


class TestRoom:
    def test_a_disk_as_good_as_full_is_told_before_anything_begins(self, layout: Layout):
        with pytest.raises(preflight.NoRoom, match=r"MiB are free .*Make room.*SHOPWRIGHT_HOME"):
            preflight.room(layout, needed=PETABYTE)

    def test_a_disk_that_fills_up_on_the_way_is_told_without_a_trace(self, layout: Layout):
        with pytest.raises(preflight.NoRoom, match=r"the disk is full"), preflight.plain_words(layout):
            Path("/dev/full").write_bytes(b"a word too many")

    def test_a_folder_that_somebody_else_made_is_named(self, layout: Layout):
        with pytest.raises(BadHome, match="/secret/place"), preflight.plain_words(layout):
            raise PermissionError(13, "Permission denied", "/secret/place")


class TestPorts:
    @pytest.fixture
    def taken(self) -> Iterator[dict[str, str]]:
        with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
            yield {
                "SHOPWRIGHT_PORT": str(one.getsockname()[1]),
                "SHOPWRIGHT_TLS_PORT": str(other.getsockname()[1]),
            }

    def test_names_who_holds_one(self, taken: dict[str, str]):
        with pytest.raises(preflight.PortBusy) as refused:
            preflight.free_ports(taken)

        told = str(refused.value)
        assert f"port {taken['SHOPWRIGHT_PORT']} is in use" in told
        assert f"(pid {os.getpid()})" in told
        assert "SHOPWRIGHT_PORT=" in told

    def test_our_own_are_not_in_the_way(self, taken: dict[str, str]):
        preflight.free_ports(taken, held=tuple(map(int, taken.values())))


class TestSettings:
    @pytest.fixture
    def plan(self, layout: Layout):
        secrets.ensure(layout)
        Plan.of(layout, {}).write_secrets_of_services()
        return lambda **environ: Plan.of(layout, environ)

    def test_all_defaults_are_good(self, plan):
        told = []

        preflight.settings(plan(), told.append)

        assert told == []

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("SHOPWRIGHT_DATABASE_POOL", "many"),
            ("SHOPWRIGHT_SESSION_IDLE_S", "5"),
            ("SHOPWRIGHT_CURRENCY", "€"),
        ],
    )
    def test_what_a_service_would_refuse_is_named_before_it_starts(self, plan, name: str, value: str):
        with pytest.raises(BadPlan, match=name):
            preflight.settings(plan(**{name: value}), print)

    def test_a_slip_of_the_pen_is_told_with_what_was_meant(self, plan):
        told = []

        preflight.settings(plan(SHOPWRIGHT_PROT="9000"), told.append)

        assert told == ["SHOPWRIGHT_PROT is not a setting; did you mean SHOPWRIGHT_PORT?"]
