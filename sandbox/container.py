"""Opening a media file with PyAV, which is imported only here and only when a medium is looked into."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import Unseen

if TYPE_CHECKING:
    from av.container import InputContainer

# Formats that hold their media themselves. A playlist would make the decoder open other files.
_DEMUXERS = (
    "mov,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf,mpegvideo,h264,hevc,m4v,ivf,mxf,rm,gif,apng,"
    "png_pipe,jpeg_pipe,webp_pipe,bmp_pipe,tiff_pipe,gif_pipe,image2,jpegxl_pipe,qoi_pipe,"
    "mp3,wav,flac,aac,aiff,amr,opus"
)
_NAMES = {"matroska": "matroska", "mov": "mp4"}


@contextmanager
def opened(path: Path) -> Iterator["InputContainer"]:
    """The file as a container. Raises Unseen for what is no medium, and where PyAV is missing."""
    try:
        import av
    except ImportError as error:
        raise Unseen("the package av, which looks into media, is not installed") from error
    try:
        with av.open(str(path), options={"format_whitelist": _DEMUXERS, "protocol_whitelist": "file"}) as container:
            yield container
    except av.FFmpegError as error:
        raise Unseen("it cannot be decoded as a medium") from error


def container_name(container: "InputContainer", path: Path) -> str:
    """The container's everyday name. One decoder reads mp4 and mov, one matroska and webm: the head tells which."""
    with path.open("rb") as file:
        head = file.read(64)
    if head[4:12] == b"ftypqt  ":
        return "mov"
    if head.startswith(b"\x1aE\xdf\xa3") and b"webm" in head:
        return "webm"
    first = container.format.name.partition(",")[0]
    return _NAMES.get(first, first)


def container_seconds(container: "InputContainer") -> float | None:
    """How long the container says it lasts."""
    return container.duration / 1_000_000 if container.duration and container.duration > 0 else None
