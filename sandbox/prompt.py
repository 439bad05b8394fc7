"""What a request asks, taken out of a checked body: its turns, texts, media and tool results."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from schemas.items import type_of_item

Kind = Literal["image", "video", "audio", "file"]

_KINDS: dict[str, Kind] = {
    "input_image": "image",
    "input_video": "video",
    "input_audio": "audio",
    "input_file": "file",
}
# Content type → the field that holds its text.
_TEXTS = {
    "input_text": "text",
    "output_text": "text",
    "summary_text": "text",
    "reasoning_text": "text",
    "refusal": "refusal",
}
DEFAULT_FPS = 1.0

Content = str | list[dict[str, Any]]


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
    `tool_results`: (call id, output) of each function_call_output; `ends_with_tool_result`: nothing follows one;
    `passed_over`: types of items and content that were not read, each once.
    """

    turns: int
    texts: tuple[str, ...]
    last_user_text: str
    media: tuple[MediaPart, ...]
    tool_results: tuple[tuple[str, str], ...]
    ends_with_tool_result: bool
    passed_over: tuple[str, ...]
    previous_response_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """An item of the input; `content` is None for one that only another endpoint can read."""

    kind: str
    fields: Mapping[str, Any]
    content: Content | None

    @property
    def parts(self) -> list[dict[str, Any]]:
        return self.content if isinstance(self.content, list) else []

    @property
    def texts(self) -> list[str]:
        if isinstance(self.content, str):
            return [self.content]
        return [part[_TEXTS[part["type"]]] for part in self.parts if part["type"] in _TEXTS]


def read_prompt(body: Mapping[str, Any]) -> Prompt:
    """Read a body that `check_body` let through."""
    items = _items(body["input"])
    messages = [item for item in items if item.kind == "message"]
    results = [item for item in items if item.kind == "function_call_output"]
    user_texts = [" ".join(message.texts) for message in messages if message.fields["role"] == "user"]
    return Prompt(
        turns=len(messages),
        texts=tuple(_all_texts(body.get("instructions"), items)),
        last_user_text=user_texts[-1] if user_texts else "",
        media=tuple(_media_part(part) for item in items for part in item.parts if part["type"] in _KINDS),
        tool_results=tuple((result.fields["call_id"], " ".join(result.texts)) for result in results),
        ends_with_tool_result=items[-1].kind == "function_call_output",
        passed_over=tuple(dict.fromkeys(_passed_over(items))),
        previous_response_id=body.get("previous_response_id"),
    )


def _items(given: str | list[dict[str, Any]]) -> list[_Item]:
    if isinstance(given, str):
        return [_Item(kind="message", fields={"role": "user"}, content=given)]
    kinds = [item.get("type") or type_of_item(item) for item in given]
    return [
        _Item(kind=kind, fields=item, content=_content(kind, item)) for kind, item in zip(kinds, given, strict=True)
    ]


def _content(kind: str, item: Mapping[str, Any]) -> Content | None:
    content: Content | None = None
    match kind:
        case "message":
            content = item["content"]
        case "function_call":
            content = item["arguments"]
        case "function_call_output":
            content = item["output"]
        case "reasoning":
            content = [*item["summary"], *(item.get("content") or [])]
    return content


def _all_texts(instructions: object, items: list[_Item]) -> Iterator[str]:
    if isinstance(instructions, str):
        yield instructions
    for item in items:
        yield from item.texts


def _passed_over(items: list[_Item]) -> Iterator[str]:
    for item in items:
        if item.content is None:
            yield item.kind
        yield from (part["type"] for part in item.parts if part["type"] not in _KINDS and part["type"] not in _TEXTS)


def _media_part(part: Mapping[str, Any]) -> MediaPart:
    # A field that belongs to another kind of medium was let in unchecked, as every unknown one.
    kind = _KINDS[part["type"]]
    source = part.get(f"{kind}_url") or f"file_id:{part.get('file_id')}"
    match kind:
        case "video":
            return MediaPart(kind=kind, source=source, fps=float(part.get("fps") or DEFAULT_FPS))
        case "file":
            return MediaPart(kind=kind, source=part.get("file_data") or source, filename=part.get("filename"))
        case _:
            return MediaPart(kind=kind, source=source)
