"""A node for tests: certificates and keys of its own, Envoy from the wheel, and fake services behind it."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import ECKey

from platforms import free_port
from shopwright.gateway import envoy
from shopwright.gateway.table import SERVICES, TABLE, Quota, RateClass, Route, spiffe_id

PATIENCE_S = 60  # of clients: a machine may be slow
HOUR = dt.timedelta(hours=1)
STAFF = "catalog:write catalog:read inventory:read operations:read"

ROUTES = (
    Route("/v1/scarce", "products", limit="scarce"),
    Route("/v1/rationed", "products", limit="rationed"),
    Route("/v1/hasty", "products", timeout_s=0.2),
    Route("/v1/fake", "products"),
)
RATES = (
    RateClass(name="scarce", per_client=Quota(requests=5)),
    RateClass(name="rationed", per_client=Quota(requests=1_000), per_user=Quota(requests=3)),
)
TEST_TABLE = replace(TABLE, routes=(*TABLE.routes, *ROUTES), rates=(*TABLE.rates, *RATES))


class Authority:
    """A certificate authority of one test run."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        self.pem = self._sign(self.name, self.key.public_key(), None)

    def issue(self, san: x509.GeneralName) -> tuple[bytes, bytes]:
        """(certificate, key) as PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return self._sign(x509.Name([]), key.public_key(), san), private

    def identity(self, service: str) -> tuple[bytes, bytes]:
        return self.issue(x509.UniformResourceIdentifier(spiffe_id(service)))

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, san: x509.GeneralName | None
    ) -> bytes:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - HOUR)
            .not_valid_after(now + HOUR)
            .add_extension(x509.BasicConstraints(ca=san is None, path_length=None), critical=True)
        )
        if san is not None:
            builder = builder.add_extension(x509.SubjectAlternativeName([san]), critical=san is not None)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


class Node:
    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="sw-gw-", dir="/tmp"))
        self.authority = Authority()
        self.key = ECKey.generate_key("P-256", {"kid": "test", "alg": "ES256", "use": "sig"})
        self.settings = envoy.GatewaySettings(
            config=self.home / "envoy",
            run=self.home / "run",
            tls=self.home / "tls",
            jwks=self.home / "jwks.json",
            port=free_port(),
            tls_port=free_port(),
            access_log=self.home / "access.log",
            cache=self.home / "cache",
            table=TEST_TABLE,
        )
        self._processes: list[subprocess.Popen[str]] = []
        self._write_secrets()

    # life

    def start(self) -> None:
        run = self.settings.run
        run.mkdir(exist_ok=True)
        self.serve([run / f"{name}-0.sock" for name in SERVICES] + [run / "payments-0.grpc.sock"])
        envoy.write(self.settings)
        command = envoy.command(self.settings, flush_ms=50)
        with (self.home / "envoy.log").open("w") as log:
            self.envoy = subprocess.Popen(command, stdout=log, stderr=log, text=True)
        self._processes.append(self.envoy)
        self._wait_until_ready()

    def serve(self, sockets: list[Path], broken: str = "") -> subprocess.Popen[str]:
        """Fake services on `sockets`, in a process of their own; those in `broken` answer 502."""
        for path in sockets:
            path.unlink(missing_ok=True)
        command = [sys.executable, str(Path(__file__).with_name("fakes.py")), *map(str, sockets)]
        environ = os.environ | {"FAKE_BROKEN": broken}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ)
        self._processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    def stop(self) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGKILL)
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        shutil.rmtree(self.home)

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with contextlib.suppress(httpx.TransportError), self.client() as client:
                answers = [client.get(path).status_code for path in ("/", "/mailbox", "/v1/products")]
                if answers == [200, 200, 200]:
                    return
            time.sleep(0.05)
        raise AssertionError((self.home / "envoy.log").read_text())

    # clients

    def client(self, *, address: str | None = None, **more) -> httpx.Client:
        """A client of the plain edge; `address` is the loopback address it comes from."""
        transport = httpx.HTTPTransport(local_address=address)
        base_url = f"http://127.0.0.1:{self.settings.port}"
        return httpx.Client(base_url=base_url, transport=transport, timeout=PATIENCE_S, **more)

    def tls_client(self, *, http2: bool = True) -> httpx.Client:
        context = ssl.create_default_context(cafile=str(self.settings.tls / "ca.crt"))
        return httpx.Client(
            base_url=f"https://localhost:{self.settings.tls_port}",
            verify=context,
            http2=http2,
            timeout=PATIENCE_S,
        )

    def service(self, caller: str) -> httpx.Client:
        """A client as `caller` has it: its way out into the mesh."""
        transport = httpx.HTTPTransport(uds=str(self.settings.egress(caller)))
        return httpx.Client(transport=transport, timeout=PATIENCE_S)

    def intruder(self, target: str, identity: tuple[bytes, bytes] | None) -> httpx.Client:
        """A client that goes straight to the target's way in, with a certificate of its own or none."""
        context = ssl.create_default_context(cafile=str(self.settings.tls / "ca.crt"))
        context.check_hostname = False
        if identity is not None:
            pair = self.home / "intruder.pem"
            pair.write_bytes(identity[0] + identity[1])
            context.load_cert_chain(pair)
        uds = str(self.settings.ingress(target))
        transport = httpx.HTTPTransport(uds=uds, verify=context, http2=True)
        return httpx.Client(transport=transport, base_url=f"https://{target}", timeout=PATIENCE_S)

    # tokens and certificates

    def token(self, *, lifetime_s: int = 900, key: ECKey | None = None, **claims: str) -> dict[str, str]:
        """An authorization header."""
        now = int(time.time())
        payload = {"iss": "shopwright", "aud": "shopwright", "iat": now, "exp": now + lifetime_s}
        payload |= {"sub": "0198c0de-0000-7000-8000-000000000001", "scope": "shop", "sid": "s1", **claims}
        token = jwt.encode({"alg": "ES256", "kid": "test"}, payload, key or self.key)
        return {"authorization": f"Bearer {token}"}

    def renew(self, service: str) -> None:
        self.place(self.settings.tls / "identities" / service, self.authority.identity(service))

    @staticmethod
    def place(directory: Path, identity: tuple[bytes, bytes]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in zip(("cert.pem", "key.pem"), identity, strict=True):
            fresh = directory / f".{name}"
            fresh.write_bytes(content)
            fresh.rename(directory / name)

    def _write_secrets(self) -> None:
        tls = self.settings.tls
        for service in SERVICES:
            self.renew(service)
        (tls / "ca.crt").write_bytes(self.authority.pem)
        certificate, key = self.authority.issue(x509.DNSName("localhost"))
        (tls / "gateway.crt").write_bytes(certificate)
        (tls / "gateway.key").write_bytes(key)
        self.settings.jwks.write_text(json.dumps({"keys": [self.key.as_dict(private=False)]}))


def slug_of(response: httpx.Response) -> str:
    """The problem that `response` tells of; its document must be whole."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    document = response.json()
    assert document["status"] == response.status_code
    assert document["title"]
    assert document["request_id"]
    return document["type"].removeprefix("/problems/")
