"""The HTTP status that tells why a job failed: the endpoint's own kind of refusal, or that of who stands between."""

import re

OWN_STATUSES = {
    "expired": 504,
    "run_timeout": 504,
    "upstream_timeout": 504,
    "failed_to_download": 400,
    "file_not_found": 400,
    "files_unavailable": 502,
    "outcome_unknown": 502,
    "worker_lost": 502,
    "connection_error": 502,
    "connection_cut": 502,
    "upstream_unreachable": 502,
    "upstream_answer_too_large": 502,
    "upstream_answer_invalid": 502,
    "upstream_lost": 502,
}
TYPES = {400: "invalid_request_error", 429: "rate_limit_error", 502: "server_error", 504: "server_error"}
RATE = re.compile(r"rate.?limit|too.?many.?requests|quota|overloaded", re.IGNORECASE)
FAULTS = re.compile(r"server.?error|internal|timeout|unavailable", re.IGNORECASE)


def status_of(code: str, *, http_status: int | None, retryable: bool) -> int:
    """400, 429, 502 or 504 for an error's code and the status that the endpoint answered the last attempt with.

    An error in a successful answer is known by its code; one that would come again is the request's own.
    """
    if code in OWN_STATUSES:
        return OWN_STATUSES[code]
    match http_status:
        case 429:
            return 429
        case 408 | 504:
            return 504
        case 409 | 425:
            return 502
        case int() if 400 <= http_status < 500:
            return 400
        case int() if http_status >= 500:
            return 502
    if RATE.search(code):
        return 429
    return 502 if retryable or FAULTS.search(code) else 400
