"""Looking into a clip: what it says about itself, and frames sampled out of it."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.colour import mean_colour
from sandbox.container import container_name, container_seconds, opened
from sandbox.errors import Unseen
from sandbox.facts import FrameFacts, VideoFacts
from sandbox.frames import FrameReader
from sandbox.image import PIXELS_MAX

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

FRAMES_SHOWN_MAX = 32
UNKNOWN_RATE = 1_000.0
"""Frames a second that no clip exceeds, for one that does not tell its own rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Length:
    frame_count: int
    seconds: float | None


def look_into_video(path: Path, *, fps: float) -> VideoFacts:
    """Facts of a clip, with frames sampled at `fps`. Raises Unseen for what is no clip.

    However long the clip is, at most FRAMES_SHOWN_MAX frames are decoded for their colour.
    """
    with opened(path) as container:
        if not container.streams.video:
            raise Unseen("it holds no pictures")
        stream = container.streams.video[0]
        if stream.width * stream.height > PIXELS_MAX:
            raise Unseen(f"a frame of it has more than {PIXELS_MAX} pixels")
        length = _length(container, stream)
        rate = float(stream.average_rate or stream.guessed_rate or 0) or None
        sampled_fps = min(fps, rate or UNKNOWN_RATE)
        sampled = _sample_count(length, fps=sampled_fps)
        reader = FrameReader(container, stream)
        frames = _look_at(reader, sampled=sampled, fps=sampled_fps)
        return VideoFacts(
            container=container_name(container, path),
            codec=stream.codec_context.name,
            width=stream.width,
            height=stream.height,
            duration_seconds=container_seconds(container) or length.seconds,
            frame_rate=rate,
            frame_count=length.frame_count,
            sampled_fps=sampled_fps,
            frames_sampled=sampled,
            frames=frames,
        )


def _length(container: "InputContainer", stream: "VideoStream") -> _Length:
    """Frames and seconds of the pictures alone; a sound track may be longer."""
    time_base = stream.time_base
    if stream.frames and stream.duration and time_base:
        return _Length(frame_count=stream.frames, seconds=float(stream.duration * time_base))
    # The container does not say, as in webm or a recorded stream: its packets are walked, none is decoded.
    count, end = 0, 0
    for packet in container.demux(stream):
        if packet.size:
            count += 1
            end = max(end, (packet.pts or 0) + (packet.duration or 0) - (stream.start_time or 0))
    seconds = float(end * time_base) if end and time_base else container_seconds(container)
    container.seek(0)
    return _Length(frame_count=count, seconds=seconds)


def _sample_count(length: _Length, *, fps: float) -> int:
    if length.seconds is None:
        return 1
    # A clip of 6 s that says 6.0000001 s has no frame at second 6.
    wanted = math.ceil(length.seconds * fps - 0.001)
    return max(1, min(wanted, length.frame_count or wanted))


def _look_at(reader: FrameReader, *, sampled: int, fps: float) -> tuple[FrameFacts, ...]:
    shown = min(sampled, FRAMES_SHOWN_MAX)
    frames = []
    for place in range(shown):
        index = place if shown == sampled else round(place * (sampled - 1) / (shown - 1))
        frame = reader.at(index / fps)
        if frame is not None:
            frames.append(FrameFacts(seconds=round(index / fps, 3), mean_colour=mean_colour(frame)))
    return tuple(frames)
