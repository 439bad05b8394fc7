"""The fields of a response that repeat the request: the endpoint's word, else the caller's, else the protocol's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.shape import Shape, fits, trimmed, whole_number

_words = frozenset
_function = _words({"function"})
_tool_extras = {
    "description": str,
    "parameters": dict,
    "strict": bool,
    "allowed_callers": [_words({"direct", "programmatic"})],
    "async": bool,
    "defer_loading": bool,
    "output_schema": dict,
}
_efforts = _words({"none", "low", "medium", "high", "xhigh"})
_summaries = _words({"auto", "concise", "detailed"})
_reasoning_extras = {
    "effort": _efforts,
    "summary": _summaries,
    "generate_summary": _summaries,
    "context": _words({"auto", "current_turn", "all_turns"}),
    "mode": str,
}
_format = (
    {"type": _words({"text", "json_object"})},
    {"type": _words({"json_schema"}), "name": str, "schema": dict, "description?": str, "strict?": bool},
)
_choice = (
    _words({"auto", "none", "required"}),
    {"type": _function, "name": str},
    {
        "type": _words({"allowed_tools"}),
        "mode": _words({"auto", "required"}),
        "tools": [{"type": _function, "name?": str}],
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo:
    """How one field is read (None: it cannot be said in the protocol's words) and what stands in for it."""

    read: Callable[[Any], Any]
    otherwise: Callable[[], Any]


def echoed(upstream: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """Every echoed field, always in the same order."""
    return {name: _said(name, echo, upstream, request) for name, echo in ECHOES.items()}


def unsaid(request: Mapping[str, Any]) -> dict[str, Any]:
    """What the caller asked for and an echo cannot say, as it came."""
    asked = ((name, request[name], echo.read(request[name])) for name, echo in ECHOES.items() if name in request)
    return {name: given for name, given, said in asked if not _covers(said, given)}


def _said(name: str, echo: Echo, upstream: Mapping[str, Any], request: Mapping[str, Any]) -> Any:
    for source in (upstream, request):
        given = source.get(name)
        if given is not None and (said := echo.read(given)) is not None:
            return said
    return echo.otherwise()


def _covers(said: Any, given: Any) -> bool:
    """Whether `said` tells all that `given` tells; null tells nothing."""
    if isinstance(given, dict) and isinstance(said, dict):
        return all(_covers(said.get(name), below) for name, below in given.items())
    if isinstance(given, list) and isinstance(said, list):
        return len(said) == len(given) and all(map(_covers, said, given))
    return given is None or bool(said == given)


def _shaped(shape: Shape, otherwise: Any) -> Echo:
    return Echo(read=lambda value: value if fits(value, shape) else None, otherwise=lambda: otherwise)


def _tools(value: object) -> list[dict[str, Any]] | None:
    """The functions among the tools; hosted tools are the endpoint's own affair and no two protocols agree on them."""
    if not isinstance(value, list):
        return None
    functions = [tool for tool in value if fits(tool, {"type": _function, "name": str})]
    empty = {"description": None, "parameters": None, "strict": None}
    return [empty | trimmed(tool, _tool_extras) for tool in functions]


def _reasoning(value: object) -> dict[str, Any] | None:
    if not isinstance(value, Mapping):
        return None
    return {"effort": None, "summary": None} | trimmed(value, _reasoning_extras)


def _text(value: object) -> dict[str, Any] | None:
    if not isinstance(value, Mapping):
        return None
    known = {"format": _format, "verbosity": _words({"low", "medium", "high"})}
    present = {name: found for name, found in value.items() if found is not None}
    return {"format": {"type": "text"}} | trimmed(present, known)


ECHOES = {
    "model": _shaped(str, ""),
    "instructions": _shaped(str, None),
    "previous_response_id": _shaped(str, None),
    "max_output_tokens": Echo(read=whole_number, otherwise=lambda: None),
    "max_tool_calls": Echo(read=whole_number, otherwise=lambda: None),
    "metadata": Echo(read=lambda value: value if fits(value, {str: str}) else None, otherwise=dict),
    "parallel_tool_calls": _shaped(bool, True),
    "prompt_cache_key": _shaped(str, None),
    "safety_identifier": _shaped(str, None),
    "reasoning": Echo(read=_reasoning, otherwise=lambda: None),
    "service_tier": _shaped(_words({"auto", "default", "fast", "flex", "priority", "scale", "ultrafast"}), "default"),
    "temperature": _shaped(float, 1.0),
    "top_p": _shaped(float, 1.0),
    "presence_penalty": _shaped(float, 0),
    "frequency_penalty": _shaped(float, 0),
    "top_logprobs": Echo(read=whole_number, otherwise=lambda: 0),
    "text": Echo(read=_text, otherwise=lambda: {"format": {"type": "text"}}),
    "tool_choice": _shaped(_choice, "auto"),
    "tools": Echo(read=_tools, otherwise=list),
    "truncation": _shaped(_words({"auto", "disabled"}), "disabled"),
}
