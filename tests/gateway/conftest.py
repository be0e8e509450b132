from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from gateway.node import Node


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    """One Envoy with fake services for all tests; whoever reloads it puts the settings back."""
    node = Node()
    try:
        node.start()
        yield node
    finally:
        node.stop()


@pytest.fixture
def client(node: Node) -> Iterator[httpx.Client]:
    with node.client() as client:
        yield client
