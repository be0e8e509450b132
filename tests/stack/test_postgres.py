from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from shopwright.stack.postgres import Postgres, PostgresFailed, ensure_services

PASSWORD = "super"
SERVICES = {"orders": "one", "payments": "two"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    home = tmp_path_factory.mktemp("pg")
    server = Postgres(home / "postgres", home / "run")
    server.initialise(PASSWORD)
    with (
        (home / "log").open("w") as log,
        subprocess.Popen(server.command(), stdout=log, stderr=log) as process,
    ):
        until = time.monotonic() + 60
        while not server.ready() and time.monotonic() < until:
            time.sleep(0.05)
        yield server
        process.terminate()


class TestInitialise:
    def test_a_second_time_changes_nothing(self, server: Postgres):
        assert server.initialise("another password") is False

    def test_what_was_killed_halfway_is_made_again(self, tmp_path: Path):
        half_made = tmp_path / "postgres.new-killed"
        half_made.mkdir()
        (half_made / "PG_VERSION").write_text("18\n")
        (tmp_path / "pw-killed").write_text(PASSWORD)
        server = Postgres(tmp_path / "postgres", tmp_path / "run")

        assert server.initialise(PASSWORD) is True

        assert sorted(path.name for path in tmp_path.iterdir()) == ["postgres", "run"]

    def test_a_folder_that_holds_something_else_is_left_alone(self, tmp_path: Path):
        (tmp_path / "postgres").mkdir()
        (tmp_path / "postgres" / "thesis.txt").write_text("years of work")

        with pytest.raises(PostgresFailed, match="move the folder away"):
            Postgres(tmp_path / "postgres", tmp_path / "run").initialise(PASSWORD)

        assert (tmp_path / "postgres" / "thesis.txt").read_text() == "years of work"

    def test_what_initdb_says_is_passed_on(self, tmp_path: Path):
        broken = tmp_path / "bin"
        broken.mkdir()
        (broken / "initdb").write_text("#!/bin/sh\necho no space left for anything >&2\nexit 1\n")
        (broken / "initdb").chmod(0o755)

        with pytest.raises(PostgresFailed, match="no space left for anything"):
            Postgres(tmp_path / "postgres", tmp_path / "run", broken).initialise(PASSWORD)


class TestForgetDead:
    def test_a_lock_whose_number_is_now_somebody_elses_is_removed(self, tmp_path: Path):
        data, sockets = tmp_path / "postgres", tmp_path / "run"
        data.mkdir()
        sockets.mkdir()
        (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n")
        (sockets / ".s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n")

        Postgres(data, sockets).forget_dead()

        assert [*data.iterdir(), *sockets.iterdir()] == []

    def test_the_lock_of_a_server_that_runs_is_kept(self, server: Postgres):
        server.forget_dead()

        assert (server.data / "postmaster.pid").exists()


class TestServices:
    @pytest.fixture
    async def admin(self, server: Postgres):
        await ensure_services(server, PASSWORD, SERVICES)
        connection = await asyncpg.connect(server.url("payments", "payments", SERVICES["payments"]))
        await connection.execute("CREATE TABLE IF NOT EXISTS cards (number text)")
        await connection.close()
        admin = await asyncpg.connect(server.url("payments", "postgres", PASSWORD))
        yield admin
        await admin.close()

    async def test_a_service_cannot_enter_the_database_of_another(self, server: Postgres, admin):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="CONNECT"):
            await asyncpg.connect(server.url("payments", "orders", SERVICES["orders"]))

    async def test_even_inside_it_could_not_select(self, server: Postgres, admin):
        await admin.execute("GRANT CONNECT ON DATABASE payments TO orders")
        intruder = await asyncpg.connect(server.url("payments", "orders", SERVICES["orders"]))

        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for table cards"):
            await intruder.fetch("SELECT * FROM cards")

        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await intruder.execute("CREATE TABLE mine (id int)")
        await intruder.close()

    async def test_a_wrong_password_does_not_open_it(self, server: Postgres, admin):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(server.url("payments", "payments", "guessed"))

    async def test_doing_it_again_takes_over_a_new_password(self, server: Postgres, admin):
        await ensure_services(server, PASSWORD, SERVICES | {"orders": "three"})

        connection = await asyncpg.connect(server.url("orders", "orders", "three"))
        await connection.close()
        await ensure_services(server, PASSWORD, SERVICES)
