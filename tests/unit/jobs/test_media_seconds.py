import base64
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.media_seconds import MOST_SECONDS, seconds_of
from tests.fakes.media_files import big_buck_bunny, make_clip, make_picture, make_tone

MAGIC = (
    b"\x00\x00\x00\x18ftypmp42",
    b"\x00\x00\x00\x20moov\x00\x00\x00\x18mvhd",
    b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\xff\x15\x49\xa9\x66\xff",
    b"RIFF\x00\x00\x00\x00AVI LIST\x00\x00\x00\x00hdrlavih",
    b"RIFF\x00\x00\x00\x00WAVEfmt ",
    b"ID3\x04\x00\x00\x00\x00\x00\x00",
    b"\xff\xfb\x90\x00",
    b"",
)


def uri(data: bytes) -> str:
    return "data:video/mp4;base64," + base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("name", "codec"),
    [("c.mp4", "libx264"), ("c.mov", "libx264"), ("c.mkv", "libx264"), ("c.webm", "libvpx"), ("c.avi", "mpeg4")],
)
def test_a_clip_tells_its_length_in_every_container(name: str, codec: str, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / name, codec=codec, seconds_each=4)
    assert seconds_of(uri(clip.read_bytes())) == pytest.approx(8, abs=0.1)


def test_a_recording_tells_its_length(tmp_path: Path) -> None:
    assert seconds_of(uri(make_tone(tmp_path / "t.wav", seconds=3).read_bytes())) == pytest.approx(3, abs=0.01)


@pytest.mark.skipif(big_buck_bunny() is None, reason="the film clip is not installed")
def test_a_film_tells_its_length() -> None:
    film = big_buck_bunny()
    assert film is not None
    assert seconds_of(uri(film.read_bytes())) == pytest.approx(5.3, abs=0.1)


def test_the_content_counts_and_not_what_it_is_called(tmp_path: Path) -> None:
    tone = base64.b64encode(make_tone(tmp_path / "t.wav", seconds=3).read_bytes()).decode()
    assert seconds_of("DATA:video/webm;codecs=vp9;base64," + tone) == pytest.approx(3, abs=0.01)


def test_what_has_no_length_tells_none(tmp_path: Path) -> None:
    assert seconds_of(uri(make_picture(tmp_path / "p.png", (255, 0, 0)).read_bytes())) is None
    for text in ("", "data:", "data:video/mp4;base64,", "https://h/v.mp4", uri(b"RIFF\x00\x00\x00\x00WEBPVP8 ")):
        assert seconds_of(text) is None


@given(magic=st.sampled_from(MAGIC), data=st.binary(max_size=200))
def test_hostile_bytes_tell_a_length_within_a_day_or_none(magic: bytes, data: bytes) -> None:
    found = seconds_of(uri(magic + data))
    assert found is None or 0 < found <= MOST_SECONDS


@given(data=st.data())
def test_damaged_clips_tell_a_length_within_a_day_or_none(data: st.DataObject, clips: list[bytes]) -> None:
    clip = bytearray(data.draw(st.sampled_from(clips)))
    for _ in range(data.draw(st.integers(1, 8))):
        clip[data.draw(st.integers(0, len(clip) - 1))] = data.draw(st.integers(0, 255))
    found = seconds_of(uri(bytes(clip[: data.draw(st.integers(0, len(clip)))])))
    assert found is None or 0 < found <= MOST_SECONDS


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("clips")
    made = [make_clip(folder / f"c.{end}", codec="mpeg4", rate=2) for end in ("mp4", "mkv", "avi")]
    return [path.read_bytes() for path in [*made, make_tone(folder / "t.wav", seconds=1)]]


@given(text=st.text())
def test_no_text_is_too_odd(text: str) -> None:
    assert seconds_of(text) is None
    found = seconds_of("data:video/mp4;base64," + text)
    assert found is None or 0 < found <= MOST_SECONDS


@pytest.mark.parametrize(
    "part", [b"\x00\x00\x00\x08free", b"\x1a\x45\xdf\xa3\x80" + b"\xec\x80" * 8, b"JUNK\x00\x00\x00\x00"]
)
def test_a_medium_of_nothing_but_headers_is_soon_given_up(part: bytes) -> None:
    large = uri((b"RIFF\x00\x00\x00\x00WAVE" if part.startswith(b"JUNK") else b"") + part * 1_000_000)
    began = time.process_time()
    assert seconds_of(large) is None
    assert time.process_time() - began < 0.1
