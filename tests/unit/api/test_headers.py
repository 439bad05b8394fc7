import re

import pytest

from tests.unit.api.conftest import Caller

MADE = re.compile(r"req_[0-9a-f]{32}\Z")


@pytest.mark.parametrize("given", ["a", "A.b_c-9", "x" * 128])
def test_a_request_id_that_was_given_comes_back(given: str, alice: Caller) -> None:
    assert alice.get("/v1/jobs", headers={"X-Request-Id": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", [None, "", "x" * 129, "a b", "a/b", "é", "a\x00", "<script>"])
def test_any_other_is_made_anew(given: str | None, alice: Caller) -> None:
    headers = {} if given is None else {"X-Request-Id": given}
    ids = {alice.get("/v1/jobs", headers=headers).headers["x-request-id"] for _ in range(2)}
    assert len(ids) == 2
    assert all(MADE.match(made) for made in ids)


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/v1/jobs", "/openapi.json", "/docs", "/nowhere", "/v1/jobs/x"]
)
def test_every_answer_has_an_id_and_keeps_browsers_careful(path: str, nobody: Caller) -> None:
    headers = nobody.get(path).headers
    assert MADE.match(headers["x-request-id"])
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
