"""The Response object around an answer, with every field of the protocol."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.answer import Answer
from sandbox.findings import as_object
from sandbox.media import Medium
from sandbox.prompt import Prompt
from sandbox.tokens import count_text

MESSAGE_OVERHEAD_TOKENS = 3  # what a turn costs beside its text

# Fields of the request that are handed back → their value where the request leaves them out or null.
_ECHOED: dict[str, Any] = {
    "background": False,
    "frequency_penalty": 0,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "presence_penalty": 0,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
}


def new_response(body: Mapping[str, Any], *, created_at: int) -> dict[str, Any]:
    """The Response before there is an answer: queued, with nothing in it. The time is whole Unix seconds."""
    echoed = {name: plain if body.get(name) is None else body[name] for name, plain in _ECHOED.items()}
    return {
        "id": f"resp_{uuid.uuid4().hex}",
        "object": "response",
        "created_at": created_at,
        "completed_at": None,
        "status": "queued",
        "error": None,
        "incomplete_details": None,
        "model": body["model"],
        "output": [],
        "reasoning": _reasoning(body.get("reasoning")),
        "service_tier": "default",
        "text": {**(body.get("text") or {}), "format": (body.get("text") or {}).get("format") or {"type": "text"}},
        "tools": [_tool(tool) for tool in body.get("tools") or []],
        **echoed,
        "usage": None,
    }


def answered(
    response: Mapping[str, Any], *, answer: Answer, prompt: Prompt, media: Sequence[Medium], completed_at: int
) -> dict[str, Any]:
    """The Response with its answer. `sandbox` holds the findings uncut, beside the protocol's fields."""
    return {
        **response,
        "completed_at": None if answer.is_cut else completed_at,
        "status": "incomplete" if answer.is_cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if answer.is_cut else None,
        "output": list(answer.output),
        "usage": _usage(answer, prompt, media),
        "sandbox": as_object(prompt, media),
    }


def _usage(answer: Answer, prompt: Prompt, media: Sequence[Medium]) -> dict[str, Any]:
    text_tokens = sum(map(count_text, prompt.texts)) + MESSAGE_OVERHEAD_TOKENS * prompt.turns
    input_tokens = text_tokens + sum(medium.tokens for medium in media)
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": answer.output_tokens,
        "output_tokens_details": {"reasoning_tokens": answer.reasoning_tokens},
        "total_tokens": input_tokens + answer.output_tokens,
    }


def _reasoning(asked: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if asked is None else {"effort": asked.get("effort"), "summary": asked.get("summary")}


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    if tool["type"] != "function":
        return dict(tool)
    return {"description": None, "parameters": None, "strict": None, **tool}
