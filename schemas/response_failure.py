"""Why a response failed or stopped early, in the protocol's words; the first word stays where another replaced it."""

from collections.abc import Mapping
from typing import Any

from schemas.shape import trimmed

ERROR_CODES = frozenset(
    {
        "server_error",
        "rate_limit_exceeded",
        "invalid_prompt",
        "data_residency_mismatch",
        "bio_policy",
        "misalignment_policy_violation",
        "vector_store_timeout",
        "invalid_image",
        "invalid_image_format",
        "invalid_base64_image",
        "invalid_image_url",
        "image_too_large",
        "image_too_small",
        "image_parse_error",
        "image_content_policy_violation",
        "invalid_image_mode",
        "image_file_too_large",
        "unsupported_image_media_type",
        "empty_image_file",
        "failed_to_download_image",
        "image_file_not_found",
    }
)
REASONS = frozenset({"max_output_tokens", "max_messages", "content_filter", "steered"})

_no_reason = "the response failed; the endpoint gave no reason"
_extras: dict[str, Any] = {
    "param": str,
    "type": str,
    "misalignment": {
        "detailed_explanation?": str,
        "error_type?": str,
        "review_target?": str,
        "steer?": {"message": str},
    },
}


def complete_error(value: object) -> dict[str, Any]:
    """{code, message} and what else the value has; a code of another's own stands in `respool.code`."""
    told = trimmed(value, _extras) if isinstance(value, Mapping) else {"message": value}
    given, message = told.get("code"), told.get("message")
    whole = {**told, "message": message if isinstance(message, str) and message else _no_reason}
    if isinstance(given, str) and given in ERROR_CODES:
        return whole
    whole["code"] = "server_error"
    if isinstance(given, str | int):
        whole["code"] = "rate_limit_exceeded" if "ratelimit" in _squeezed(given) else "server_error"
        whole["respool"] = {"code": str(given)}
    return whole


def complete_incompleteness(value: object) -> dict[str, Any]:
    """{reason} and what else the value has; a reason of another's own stands in `respool.reason`."""
    told = dict(value) if isinstance(value, Mapping) else {}
    given = told.get("reason")
    if isinstance(given, str) and given in REASONS:
        return told
    filtered = isinstance(given, str) and ("filter" in given or "sensitive" in given.lower())
    whole = {**told, "reason": "content_filter" if filtered else "max_output_tokens"}
    if isinstance(given, str):
        whole["respool"] = {"reason": given}
    return whole


def _squeezed(code: str | int) -> str:
    return str(code).lower().replace("_", "").replace("-", "")
