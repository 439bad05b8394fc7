"""A real Chromium, as a person would use it, that notes what must not happen."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import distribution
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
GRAVE = ("serious", "critical")


@contextmanager
def running_browser() -> Iterator[Any]:
    """Playwright's Browser; the test is skipped where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="`make setup` installs playwright")
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("there is no Chromium; on Debian, `apt-get install chromium` brings it")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-quic"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass(kw_only=True)
class Visitor:
    """One person at a browser. `trouble` is what the browser complained of, `elsewhere` what it asked other hosts."""

    page: Any
    base: str
    trouble: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda said: self.trouble.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on("request", lambda asked: self._note(asked.url))

    def _note(self, url: str) -> None:
        if not url.startswith((f"{self.base}/", "data:", "blob:")):
            self.elsewhere.append(url)

    def open(self, path: str) -> None:
        self.page.goto(self.base + path)

    def sign_in(self, key: str) -> None:
        self.open("/")
        self.page.get_by_label("API key").fill(key)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"{self.base}/")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def sees(self, selector: str, text: str = "", *, seconds: float = 30) -> None:
        """Waits until it is there, with that text in it."""
        self.page.locator(selector).filter(has_text=text).first.wait_for(timeout=seconds * 1000)

    def barriers(self) -> list[str]:
        """What keeps people with assistive technology from using the present page, by axe-core."""
        self.page.evaluate(f"{_axe()};null")
        found = self.page.evaluate("axe.run().then((result) => result.violations)")
        return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found if each["impact"] in GRAVE]

    def overflows(self) -> bool:
        """Whether the page is wider than its window."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


@cache
def _axe() -> str:
    package = distribution("axe-playwright-python")
    return str(package.locate_file("axe_playwright_python/axe.min.js").read_text(encoding="utf-8"))  # type: ignore[attr-defined]
