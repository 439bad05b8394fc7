import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.fakes.processes import running_api
from tests.unit.api.conftest import Caller

CHROMIUM = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
CHROMIUM += ["--disable-background-networking", "--disable-component-update", "--virtual-time-budget=15000"]


def test_the_page_takes_everything_from_here(nobody: Caller) -> None:
    page = nobody.get("/docs")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    linked = [link for link in re.findall(r'(?:src|href)="([^"]*)"', page.text) if not link.startswith("data:")]
    assert len(linked) == 3
    for link in linked:
        assert not re.match(r"\w+:|/", link), link
        assert nobody.get(f"/{link}").status_code == 200
    assert "://" not in page.text + nobody.get("/docs/start.js").text


def test_a_browser_may_ask_this_host_alone(nobody: Caller) -> None:
    policy = nobody.get("/docs").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "script-src 'self';" in policy
    assert "http" not in policy


@pytest.mark.parametrize("name", ["../x", "..%2f..%2fapi/app.py", "nothing.js", "%00", "%2fetc/passwd", "....//x"])
def test_no_other_file_is_served(name: str, nobody: Caller) -> None:
    assert nobody.get(f"/docs/assets/{name}", follow_redirects=True).status_code == 404


def test_a_browser_shows_every_route(tmp_path: Path, redis_url: str) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium to look at /docs with")
    with running_api(tmp_path, {"RESPOOL_REDIS_URL": redis_url}) as base:
        shown = subprocess.run(
            [chromium, *CHROMIUM, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", f"{base}/docs"],
            capture_output=True, text=True, timeout=60, check=True,
        ).stdout  # fmt: skip
    for path in ("/v1/jobs", "/v1/jobs/{job_id}", "/v1/jobs/{job_id}/cancel", "/v1/usage", "/healthz", "/readyz"):
        assert f'data-path="{path}"' in shown
