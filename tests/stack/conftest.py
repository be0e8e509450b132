from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import collector as otlp
import platforms
from shopwright.stack.layout import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout.of(tmp_path / "home")
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
