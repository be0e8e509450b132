"""Web in process, in front of services that are faked at the wire, and browsers to visit it with."""

import pytest

from browsing import Browser
from shopwright.web.testing import FakeMesh, product

SESSION_KEY = "a key of the tests that has more than 256 bits"


@pytest.fixture
async def mesh(tmp_path):
    fake = FakeMesh()
    fake.goods.products = [
        product("Oak lamp", options={"colour": ["natural", "black"]}),
        product("Stone mug", price=1_900, available=3),
        product("Linen apron", price=3_300, available=0),
    ]
    fake.goods.categories = [
        {"slug": slug, "name": name, "parent": parent, "description": "", "picture": None, "products": 3}
        for slug, name, parent in [("home", "Home", None), ("lighting", "Lighting", "home")]
    ]
    await fake.start(tmp_path / "mesh.sock")
    yield fake
    await fake.stop()


@pytest.fixture
async def web(mesh, run_service):
    """A client of the service itself, without cookies of anybody."""
    return await run_service("web", extra_env={"SHOPWRIGHT_SESSION_KEY": SESSION_KEY})


@pytest.fixture
def shop(web):
    return Browser(web)
