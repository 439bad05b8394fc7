"""What was found in a request, in sentences and as an object."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from sandbox.facts import DocumentFacts, Facts, ImageFacts, SoundFacts, VideoFacts
from sandbox.media import Medium
from sandbox.prompt import Prompt

NOTE = "Sandbox: no language model. What follows was found in the request by looking, not by understanding."
ECHO_WORDS_MAX = 12
ECHO_CHARACTERS_MAX = 120
RESULT_CHARACTERS_MAX = 200


def sentences(prompt: Prompt, media: Sequence[Medium]) -> Iterator[str]:
    """The findings as sentences, the honest one first."""
    yield NOTE
    if prompt.turns > 1:
        yield f"The conversation has {prompt.turns} turns."
    if prompt.previous_response_id:
        yield f"Answers are not kept here, so {prompt.previous_response_id} was not looked at."
    text = prompt.last_user_text
    if text.strip():
        count, words = len(text), len(text.split())
        yield f"Text: {_many(count, 'character')}, {_many(words, 'word')}, beginning “{_echo(text)}”."
    for call_id, output in prompt.tool_results:
        yield f"The tool call {call_id} returned: {output[:RESULT_CHARACTERS_MAX]}"
    for medium in media:
        yield f"Medium {medium.number} ({medium.kind}, {medium.source}) {_fate(medium)}"
    if prompt.passed_over:
        yield f"Passed over, since it cannot be read here: {', '.join(map(_echo, prompt.passed_over))}."


def as_object(prompt: Prompt, media: Sequence[Medium]) -> dict[str, Any]:
    """The findings as a JSON object."""
    return {
        "note": NOTE,
        "turns": prompt.turns,
        "text": {
            "characters": len(prompt.last_user_text),
            "words": len(prompt.last_user_text.split()),
            "beginning": _echo(prompt.last_user_text),
        },
        "tool_results": [
            {"call_id": call_id, "output": output[:RESULT_CHARACTERS_MAX]} for call_id, output in prompt.tool_results
        ],
        "media": [_medium_object(medium) for medium in media],
        "passed_over": list(prompt.passed_over),
    }


def _medium_object(medium: Medium) -> dict[str, Any]:
    return {
        "number": medium.number,
        "kind": medium.kind,
        "source": medium.source,
        "tokens": medium.tokens,
        "problem": medium.problem,
        "facts": None if medium.facts is None else asdict(medium.facts),
    }


def _fate(medium: Medium) -> str:
    if medium.facts is None:
        return f"could not be seen: {medium.problem}."
    return f"is {_words(medium.facts)}"


def _words(facts: Facts) -> str:
    match facts:
        case VideoFacts():
            return f"{_clip_words(facts)} {_frames_words(facts)}"
        case ImageFacts():
            return (
                f"a picture in {facts.format} of {facts.width}x{facts.height} pixels, mean colour {facts.mean_colour}."
            )
        case SoundFacts():
            return (
                f"a recording in {facts.container} ({facts.codec}) of {_seconds(facts.duration_seconds)}, "
                f"{facts.sample_rate_hz} Hz, {_many(facts.channels, 'channel')}."
            )
        case DocumentFacts():
            return _document_words(facts)


def _clip_words(facts: VideoFacts) -> str:
    rate = "an unknown frame rate" if facts.frame_rate is None else f"{_plain(facts.frame_rate)} frames a second"
    return (
        f"a clip in {facts.container} ({facts.codec}) of {_seconds(facts.duration_seconds)}, "
        f"{facts.width}x{facts.height} pixels, {rate}, {_many(facts.frame_count, 'frame')}."
    )


def _frames_words(facts: VideoFacts) -> str:
    shown = len(facts.frames)
    part = "" if shown == facts.frames_sampled else f", {shown} of them looked into"
    colours = ", ".join(f"{_plain(frame.seconds)} s {frame.mean_colour}" for frame in facts.frames)
    count = _many(facts.frames_sampled, "frame")
    return f"Sampled at {_plain(facts.sampled_fps)} fps: {count}{part}: {colours}."


def _document_words(facts: DocumentFacts) -> str:
    name = f" named {facts.filename}" if facts.filename else ""
    text = ""
    if facts.lines is not None and facts.words is not None:
        text = f", {_many(facts.lines, 'line')}, {_many(facts.words, 'word')}"
    size = _many(facts.byte_count, "byte")
    return f"a file{name} of type {facts.media_type}, {size}{text}, sha256 {facts.sha256_start}…."


def _echo(text: str) -> str:
    words = text.split()
    start = " ".join(words[:ECHO_WORDS_MAX])[:ECHO_CHARACTERS_MAX]
    return start if len(start) == len(" ".join(words)) else f"{start}…"


def _seconds(seconds: float | None) -> str:
    return "unknown length" if seconds is None else f"{_plain(seconds)} s"


def _plain(number: float) -> str:
    return f"{number:.3f}".rstrip("0").rstrip(".") or "0"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
