"""Notifications with its workers, in process or as a process of its own that a test may kill; a real SMTP
server.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from notifying import Authority, PostOffice, Process, Running
from shopwright.chassis.db import open_database


@pytest.fixture
async def running(run_service, databases, valkey, tmp_path):
    """`await running()` starts the service; keyword arguments are settings."""
    async with AsyncExitStack() as stack:

        async def start(**settings):
            url = await databases.fresh("notifications")
            environ = {"SHOPWRIGHT_DATABASE_URL": url, "SHOPWRIGHT_MAILBOX": str(tmp_path / "mailbox")}
            environ |= {f"SHOPWRIGHT_{name.upper()}": str(value) for name, value in settings.items()}
            client = await run_service("notifications", extra_env=environ)
            db = await open_database(url, application="test", size=2)
            stack.push_async_callback(db.close)
            return Running(client, db, valkey)

        yield start


@pytest.fixture
async def process(databases, valkey_url, tmp_path):
    """`process()` starts a process; keyword arguments are settings. All of a test share one database."""
    started = []
    own_url = await databases.fresh("notifications")

    def start(slot=0, **settings):
        socket = Path(f"/tmp/sw-n-{os.getpid()}-{len(started)}-{slot}.sock")
        environ = os.environ | {
            "SHOPWRIGHT_SERVICE": "notifications",
            "SHOPWRIGHT_SLOT": str(slot),
            "SHOPWRIGHT_SOCKET": str(socket),
            "SHOPWRIGHT_DATABASE_URL": own_url,
            "SHOPWRIGHT_VALKEY_URL": valkey_url,
            "SHOPWRIGHT_MESH_SOCKET": str(tmp_path / "mesh.sock"),
            "SHOPWRIGHT_PUBLIC_URL": "http://127.0.0.1:8080",
            "SHOPWRIGHT_HOME": str(tmp_path),
            "SHOPWRIGHT_MAILBOX": str(tmp_path / "mailbox"),
            **{f"SHOPWRIGHT_{name.upper()}": str(value) for name, value in settings.items()},
        }
        log = tmp_path / f"process-{len(started)}.log"
        with log.open("wb") as output:
            popen = subprocess.Popen(
                [sys.executable, "-m", "shopwright.cli", "serve", "notifications"],
                env=environ,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        started.append(Process(popen, socket, log))
        return started[-1]

    start.database_url = own_url
    yield start
    for one in started:
        if one.popen.poll() is None:
            one.popen.kill()
        one.popen.wait()
        one.socket.unlink(missing_ok=True)


@pytest.fixture
async def post_office():
    """`await post_office()` starts an SMTP server; keyword arguments are aiosmtpd's."""
    servers = []

    async def start(*, implicit_tls=None, **options):
        office = PostOffice()
        if options.get("auth_required"):
            options |= {"authenticator": office.authenticate, "auth_require_tls": True}
        server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(office, enable_SMTPUTF8=True, hostname="localhost", **options),
            "127.0.0.1", 0, ssl=implicit_tls,
        )  # fmt: skip
        office.port = server.sockets[0].getsockname()[1]
        servers.append(server)
        return office

    yield start
    for server in servers:
        server.close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    return Authority(pem, context)
