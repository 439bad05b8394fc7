"""Finding the frame that a clip shows at a time."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

SEEK_AHEAD_SECONDS = 2.0  # nearer than that, decoding on is cheaper than starting again at a key frame
EARLY_SECONDS = 0.0005  # times in a container are rounded: a frame this much later is still the one asked for


class FrameReader:
    """Reads frames of one clip, at times that only grow."""

    def __init__(self, container: "InputContainer", stream: "VideoStream") -> None:
        self._container = container
        self._stream = stream
        self._start = float((stream.start_time or 0) * (stream.time_base or 0))
        self._frames = self._decode()
        self._shown: VideoFrame | None = None
        self._next: VideoFrame | None = next(self._frames, None)

    def at(self, seconds: float) -> "VideoFrame | None":
        """The frame shown `seconds` after the clip's start: the last that is not later. None for an empty clip."""
        if self._next is not None and seconds - self._seconds(self._next) > SEEK_AHEAD_SECONDS:
            self._jump(seconds)
        while self._next is not None and self._seconds(self._next) <= seconds + EARLY_SECONDS:
            self._shown, self._next = self._next, next(self._frames, None)
        return self._shown or self._next

    def _jump(self, seconds: float) -> None:
        time_base = self._stream.time_base
        if time_base is None:
            return
        offset = int((seconds + self._start) / time_base)
        self._container.seek(offset, stream=self._stream, backward=True)
        self._frames = self._decode()
        self._next = next(self._frames, None)

    def _decode(self) -> Iterator["VideoFrame"]:
        return self._container.decode(self._stream)

    def _seconds(self, frame: "VideoFrame") -> float:
        return (frame.time or 0.0) - self._start
