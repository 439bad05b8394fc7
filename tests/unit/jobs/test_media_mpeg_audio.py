import base64
from pathlib import Path

import av
import pytest

from jobs.media_bytes import MediaBytes
from jobs.media_mpeg_audio import mpeg_audio_seconds


def seconds(data: bytes) -> float | None:
    return mpeg_audio_seconds(MediaBytes("data:audio/mpeg;base64," + base64.b64encode(data).decode()))


def recording(path: Path, *, rate_hz: int, layout: str = "mono", **options: str) -> bytes:
    """About five seconds of silence."""
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libmp3lame", rate=rate_hz, layout=layout)
        for place in range(5 * rate_hz // 1152):
            frame = av.AudioFrame("s16p", layout, 1152)
            frame.sample_rate, frame.pts = rate_hz, place * 1152
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path.read_bytes()


@pytest.mark.parametrize("layout", ["mono", "stereo"])
@pytest.mark.parametrize("rate_hz", [44100, 22050, 8000])
@pytest.mark.parametrize("tag", ["0", "1"])
def test_a_recording_tells_its_length_with_and_without_a_count_of_frames(
    rate_hz: int, layout: str, tag: str, tmp_path: Path
) -> None:
    data = recording(tmp_path / "r.mp3", rate_hz=rate_hz, layout=layout, write_xing=tag)
    assert (b"Info" in data[:200]) is (tag == "1")
    assert seconds(data) == pytest.approx(5, abs=0.3)


def test_a_picture_before_the_sound_is_passed_over(tmp_path: Path) -> None:
    data = recording(tmp_path / "r.mp3", rate_hz=44100, id3v2_version="0")
    assert data[:1] == b"\xff"
    tag = b"ID3\x04\x00\x00\x00\x00\x02\x01"  # 2 * 128 + 1 bytes follow
    assert seconds(tag + bytes(257) + data) == seconds(data)


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff", b"ID3", b"\xff\xfb\x00\x00", b"\xff\xfb\xf0\x00", b"\xff\xfb\x9c\x00", b"\xff\xeb\x90\x00",
     b"\xff\xf9\x90\x00", b"text"],
)  # fmt: skip
def test_what_begins_with_no_frame_tells_none(data: bytes) -> None:
    assert seconds(data) is None
