"""Whether the answer calls one of the tools it was given, and with which arguments.

With `tool_choice` auto a function is called when the last text of the user mentions it: its whole name, or a word of
its name of four letters or more (`get_weather`: "weather"). No tool is called right after a tool's result.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from sandbox.prompt import Prompt
from sandbox.schema_values import value_for

MENTION_LETTERS_MIN = 4
HINT_CHARACTERS_MAX = 60


def choose_call(body: Mapping[str, Any], prompt: Prompt) -> tuple[str, str] | None:
    """The name of the function to call and its arguments as JSON, or None."""
    choice = body.get("tool_choice") or "auto"
    tools = [tool for tool in body.get("tools") or [] if tool["type"] == "function"]
    if isinstance(choice, dict):
        tools, choice = _narrowed(tools, choice)
    if choice == "none" or not tools:
        return None
    mentioned = [tool for tool in tools if _is_mentioned(tool["name"], prompt.last_user_text)]
    if choice == "auto" and (prompt.ends_with_tool_result or not mentioned):
        return None
    tool = (mentioned or tools)[0]
    arguments = value_for(tool.get("parameters") or {}, text=_hint(prompt.last_user_text))
    return tool["name"], json.dumps(arguments if isinstance(arguments, dict) else {})


def _narrowed(tools: list[dict[str, Any]], choice: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """The tools that an object-shaped choice leaves, and the choice among them in a word."""
    if choice.get("type") == "function":
        return [tool for tool in tools if tool["name"] == choice["name"]], "required"
    if choice.get("type") == "allowed_tools":
        named = choice.get("tools")
        allowed = [item.get("name") for item in named if isinstance(item, dict)] if isinstance(named, list) else []
        return [tool for tool in tools if tool["name"] in allowed], str(choice.get("mode", "auto"))
    return [], "none"


def _is_mentioned(name: str, text: str) -> bool:
    said = text.lower()
    words = [word for word in re.split(r"[^a-z0-9]+", name.lower()) if len(word) >= MENTION_LETTERS_MIN]
    return name.lower() in said or any(re.search(rf"\b{word}\b", said) for word in words)


def _hint(text: str) -> str:
    """What a string argument says: the last capitalised word that does not begin a sentence, else the text's start."""
    names = re.findall(r"(?<=[a-z,] )[A-Z][\w-]+", text)
    return names[-1] if names else text[:HINT_CHARACTERS_MAX]
