"""What can be known about a medium by looking into it, without understanding it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameFacts:
    """One frame: its time from the start of the clip in seconds, its mean colour as `#rrggbb`."""

    seconds: float
    mean_colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFacts:
    """A clip. `sampled_fps` is the asked rate, or the clip's own where that is lower.

    `frames_sampled` is how many frames that rate takes out of the clip; `frames` are those looked into:
    all of them, or some evenly spread where they are many. Unknown durations and rates are None.
    """

    container: str
    codec: str
    width: int
    height: int
    duration_seconds: float | None
    frame_rate: float | None
    frame_count: int
    sampled_fps: float
    frames_sampled: int
    frames: tuple[FrameFacts, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """A picture, in pixels."""

    format: str
    width: int
    height: int
    mean_colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFacts:
    """A recording."""

    container: str
    codec: str
    duration_seconds: float | None
    sample_rate_hz: int
    channels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFacts:
    """A file. `sha256_start` is the first 12 hex digits; characters, lines and words are None unless it is text."""

    filename: str | None
    media_type: str
    byte_count: int
    sha256_start: str
    characters: int | None
    lines: int | None
    words: int | None
    tokens: int


Facts = VideoFacts | ImageFacts | SoundFacts | DocumentFacts
