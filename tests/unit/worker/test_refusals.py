import pytest

from worker.refusals import Kind, is_known, kind_of

BY_CODE = [
    ("RateLimitExceeded.EndpointRPMExceeded", 429, Kind.RATE),
    ("RateLimitExceeded.EndpointTPMExceeded", 429, Kind.RATE),
    ("ModelAccountRpmRateLimitExceeded", 429, Kind.RATE),
    ("ModelAccountTpmRateLimitExceeded", 429, Kind.RATE),
    ("ModelAccountIpmRateLimitExceeded", 429, Kind.RATE),
    ("APIAccountRpmRateLimitExceeded", 429, Kind.RATE),
    ("AccountRateLimitExceeded", 429, Kind.RATE),
    ("RequestBurstTooFast", 429, Kind.OVERLOAD),
    ("ServerOverloaded", 429, Kind.OVERLOAD),
    ("InflightBatchsizeExceeded", 429, Kind.CONCURRENCY),
    ("SetLimitExceeded", 429, Kind.ACCOUNT),
    ("AccountOverdueError", 403, Kind.ACCOUNT),
    ("OperationDenied.ServiceOverdue", 403, Kind.ACCOUNT),
    ("OperationDenied.ServiceNotOpen", 403, Kind.ACCOUNT),
    ("ModelNotOpen", 404, Kind.ACCOUNT),
    ("InvalidEndpointOrModel.NotFound", 404, Kind.ACCOUNT),
    ("InvalidEndpointOrModel.ModelIDAccessDisabled", 400, Kind.ACCOUNT),
    ("InternalServiceError", 500, Kind.TRANSIENT),
    ("OperationDenied.InvalidState", 403, Kind.WAIT),
    ("MissingParameter", 400, Kind.PERMANENT),
    ("InvalidParameter", 400, Kind.PERMANENT),
    ("InputTextSensitiveContentDetected", 400, Kind.PERMANENT),
    ("OutputImageSensitiveContentDetected.PolicyViolation", 400, Kind.PERMANENT),
    ("InputVideoRiskDetection", 400, Kind.PERMANENT),
    ("OutofContextError", 400, Kind.PERMANENT),
    ("FileQuotaExceeded", 403, Kind.PERMANENT),
]

BY_STATUS = [
    (400, Kind.PERMANENT), (401, Kind.ACCOUNT), (402, Kind.ACCOUNT), (403, Kind.PERMANENT), (404, Kind.ACCOUNT),
    (405, Kind.ACCOUNT), (407, Kind.ACCOUNT), (408, Kind.TRANSIENT), (409, Kind.TRANSIENT), (413, Kind.PERMANENT),
    (422, Kind.PERMANENT), (425, Kind.TRANSIENT), (429, Kind.RATE), (500, Kind.TRANSIENT), (501, Kind.TRANSIENT),
    (502, Kind.TRANSIENT), (503, Kind.TRANSIENT), (504, Kind.TRANSIENT), (529, Kind.TRANSIENT),
]  # fmt: skip


@pytest.mark.parametrize(("code", "status", "kind"), BY_CODE)
def test_each_documented_code_has_its_class(code: str, status: int, kind: Kind) -> None:
    assert kind_of(http_status=status, code=code, message="") is kind


@pytest.mark.parametrize(("code", "status", "kind"), BY_CODE)
def test_the_code_counts_even_under_a_status_that_a_gateway_changed(code: str, status: int, kind: Kind) -> None:
    assert code == "InvalidParameter" or kind_of(http_status=500, code=code, message="") is kind


@pytest.mark.parametrize(("status", "kind"), BY_STATUS)
def test_without_a_known_code_the_status_decides(status: int, kind: Kind) -> None:
    assert kind_of(http_status=status, code="", message="") is kind
    assert kind_of(http_status=status, code="SomethingNew", message="") is kind


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Your free quota for this model is used up", Kind.ACCOUNT),
        ("", Kind.ACCOUNT),
        ("Too many tasks are queued, try later", Kind.CONCURRENCY),
        ("The number of concurrent requests is exceeded", Kind.CONCURRENCY),
        ("You have used up the 5 hour window, it will reset at 2026-01-02 03:04:05 +0800", Kind.RATE),
        ("weekly usage is exhausted", Kind.RATE),
        ("it will reset tomorrow", Kind.RATE),
        ("monthly usage is exhausted", Kind.RATE),
    ],
)
def test_an_exhausted_quota_is_told_apart_by_its_text(message: str, kind: Kind) -> None:
    assert kind_of(http_status=429, code="QuotaExceeded", message=message) is kind


@pytest.mark.parametrize(
    "message",
    [
        "Timeout while downloading the url https://example.com/a.png",
        "Error while connecting: https://example.com/clip.mp4, request id 021",
        "Error while downloading: https://example.com/a.png, status code: 502",
        "timed out when fetching the video",
        "failed to download the image",
        "download of the file timed out",
        "the url could not be accessed",
    ],
)
def test_a_medium_that_could_not_be_fetched_may_come_later(message: str) -> None:
    assert kind_of(http_status=400, code="InvalidParameter", message=message) is Kind.MEDIA
    assert kind_of(http_status=400, code="InvalidParameter.image_url", message=message) is Kind.MEDIA


@pytest.mark.parametrize(
    "host", ["localhost:8000", "127.0.0.1", "10.1.2.3", "192.168.0.9", "172.16.0.1", "169.254.1.1", "[::1]"]
)
def test_a_medium_at_a_private_address_never_comes(host: str) -> None:
    message = f"Timeout while downloading http://{host}/a.png"
    assert kind_of(http_status=400, code="InvalidParameter", message=message) is Kind.PERMANENT


def test_an_invalid_parameter_of_another_kind_is_final() -> None:
    message = "The parameter `temperature` must be at most 2"
    assert kind_of(http_status=400, code="InvalidParameter", message=message) is Kind.PERMANENT


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize("code", ["", "not_found", "invalid_request_error", "model_not_found", "NotFound"])
def test_an_endpoint_that_is_not_there_is_no_fault_of_the_job(status: int, code: str) -> None:
    assert kind_of(http_status=status, code=code, message="Invalid URL") is Kind.ACCOUNT
    assert kind_of(http_status=404, code=code, message="", param="model") is Kind.ACCOUNT


@pytest.mark.parametrize(
    "code",
    ["previous_response_not_found", "file_not_found", "image_file_not_found", "item_not_found", "FileNotFound",
     "PreviousResponseNotFound", "vector_store_not_found", "ContextNotFound", "File.NotFound"],
)  # fmt: skip
def test_something_that_the_request_refers_to_and_is_not_there_is_final(code: str) -> None:
    assert kind_of(http_status=404, code=code, message="") is Kind.PERMANENT
    assert kind_of(http_status=400, code=code, message="") is Kind.PERMANENT


@pytest.mark.parametrize("param", ["previous_response_id", "input[0].content[1].file_id"])
def test_a_404_that_names_a_field_is_about_what_that_field_refers_to(param: str) -> None:
    for code in ("", "not_found", "invalid_request_error"):
        assert kind_of(http_status=404, code=code, message="", param=param) is Kind.PERMANENT


@pytest.mark.parametrize(("status", "kind"), [(401, Kind.ACCOUNT), (429, Kind.RATE), (500, Kind.TRANSIENT)])
def test_the_general_type_of_an_error_is_no_code(status: int, kind: Kind) -> None:
    assert kind_of(http_status=status, code="invalid_request_error", message="") is kind


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_means_a_wrong_address(status: int) -> None:
    assert kind_of(http_status=status, code="", message="") is Kind.ACCOUNT


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Request too large for m on tokens per min (TPM): Limit 10000, Requested 10001.", Kind.PERMANENT),
        ("Request too large for m on tokens per min (TPM): Limit 10000, Requested 10000.", Kind.RATE),
        ("Request too large for m on tokens per min (TPM): Limit 10000, Requested 9999.", Kind.RATE),
        ("Request too large", Kind.RATE),
        ("Rate limit reached: Limit 10000, Requested 10001.", Kind.RATE),
    ],
)
def test_a_request_that_is_more_than_all_of_a_limit_is_final(message: str, kind: Kind) -> None:
    assert kind_of(http_status=429, code="rate_limit_exceeded", message=message) is kind


@pytest.mark.parametrize("code", ["QuotaExceeded", "ServerOverloaded", "InvalidParameter.image_url", "server_error"])
def test_a_code_with_a_class_says_more_than_its_status(code: str) -> None:
    assert is_known(code)


@pytest.mark.parametrize("code", ["", "SomethingNew", "quotaexceeded", "not ServerOverloaded", "invalid_request_error"])
def test_any_other_code_does_not(code: str) -> None:
    assert not is_known(code)
