"""The text that a model wrote, completed: parts of a message, their annotations and log probabilities."""

from collections.abc import Mapping
from typing import Any

from schemas.shape import fits, trimmed

_citations: dict[str, dict[str, Any]] = {
    "url_citation": {"url": "", "title": "", "start_index": 0, "end_index": 0},
    "file_citation": {"file_id": "", "filename": "", "index": 0},
    "file_path": {"file_id": "", "index": 0},
    "container_file_citation": {
        "container_id": "",
        "file_id": "",
        "filename": "",
        "start_index": 0,
        "end_index": 0,
    },
}
_token = {"token": str, "logprob": float}


def complete_parts(content: object) -> list[dict[str, Any]]:
    """The content of a message as a list of parts; parts of unknown types are kept, what is no part is left out."""
    parts = content if isinstance(content, list) else [content]
    return [whole for part in parts if (whole := _part(part)) is not None]


def complete_texts(texts: object, *, type: str) -> list[dict[str, Any]]:
    """Texts of one type, such as the summary of reasoning."""
    entries = texts if isinstance(texts, list) else [texts]
    return [{**_object(entry), "type": type, "text": text} for entry in entries if (text := _text(entry)) is not None]


def _part(part: object) -> dict[str, Any] | None:
    fields = _object(part)
    match fields.get("type", "output_text"):
        case "output_text" | "text":
            text = _text(part)
            return None if text is None and not fields else _output_text(fields, text or "")
        case "refusal":
            reason = fields.get("refusal")
            return {**fields, "refusal": reason if isinstance(reason, str) else ""}
        case str():
            return fields
        case _:
            return None


def _output_text(fields: Mapping[str, Any], text: str) -> dict[str, Any]:
    return {
        **fields,
        "type": "output_text",
        "text": text,
        "annotations": [_annotation(a) for a in _objects(fields.get("annotations")) if _is_named(a)],
        "logprobs": [_logprob(p) for p in _objects(fields.get("logprobs")) if fits(p, _token)],
    }


def _annotation(annotation: Mapping[str, Any]) -> dict[str, Any]:
    """An annotation whose known fields have the right type; of an unknown kind, as it came."""
    expected = _citations.get(annotation["type"], {})
    wrong = {name: default for name, default in expected.items() if not fits(annotation.get(name), type(default))}
    return {**annotation, **wrong}


def _logprob(entry: Mapping[str, Any]) -> dict[str, Any]:
    others = (_with_bytes(p) for p in _objects(entry.get("top_logprobs")) if fits(p, _token))
    return {**_with_bytes(entry), "top_logprobs": list(others)}


def _with_bytes(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"bytes": list(entry["token"].encode(errors="replace")), **trimmed(_present(entry), {"bytes": [int]})}


def _present(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: found for name, found in entry.items() if found is not None}


def _is_named(annotation: Mapping[str, Any]) -> bool:
    return isinstance(annotation.get("type"), str)


def _text(entry: object) -> str | None:
    found = entry.get("text") if isinstance(entry, Mapping) else entry
    return found if isinstance(found, str) else None


def _object(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []
