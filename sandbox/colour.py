"""The mean colour of a picture."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av import VideoFrame

SIDE = 32  # a picture is shrunk to this many pixels a side by averaging areas, which leaves its mean alone


def mean_colour(frame: "VideoFrame") -> str:
    """`#rrggbb`, the mean of all pixels of a frame; transparency is ignored."""
    small = frame.reformat(width=SIDE, height=SIDE, format="rgb24", interpolation="AREA")
    plane = small.planes[0]
    data = bytes(plane)
    rows = [data[start : start + SIDE * 3] for start in range(0, plane.line_size * SIDE, plane.line_size)]
    pixels = b"".join(rows)
    means = (round(sum(pixels[channel::3]) / (SIDE * SIDE)) for channel in range(3))
    return "#{:02x}{:02x}{:02x}".format(*means)
