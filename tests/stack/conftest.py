from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import collector as otlp
import platforms
from shopwright.stack.layout import Layout


@pytest.fixture
def folder() -> Iterator[Path]:
    """One whose path is short enough for sockets, so that nothing is left elsewhere."""
    with tempfile.TemporaryDirectory(prefix="sw-", dir="/tmp") as name:
        yield Path(name)


@pytest.fixture
def layout(folder: Path) -> Layout:
    made = Layout.of(folder / "home")
    made.make()
    return made


@pytest.fixture(scope="session")
def collector() -> Iterator[otlp.Collector]:
    with otlp.collector() as running:
        yield running


@pytest.fixture(scope="session")
def own_platform(collector: otlp.Collector) -> Iterator[platforms.Platform]:
    """A platform that tests may stop, break and start again; no program but its own can be found by name."""
    with platforms.platform(
        PATH="/nowhere", SHOPWRIGHT_DEMO="off", SHOPWRIGHT_OTLP_ENDPOINT=collector.endpoint
    ) as running:
        yield running


@pytest.fixture
def installation(own_platform: platforms.Platform) -> platforms.Platform:
    """The same, up."""
    own_platform.cli("up")
    return own_platform
