from pathlib import Path

import av
import pytest

from sandbox.colour import mean_colour
from sandbox.frames import FrameReader
from tests.fakes.media_files import make_clip

LEVELS = [(level, level, level) for level in (20, 60, 100, 140, 180, 220)]


@pytest.mark.parametrize("times", [[0, 1, 2, 3, 4, 5], [0.95, 1.0, 1.05], [5], [0, 5.9], [2.95, 3.0], [4.5, 4.6, 99]])
def test_the_frame_at_a_time_is_the_one_shown_then(tmp_path: Path, times: list[float]) -> None:
    path = make_clip(tmp_path / "clip.mp4", colours=LEVELS, seconds_each=1)
    with av.open(str(path)) as container:
        reader = FrameReader(container, container.streams.video[0])
        for seconds in times:
            frame = reader.at(seconds)
            assert frame is not None
            wanted = LEVELS[min(int(seconds), 5)][0]
            assert int(mean_colour(frame)[1:3], 16) == pytest.approx(wanted, abs=4)
