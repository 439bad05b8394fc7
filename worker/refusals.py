"""The classes of refusal, and which one an upstream's error belongs to."""

from __future__ import annotations

import re
from enum import StrEnum


class Kind(StrEnum):
    """What a problem asks of us."""

    RATE = "rate"
    """Too many requests or tokens a minute: wait for the window, no attempt spent."""
    OVERLOAD = "overload"
    """Too steep a rise, or a crowded model: narrow the lane, no attempt spent."""
    CONCURRENCY = "concurrency"
    """Too many calls in flight: narrow the lane, no attempt spent."""
    ACCOUNT = "account"
    """The operator must act: pause the lane, keep its jobs."""
    ENDPOINT = "endpoint"
    """Nobody answers there: pause the lane, keep its jobs."""
    WAIT = "wait"
    """Something of the upstream's is not ready yet."""
    MEDIA = "media"
    """The upstream could not fetch a medium, which may pass."""
    TRANSIENT = "transient"
    PERMANENT = "permanent"


REFERENCES = (
    *("previous_?response", "response", "file", "image_?file", "item", "conversation", "container", "context"),
    *("prompt", "vector_?store"),
)
"""What a request may refer to and an endpoint may not find."""

CODES: tuple[tuple[re.Pattern[str], Kind], ...] = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (r"RateLimitExceeded\.Endpoint[RT]PMExceeded|ModelAccount[RTI]pmRateLimitExceeded", Kind.RATE),
        (r"APIAccountRpmRateLimitExceeded|AccountRateLimitExceeded|rate_limit_exceeded", Kind.RATE),
        (r"RequestBurstTooFast|ServerOverloaded", Kind.OVERLOAD),
        (r"InflightBatchsizeExceeded", Kind.CONCURRENCY),
        (r"SetLimitExceeded|AccountOverdueError|OperationDenied\.Service(Overdue|NotOpen)", Kind.ACCOUNT),
        (r"ModelNotOpen|InvalidEndpointOrModel.*|model_not_found|insufficient_quota|invalid_api_key", Kind.ACCOUNT),
        (r"OperationDenied\.InvalidState", Kind.WAIT),
        (r"MissingParameter|.*SensitiveContentDetected.*|.*RiskDetection.*", Kind.PERMANENT),
        (r"OutofContextError|FileQuotaExceeded|InvalidParameter.*", Kind.PERMANENT),
        (r"invalid_(prompt|value|base64_image|image(_format|_url|_mode)?)", Kind.PERMANENT),
        (rf"(?i:({'|'.join(REFERENCES)})[._]?not_?found)", Kind.PERMANENT),
        (r"failed_to_download_image", Kind.MEDIA),
        (r"InternalServiceError|server_error|vector_store_timeout", Kind.TRANSIENT),
    )
)

UNREACHABLE_MEDIUM = re.compile(
    r"(time.?out|timed out|error|fail\w*|unable|could not|cannot)\b.{0,40}\b(download|connect|fetch|access)"
    r"|(download|connect|fetch)\w*\b.{0,40}\b(time.?out|timed out|error|fail)",
    re.IGNORECASE | re.DOTALL,
)
TOO_LARGE = re.compile(r"request too large|too large for", re.IGNORECASE)
LIMIT_AND_REQUESTED = re.compile(r"limit:? (\d{1,12})\b.{0,40}\brequested:? (\d{1,12})\b", re.IGNORECASE | re.DOTALL)
PRIVATE_ADDRESS = re.compile(
    r"\b(localhost|127\.\d+\.\d+\.\d+|10\.\d+\.\d+\.\d+|192\.168\.\d+\.\d+|169\.254\.\d+\.\d+"
    r"|172\.(1[6-9]|2\d|3[01])\.\d+\.\d+)\b|\[::1\]"
)


def kind_of(*, http_status: int, code: str, message: str, param: str = "") -> Kind:
    """The class of an error answer. Its code decides; then the status and the field at fault, `param`."""
    if TOO_LARGE.search(message) and _asks_for_more(message):
        return Kind.PERMANENT
    if code == "QuotaExceeded":
        return _quota(message)
    if code.startswith("InvalidParameter") and UNREACHABLE_MEDIUM.search(message):
        return Kind.PERMANENT if PRIVATE_ADDRESS.search(message) else Kind.MEDIA
    for pattern, kind in CODES:
        if pattern.fullmatch(code):
            return kind
    return _by_status(http_status, param)


def is_known(code: str) -> bool:
    """Whether the code says more than the status that it came with."""
    return code == "QuotaExceeded" or any(pattern.fullmatch(code) for pattern, _ in CODES)


def _asks_for_more(message: str) -> bool:
    """Whether the one request is more than all of the limit, so that no waiting helps."""
    told = LIMIT_AND_REQUESTED.search(message)
    return told is not None and int(told[2]) > int(told[1])


def _by_status(status: int, param: str) -> Kind:
    match status:
        case 401 | 402 | 407:
            return Kind.ACCOUNT
        case 408 | 409 | 425:
            return Kind.TRANSIENT
        case 429:
            return Kind.RATE
        case 404 if param not in ("", "model"):
            return Kind.PERMANENT  # what the request names in that field does not exist
        case 404 | 405:
            return Kind.ACCOUNT  # no endpoint of the protocol is there: the address is wrong, not the job
        case _ if 300 <= status < 400:
            return Kind.ACCOUNT  # likewise: a POST with a key is not sent on elsewhere
        case _ if status < 400 or status >= 500:
            return Kind.TRANSIENT
        case _:
            return Kind.PERMANENT


def _quota(message: str) -> Kind:
    """One code for three things; only the text tells them apart."""
    text = message.lower()
    if re.search(r"queue|concurren|in.?flight|too many", text):
        return Kind.CONCURRENCY
    if re.search(r"reset|hour|week|month", text):
        return Kind.RATE
    return Kind.ACCOUNT
