"""The output of an answer: reasoning, a function call or a message, cut to the bound on output tokens."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.findings import as_object, sentences
from sandbox.media import Medium
from sandbox.prompt import Prompt
from sandbox.schema_values import value_for
from sandbox.tokens import count_text, cut_text
from sandbox.tools import choose_call

_SILENT_EFFORTS = (None, "none", "minimal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`output`: the protocol's items; `is_cut`: the bound on output tokens ended it early."""

    output: tuple[dict[str, Any], ...]
    output_tokens: int
    reasoning_tokens: int
    is_cut: bool


class _Budget:
    """Output tokens that are left; None is no bound."""

    def __init__(self, tokens: int | None) -> None:
        self.bound = tokens
        self.used = 0
        self.is_cut = False

    def spend(self, text: str) -> str:
        """The part of `text` that still fits."""
        wanted = count_text(text)
        left = wanted if self.bound is None else self.bound - self.used
        if wanted > left:
            self.is_cut = True
            text, wanted = cut_text(text, tokens=left), left
        self.used += wanted
        return text

    @property
    def status(self) -> str:
        return "incomplete" if self.is_cut else "completed"


def write_answer(body: Mapping[str, Any], prompt: Prompt, media: Sequence[Medium]) -> Answer:
    """Answer a checked body with what was found in it."""
    budget = _Budget(body.get("max_output_tokens"))
    output: list[dict[str, Any]] = []
    if (body.get("reasoning") or {}).get("effort") not in _SILENT_EFFORTS:
        output.append(_reasoning_item(budget, prompt, media))
    reasoning_tokens = budget.used
    if not budget.is_cut:
        call = choose_call(body, prompt)
        if call is None:
            output.append(_message_item(budget, _answer_text(body, prompt, media)))
        else:
            output.append(_call_item(budget, *call))
    return Answer(
        output=tuple(output),
        output_tokens=budget.used,
        reasoning_tokens=reasoning_tokens,
        is_cut=budget.is_cut,
    )


def _answer_text(body: Mapping[str, Any], prompt: Prompt, media: Sequence[Medium]) -> str:
    form = (body.get("text") or {}).get("format") or {}
    match form.get("type"):
        case "json_object":
            return json.dumps(as_object(prompt, media), ensure_ascii=False)
        case "json_schema":
            text = " ".join(sentences(prompt, media))
            return json.dumps(value_for(form["schema"], text=text), ensure_ascii=False)
        case _:
            return "\n".join(sentences(prompt, media))


def _reasoning_item(budget: _Budget, prompt: Prompt, media: Sequence[Medium]) -> dict[str, Any]:
    seen = sum(medium.facts is not None for medium in media)
    steps = (
        f"No model reasons here. Turns read: {prompt.turns}, with {sum(map(len, prompt.texts))} characters. "
        f"Media looked into: {seen} of {len(media)}. Wrote down what was found."
    )
    text = budget.spend(steps)
    summary = [{"type": "summary_text", "text": text}]
    return {"id": _new_id("rs"), "type": "reasoning", "status": budget.status, "summary": summary}


def _call_item(budget: _Budget, name: str, arguments: str) -> dict[str, Any]:
    kept = budget.spend(arguments)
    return {
        "id": _new_id("fc"),
        "type": "function_call",
        "status": budget.status,
        "call_id": _new_id("call"),
        "name": name,
        "arguments": kept,
    }


def _message_item(budget: _Budget, text: str) -> dict[str, Any]:
    kept = budget.spend(text)
    return {
        "id": _new_id("msg"),
        "type": "message",
        "role": "assistant",
        "status": budget.status,
        "content": [{"type": "output_text", "text": kept, "annotations": [], "logprobs": []}],
    }


def _new_id(prefix: str) -> str:
    return f"{prefix}_{uuid.uuid4().hex}"
