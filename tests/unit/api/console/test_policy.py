import re
from pathlib import Path

import pytest

import api.console
from api.console.policy import origin_of
from tests.unit.api.console.conftest import Come

FOLDER = Path(api.console.__file__).parent
PAGES = ("/", "/console/jobs", "/console/submit", "/console/webhooks", "/console/files", "/console/nothing")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_may_take_and_run_nothing_that_is_not_from_here(path: str, come: Come) -> None:
    answer = come().get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"


def test_no_template_has_inline_script_or_style_or_another_host() -> None:
    for path in (*FOLDER.rglob("*.html"), *FOLDER.rglob("*.css"), *FOLDER.rglob("*.js")):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|\son\w+=\"|<style|javascript:", text), path
        assert not re.search(r"(?:src|href|url\()\W*https?://", text), path
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), path


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://example.com/a.png?x=1", "https://example.com"),
        ("http://EXAMPLE.com:8080/a", "http://example.com:8080"),
        ("https://user:word@example.com/", "https://example.com"),
        ("https://[2001:db8::1]/a", "https://[2001:db8::1]"),
        ("https://exa mple.com/", None),
        ("https://example.com;script-src *", None),
        ("https://*.example.com/", None),
        ("ftp://example.com/", None),
        ("https://", None),
        ("https://a:b/", None),
        ("https://例え.jp/", None),
    ],
)
def test_an_origin_is_one_that_a_policy_can_name(url: str, origin: str | None) -> None:
    assert origin_of(url) == origin
