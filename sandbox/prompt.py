"""What a request asks, taken out of a checked body: its turns, texts, media and tool results."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["image", "video", "audio", "file"]

_KINDS: dict[str, Kind] = {
    "input_image": "image",
    "input_video": "video",
    "input_audio": "audio",
    "input_file": "file",
}
DEFAULT_FPS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaPart:
    """A medium as the request names it: `source` is an http(s) URL, a data URI, or `file_id:…`."""

    kind: Kind
    source: str
    fps: float = DEFAULT_FPS
    filename: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """`turns`: messages in the input; `texts`: every text, instructions included; `last_user_text`: "" if none;
    `tool_results`: (call id, output) of each function_call_output; `ends_with_tool_result`: nothing follows one.
    """

    turns: int
    texts: tuple[str, ...]
    last_user_text: str
    media: tuple[MediaPart, ...]
    tool_results: tuple[tuple[str, str], ...]
    ends_with_tool_result: bool
    previous_response_id: str | None


def read_prompt(body: Mapping[str, Any]) -> Prompt:
    """Read a body that `check_body` let through."""
    items = _items(body["input"])
    messages = [item for item in items if item.get("type", "message") == "message"]
    results = [item for item in items if item.get("type") == "function_call_output"]
    user_texts = [" ".join(_texts(message["content"])) for message in messages if message.get("role") == "user"]
    return Prompt(
        turns=len(messages),
        texts=tuple(_all_texts(body, items)),
        last_user_text=user_texts[-1] if user_texts else "",
        media=tuple(_media(items)),
        tool_results=tuple((item["call_id"], _joined(item["output"])) for item in results),
        ends_with_tool_result=items[-1].get("type") == "function_call_output",
        previous_response_id=body.get("previous_response_id"),
    )


def _items(given: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": given}] if isinstance(given, str) else given


def _all_texts(body: Mapping[str, Any], items: list[dict[str, Any]]) -> Iterator[str]:
    if isinstance(body.get("instructions"), str):
        yield body["instructions"]
    for item in items:
        yield from _texts(item.get("content") or [])
        if item.get("type") == "function_call_output":
            yield _joined(item["output"])
        if item.get("type") == "function_call":
            yield item["arguments"]


def _texts(content: str | list[dict[str, Any]]) -> Iterator[str]:
    if isinstance(content, str):
        yield content
        return
    for part in content:
        text = part.get("text")
        if isinstance(text, str):
            yield text


def _joined(output: str | list[dict[str, Any]]) -> str:
    return " ".join(_texts(output))


def _media(items: list[dict[str, Any]]) -> Iterator[MediaPart]:
    for item in items:
        for holder in (item.get("content"), item.get("output")):
            for part in holder if isinstance(holder, list) else []:
                if part.get("type") in _KINDS:
                    yield _media_part(part)


def _media_part(part: Mapping[str, Any]) -> MediaPart:
    kind = _KINDS[part["type"]]
    filename = part.get("filename")
    fps = float(part.get("fps") or DEFAULT_FPS)
    source = part.get(f"{kind}_url") or part.get("file_data") or f"file_id:{part.get('file_id')}"
    if part.get("file_data") == source and source[:5].lower() != "data:":
        source = f"data:;base64,{source}"
    return MediaPart(kind=kind, source=source, fps=fps, filename=filename)
