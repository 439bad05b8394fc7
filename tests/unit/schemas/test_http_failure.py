import pytest

from schemas.http_failure import status_of


@pytest.mark.parametrize(
    ("code", "http_status", "retryable", "status"),
    [
        ("expired", None, True, 504), ("run_timeout", 200, True, 504), ("upstream_timeout", None, True, 504),
        ("outcome_unknown", 429, True, 502), ("worker_lost", None, True, 502), ("connection_cut", 200, True, 502),
        ("upstream_unreachable", None, True, 502), ("upstream_answer_invalid", 200, False, 502),
        ("failed_to_download", 400, True, 400), ("file_not_found", None, False, 400),
        ("InvalidParameter", 400, False, 400), ("Odd", 403, False, 400), ("Odd", 404, False, 400),
        ("Odd", 422, False, 400), ("RateLimitExceeded.EndpointRPMExceeded", 429, True, 429),
        ("QuotaExceeded", 429, True, 429), ("http_408", 408, True, 504), ("http_504", 504, True, 504),
        ("http_409", 409, True, 502), ("http_425", 425, True, 502), ("InternalServiceError", 500, True, 502),
        ("http_503", 503, True, 502), ("rate_limit_exceeded", 200, True, 429), ("ServerOverloaded", 200, False, 429),
        ("server_error", 200, False, 502), ("InternalServiceError", 200, False, 502), ("Odd", 200, True, 502),
        ("invalid_prompt", 200, False, 400), ("SensitiveContentDetected", 200, False, 400), ("Odd", None, False, 400),
    ],
)  # fmt: skip
def test_each_failure_has_its_status(code: str, http_status: int | None, retryable: bool, status: int) -> None:
    assert status_of(code, http_status=http_status, retryable=retryable) == status
