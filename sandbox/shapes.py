"""Answers that are not what a caller expects."""

from typing import Any

from sandbox.errors import error_body
from sandbox.events import Event

_BARE = ("id", "object", "created_at", "completed_at", "model", "status", "output", "usage")
_BARE_USAGE = ("input_tokens", "output_tokens", "total_tokens", "output_tokens_details")
_BARE_PART = ("type", "text")


def misshape(
    response: dict[str, Any], shape: str | None, *, code: str | None = None, message: str | None = None
) -> Any:
    """The response in the shape that a fault asks for; itself when none is. One that failed says code and message."""
    match shape:
        case None:
            return response
        case "bare":
            return _bare(response)
        case "wrong":
            return {**response, "id": 12, "status": ["completed"], "output": {"text": "no list"}, "usage": "much"}
        case "null_output":
            return {**response, "output": None}
        case "no_output":
            return {name: value for name, value in response.items() if name != "output"}
        case "error_in_200":
            return error_body("The sandbox was asked for an error with status 200.", status=500)
        case "array":
            return [response]
        case "string":
            return response["id"]
        case "empty_object":
            return {}
        case "status_failed":
            return failed(response, code=code or "server_error", message=message or "The sandbox was asked to fail.")
        case _:
            return {**_unfinished(response), "status": shape.removeprefix("status_")}


def failed(response: dict[str, Any], *, code: str, message: str) -> dict[str, Any]:
    """The response as one that failed with this error."""
    return {**_unfinished(response), "status": "failed", "error": {"code": code, "message": message}}


def cancelled(response: dict[str, Any]) -> dict[str, Any]:
    """The response as one that was cancelled."""
    return {**_unfinished(response), "status": "cancelled"}


def with_float_times(value: Any) -> Any:
    """A copy in which every time is a float, as some gateways send them."""
    if isinstance(value, list):
        return [with_float_times(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {
        name: entry + 0.25 if name.endswith("_at") and isinstance(entry, int) else with_float_times(entry)
        for name, entry in value.items()
    }


def with_int_codes(value: Any) -> Any:
    """A copy in which the code of every error is a number, as some gateways send it."""
    if isinstance(value, list):
        return [with_int_codes(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {
        name: 500 if name == "code" and isinstance(entry, str) else with_int_codes(entry)
        for name, entry in value.items()
    }


def interrupted(events: list[Event]) -> list[Event]:
    """A stream that ends half-way with an error event and a failed response."""
    kept = events[: max(1, len(events) // 2)]
    words = {"code": "InternalServiceError", "message": "The sandbox was asked to fail in the middle."}
    failed = misshape(events[-1]["response"], "status_failed")
    ends: list[Event] = [
        {"type": "error", **words, "param": None},
        {"type": "response.failed", "response": failed},
    ]
    return kept + [{**event, "sequence_number": len(kept) + place} for place, event in enumerate(ends)]


def _unfinished(response: dict[str, Any]) -> dict[str, Any]:
    return {**response, "output": [], "usage": None, "completed_at": None, "incomplete_details": None}


def _bare(response: dict[str, Any]) -> dict[str, Any]:
    kept = {name: response[name] for name in _BARE}
    kept["usage"] = {name: response["usage"][name] for name in _BARE_USAGE}
    kept["output"] = [_bare_item(item) for item in response["output"]]
    return kept


def _bare_item(item: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in item.items() if name != "id"}
    if "content" in kept:
        kept["content"] = [{name: part[name] for name in _BARE_PART} for part in kept["content"]]
    return kept
