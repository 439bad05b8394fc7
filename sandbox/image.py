"""Looking into a picture."""

from pathlib import Path

from sandbox.colour import mean_colour
from sandbox.container import opened
from sandbox.errors import Unseen
from sandbox.facts import ImageFacts

PIXELS_MAX = 100_000_000  # 400 MB once decoded

_FORMATS = {"mjpeg": "jpeg", "apng": "png"}


def look_into_image(path: Path) -> ImageFacts:
    """Format, size and mean colour of a picture; of its first frame where it moves. Raises Unseen."""
    with opened(path) as container:
        if not container.streams.video:
            raise Unseen("it is not a picture")
        stream = container.streams.video[0]
        if stream.width * stream.height > PIXELS_MAX:
            raise Unseen(f"it has more than {PIXELS_MAX} pixels")
        codec = stream.codec_context.name
        for frame in container.decode(stream):
            return ImageFacts(
                format=_FORMATS.get(codec, codec),
                width=frame.width,
                height=frame.height,
                mean_colour=mean_colour(frame),
            )
    raise Unseen("it holds no picture")
