import base64

import pytest

from jobs.media_bytes import MediaBytes
from jobs.media_riff import avi_seconds, wav_seconds


def medium(data: bytes) -> MediaBytes:
    return MediaBytes("data:audio/wav;base64," + base64.b64encode(data).decode())


def chunk(kind: bytes, data: bytes, *, size: int | None = None) -> bytes:
    stated = len(data) if size is None else size
    return kind + stated.to_bytes(4, "little") + data + bytes(len(data) % 2)


def wav(*chunks: bytes) -> MediaBytes:
    return medium(b"RIFF\x00\x00\x00\x00WAVE" + b"".join(chunks))


def rate(bytes_per_second: int) -> bytes:
    return chunk(b"fmt ", bytes(8) + bytes_per_second.to_bytes(4, "little") + bytes(4))


def avi(*, frame_microseconds: int, frames: int) -> MediaBytes:
    header = frame_microseconds.to_bytes(4, "little") + bytes(12) + frames.to_bytes(4, "little") + bytes(36)
    return medium(b"RIFF\x00\x00\x00\x00AVI " + chunk(b"LIST", b"hdrl" + chunk(b"avih", header)))


def test_sound_is_as_long_as_its_bytes_last() -> None:
    assert wav_seconds(wav(rate(100), chunk(b"data", bytes(250)))) == 2.5
    assert (
        wav_seconds(wav(chunk(b"LIST", b"odd"), rate(100), chunk(b"fact", b"1234"), chunk(b"data", bytes(50)))) == 0.5
    )


@pytest.mark.parametrize("size", [0, 2**32 - 1, 5000])
def test_a_size_that_was_never_written_is_what_is_there(size: int) -> None:
    assert wav_seconds(wav(rate(100), chunk(b"data", bytes(250), size=size))) == 2.5


@pytest.mark.parametrize(
    "chunks",
    [(), (rate(100),), (chunk(b"data", bytes(9)),), (rate(0), chunk(b"data", bytes(9))), (chunk(b"fmt ", b""),)],
)
def test_sound_without_a_rate_or_without_sound_tells_none(chunks: tuple[bytes, ...]) -> None:
    assert wav_seconds(wav(*chunks)) is None


def test_a_video_lasts_for_its_frames() -> None:
    assert avi_seconds(avi(frame_microseconds=40_000, frames=50)) == 2


def test_a_video_without_frames_or_without_a_rate_tells_none() -> None:
    assert avi_seconds(avi(frame_microseconds=0, frames=50)) is None
    assert avi_seconds(avi(frame_microseconds=40_000, frames=0)) is None
    assert avi_seconds(medium(b"RIFF\x00\x00\x00\x00AVI LIST\x00\x00\x00\x00hdrlavih")) is None
    assert avi_seconds(medium(b"RIFF\x00\x00\x00\x00AVI " + chunk(b"JUNK", bytes(80)))) is None
