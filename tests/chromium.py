"""Debian's Chromium for tests, and what every page must hold: no violation that axe-core knows of, nothing
wider than the screen, nothing that the content security policy blocks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import BrowserContext, Page, async_playwright

CHROMIUM = Path("/usr/bin/chromium")
INSTALLED = CHROMIUM.exists()
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


@asynccontextmanager
async def browser() -> AsyncIterator:
    if not INSTALLED:
        pytest.skip(f"there is no {CHROMIUM}: apt-get install chromium")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield started
        await started.close()


@asynccontextmanager
async def visitor(started, url: str, *, width: int = 1280, **options) -> AsyncIterator[Page]:
    """A fresh person at `url`: no cookies of before; what the console says of blocked or broken parts
    fails the test.
    """
    context: BrowserContext = await started.new_context(
        base_url=url, viewport={"width": width, "height": 900}, reduced_motion="reduce", **options
    )
    context.set_default_timeout(60_000)
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    try:
        yield page
    finally:
        await context.close()
    broken = [text for text in said if "Content Security Policy" in text or "Error:" in text]
    assert broken == []


async def check(page: Page) -> None:
    """The page as it is now is accessible and fits."""
    results = await Axe().run(page, options=RULES)
    found = [
        (item["id"], item["help"], [node["html"][:160] for node in item["nodes"]][:3])
        for item in results.response["violations"]
    ]
    assert found == [], f"{page.url}: {found}"
    over = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert over <= 0, f"{page.url} is {over} px wider than the screen"
