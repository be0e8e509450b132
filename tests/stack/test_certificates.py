from __future__ import annotations

import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from gateway.node import Node
from shopwright.gateway.table import SERVICES, spiffe_id
from shopwright.stack import certificates, secrets
from shopwright.stack.layout import Layout

DAY = timedelta(days=1)
LIFE_S = 6


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def of(layout: Layout, service: str) -> x509.Certificate:
    return read(layout.tls / "identities" / service / "cert.pem")


class TestIdentities:
    def test_each_service_has_its_own_name(self, layout: Layout):
        certificates.ensure(layout, DAY)

        for service in SERVICES:
            names = of(layout, service).extensions.get_extension_for_class(x509.SubjectAlternativeName)
            assert names.value.get_values_for_type(x509.UniformResourceIdentifier) == [spiffe_id(service)]

    def test_live_a_day_and_come_from_the_local_authority(self, layout: Layout):
        certificates.ensure(layout, DAY)

        own = of(layout, "orders")
        own.verify_directly_issued_by(read(layout.tls / "ca.crt"))
        assert own.not_valid_after_utc - datetime.now(UTC) <= DAY

    def test_a_browser_that_knows_the_authority_takes_the_gateways(self, layout: Layout):
        certificates.ensure(layout, DAY)
        trusted = Store([read(layout.tls / "ca.crt")])

        verifier = PolicyBuilder().store(trusted).build_server_verifier(x509.DNSName("localhost"))

        assert verifier.verify(read(layout.tls / "gateway.crt"), [])

    def test_keys_are_for_their_owner_only(self, layout: Layout):
        certificates.ensure(layout, DAY)

        keys = [*layout.tls.rglob("*.key"), *layout.tls.rglob("key.pem")]

        assert len(keys) == 2 + len(SERVICES)
        assert {key.stat().st_mode & 0o077 for key in keys} == {0}


class TestRenewal:
    def test_leaves_what_is_in_the_first_half_of_its_life(self, layout: Layout):
        certificates.ensure(layout, DAY)

        assert certificates.renew(layout, DAY) == []

    def test_renews_what_is_past_it(self, layout: Layout):
        certificates.ensure(layout, timedelta(seconds=0.2))
        time.sleep(0.15)

        assert certificates.renew(layout, DAY) == list(SERVICES)

    def test_makes_what_was_cut_short_by_a_full_disk_again(self, layout: Layout):
        certificates.ensure(layout, DAY)
        (layout.tls / "identities" / "orders" / "cert.pem").write_bytes(b"-----BEGIN CERT")

        assert certificates.renew(layout, DAY) == ["orders"]


class RenewingNode(Node):
    """A node whose certificates are an installation's own."""

    def _write_secrets(self) -> None:
        self.layout = Layout.of(self.home)
        self.layout.make()
        secrets.ensure(self.layout)
        certificates.ensure(self.layout, timedelta(0))
        self.settings.jwks.write_bytes(self.layout.secret("jwks.json").read_bytes())

    def shown_by(self, service: str) -> x509.Certificate:
        """The certificate that a running service shows whoever calls it."""
        caller = self.layout.tls / "identities" / "orders"
        context = ssl.create_default_context(cafile=str(self.layout.tls / "ca.crt"))
        context.check_hostname = False
        while True:
            with suppress(ssl.SSLError):  # between the two files of a renewal they do not belong together
                context.load_cert_chain(caller / "cert.pem", caller / "key.pem")
                break
        transport = httpx.HTTPTransport(uds=str(self.settings.ingress(service)), verify=context, http2=True)
        with httpx.Client(transport=transport, base_url=f"https://{service}", timeout=60) as client:
            response = client.get("/internal/quotes")
            der = response.extensions["network_stream"].get_extra_info("ssl_object").getpeercert(True)
        assert response.status_code == 200
        return x509.load_der_x509_certificate(der)


@pytest.fixture
def renewing() -> Iterator[RenewingNode]:
    node = RenewingNode()
    environ = {"SHOPWRIGHT_HOME": str(node.home), "SHOPWRIGHT_IDENTITY_LIFE_S": str(LIFE_S)}
    keeper = subprocess.Popen(
        [sys.executable, "-m", "shopwright.cli", "keep"], env=os.environ | environ, stderr=subprocess.DEVNULL
    )
    try:
        while of(node.layout, SERVICES[-1]).not_valid_after_utc < datetime.now(UTC):
            time.sleep(0.02)
        node.start()
        yield node
    finally:
        keeper.terminate()
        keeper.wait(60)
        node.stop()


class TestKeeper:
    def test_renews_while_calls_go_on(self, renewing: RenewingNode):
        first = renewing.shown_by("products")
        statuses, serials = [], set()

        with renewing.service("orders") as client:
            while datetime.now(UTC) < first.not_valid_after_utc + timedelta(seconds=1):
                statuses.append(client.get("http://products/internal/quotes").status_code)
                serials.add(renewing.shown_by("products").serial_number)
                time.sleep(0.1)

        assert set(statuses) == {200}
        assert len(serials) > 1
        assert renewing.shown_by("products").not_valid_after_utc > datetime.now(UTC)
