from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.file_bytes import FileBytes
from jobs.media_seconds import medium_seconds
from tests.fakes.media_files import make_clip, make_tone


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.binary(max_size=40), at=st.integers(-5, 50), count=st.integers(-2, 50))
def test_any_part_is_what_the_file_has_there(data: bytes, at: int, count: int, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(data)
    with (tmp_path / "f").open("rb") as file:
        medium = FileBytes(file)
        assert medium.size == len(data)
        assert medium.read(at, count) == (data[at : at + count] if at >= 0 and count > 0 else b"")


@pytest.mark.parametrize(("name", "seconds"), [("a.mp4", 6), ("a.webm", 6), ("a.wav", 2)])
def test_the_length_of_a_medium_is_read_from_its_file(name: str, seconds: float, tmp_path: Path) -> None:
    path = tmp_path / name
    made = make_tone(path) if name.endswith("wav") else make_clip(path, codec="libvpx" if "webm" in name else "libx264")
    with made.open("rb") as file:
        assert medium_seconds(FileBytes(file)) == pytest.approx(seconds, abs=0.2)


def test_a_file_that_cannot_be_read_any_more_counts_as_nothing(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    with (tmp_path / "f").open("rb") as file:
        medium = FileBytes(file)
        (tmp_path / "f").write_bytes(b"")
        assert medium.read(0, 3) == b""
