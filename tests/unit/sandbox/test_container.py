from pathlib import Path

import pytest

from sandbox.container import container_name, container_seconds, opened
from tests.fakes.media_files import make_clip


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("a.mp4", "mp4"), ("a.mov", "mov"), ("a.mkv", "matroska"), ("a.avi", "avi"), ("a.ts", "mpegts")],
)
def test_a_container_has_its_everyday_name_and_its_length(tmp_path: Path, name: str, wanted: str) -> None:
    path = make_clip(tmp_path / name, seconds_each=1)
    with opened(path) as container:
        assert container_name(container, path) == wanted
        assert container_seconds(container) == pytest.approx(2.0, abs=0.11)
