"""What responses took, in tokens: of one response as the endpoint told it, and summed up by day."""

from collections.abc import Mapping
from typing import Any

from schemas.base import Base, Open
from schemas.bounds import OneOf
from schemas.fields import Integer, List, Number, Object, String
from schemas.shape import whole_number


class InputTokensDetailsSchema(Open):
    cached_tokens = Integer(required=True)
    cache_write_tokens = Integer(required=True)


class OutputTokensDetailsSchema(Open):
    reasoning_tokens = Integer(required=True)


class UsageSchema(Open):
    """What a response took, in tokens."""

    input_tokens = Integer(required=True)
    input_tokens_details = Object(InputTokensDetailsSchema, required=True)
    output_tokens = Integer(required=True)
    output_tokens_details = Object(OutputTokensDetailsSchema, required=True)
    total_tokens = Integer(required=True)


class UsageRowSchema(Base):
    """One day, model and key: how many jobs ended how, and the tokens they took."""

    day = String(required=True, metadata={"format": "date", "description": "In UTC."})
    project = String(required=True)
    model = String(required=True)
    api_key = String(required=True, metadata={"description": "The id of the key, not the key."})
    completed = Integer(required=True)
    failed = Integer(required=True)
    incomplete = Integer(required=True)
    cancelled = Integer(required=True)
    input_tokens = Integer(required=True)
    cached_tokens = Integer(required=True)
    output_tokens = Integer(required=True)
    reasoning_tokens = Integer(required=True)
    total_tokens = Integer(required=True)
    cost = Number(required=True, metadata={"description": "In `currency`; models without a price cost 0."})
    currency = String(required=True)


class UsageListSchema(Base):
    object = String(required=True, validate=OneOf(("list",)))
    data = List(Object(UsageRowSchema), required=True)


def complete_usage(value: object) -> dict[str, Any] | None:
    """The usage of a response with every count of the protocol; None if it tells none.

    Counts under the names of chat completions are read too. Fields of the endpoint's own are kept.
    """
    if not isinstance(value, Mapping):
        return None
    told = {
        "input_tokens": _first_count(value, "input_tokens", "prompt_tokens"),
        "output_tokens": _first_count(value, "output_tokens", "completion_tokens"),
        "total_tokens": _first_count(value, "total_tokens"),
    }
    if all(count is None for count in told.values()):
        return None
    read, written = told["input_tokens"] or 0, told["output_tokens"] or 0
    total = told["total_tokens"]
    return {
        **value,
        "input_tokens": read,
        "input_tokens_details": _details(value, "input", ("cached_tokens", "cache_write_tokens")),
        "output_tokens": written,
        "output_tokens_details": _details(value, "output", ("reasoning_tokens",)),
        "total_tokens": read + written if total is None else total,
    }


def _first_count(value: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        count = whole_number(value.get(name))
        if count is not None and count >= 0:
            return count
    return None


def _details(value: Mapping[str, Any], side: str, names: tuple[str, ...]) -> dict[str, Any]:
    chat_name = "prompt" if side == "input" else "completion"
    given = (value.get(f"{name}_tokens_details") for name in (side, chat_name))
    told = next((details for details in given if isinstance(details, Mapping)), {})
    kept = {name: found for name, found in told.items() if name != "cache_write_tokens_details"}
    return kept | {name: _first_count(told, name) or 0 for name in names}
