from collections.abc import Callable
from typing import Any

import pytest

from schemas.options import EFFORTS

With = Callable[..., dict[str, str]]


def test_metadata_is_taken_up_to_its_bounds(mistakes_with: With) -> None:
    assert mistakes_with(metadata={f"{i:064}": "x" * 512 for i in range(16)}) == {}


@pytest.mark.parametrize(
    ("metadata", "mistakes"),
    [
        ({str(i): "" for i in range(17)}, {"metadata": "must have at most 16 pairs, got 17"}),
        ({"a": "x" * 513}, {"metadata.a": "must have at most 512 characters, got 513"}),
        ({"a": 1, "b": None}, {"metadata.a": "must be a string, got 1", "metadata.b": "must be a string, got null"}),
        ([], {"metadata": "must be an object, got a list"}),
    ],
)
def test_metadata_beyond_its_bounds_is_refused(mistakes_with: With, metadata: Any, mistakes: dict[str, str]) -> None:
    assert mistakes_with(metadata=metadata) == mistakes


def test_a_long_metadata_key_and_a_wrong_value_are_told_together(mistakes_with: With) -> None:
    found = mistakes_with(metadata={"k" * 65: "x", "a": 1})
    assert list(found.values()) == ["must have at most 64 characters, got 65", "must be a string, got 1"]


@pytest.mark.parametrize("effort", EFFORTS)
def test_every_effort_is_taken(mistakes_with: With, effort: str) -> None:
    assert mistakes_with(reasoning={"effort": effort, "summary": None}) == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"text": {"format": {"type": "text"}, "verbosity": "low"}},
        {"text": {"format": {"type": "json_object"}}},
        {"text": {"format": {"type": "json_schema", "name": "n" * 64, "schema": {"a": []}, "strict": None}}},
        {"thinking": {"type": "auto"}},
        {"caching": {"type": "enabled", "prefix": True}},
        {"caching": {"type": "disabled"}, "instructions": "x"},
        {"caching": {"type": "enabled"}, "instructions": None},
        {"prompt": {"id": "p", "version": "1", "variables": {"a": "b"}}},
        {"conversation": "conv_1"},
        {"conversation": {"id": "conv_1"}},
        {"context_management": [{"type": "compaction", "compact_threshold": 1000}]},
        {"context_management": {"edits": []}},
        {"stream_options": {"include_obfuscation": False}},
    ],
)
def test_documented_options_are_taken(mistakes_with: With, fields: dict[str, Any]) -> None:
    assert mistakes_with(**fields) == {}


@pytest.mark.parametrize(
    ("fields", "mistakes"),
    [
        ({"reasoning": "high"}, {"reasoning": "must be an object, got a string"}),
        ({"reasoning": {"effort": 3}}, {"reasoning.effort": "must be a string, got 3"}),
        ({"reasoning": {"efort": "low"}}, {"reasoning.efort": "unknown field; did you mean 'effort'?"}),
        ({"text": {"format": "text"}}, {"text.format": "must be an object, got a string"}),
        (
            {"text": {"format": {"type": "json_schema"}}},
            {"text.format.name": "is required", "text.format.schema": "is required"},
        ),
        (
            {"text": {"format": {"type": "json_schema", "name": "n" * 65, "schema": {}}}},
            {"text.format.name": "must have at most 64 characters, got 65"},
        ),
        (
            {"thinking": {"type": "on"}},
            {"thinking.type": 'unknown type "on" (one of these 3: enabled, disabled, auto)'},
        ),
        ({"thinking": {}}, {"thinking.type": "is required"}),
        (
            {"caching": {"type": "enabled"}, "instructions": "x"},
            {"caching": "must not be enabled together with instructions"},
        ),
        ({"caching": {"type": 1}, "instructions": "x"}, {"caching.type": "must be a string, got 1"}),
        ({"conversation": {}}, {"conversation.id": "is required"}),
        ({"context_management": ["a"]}, {"context_management[0]": "must be an object, got a string"}),
        ({"prompt": {}}, {"prompt.id": "is required"}),
        ({"stream_options": {"zzz": True}}, {"stream_options.zzz": "unknown field"}),
    ],
)
def test_wrong_options_are_told_at_their_place(
    mistakes_with: With, fields: dict[str, Any], mistakes: dict[str, str]
) -> None:
    assert mistakes_with(**fields) == mistakes
