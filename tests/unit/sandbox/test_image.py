from pathlib import Path

import pytest

from sandbox.errors import Unseen
from sandbox.image import look_into_image
from tests.fakes.media_files import make_clip, make_picture, make_tone


def test_a_png_is_seen_to_the_very_colour(tmp_path: Path) -> None:
    facts = look_into_image(make_picture(tmp_path / "a.png", (10, 200, 30)))
    assert (facts.format, facts.width, facts.height, facts.mean_colour) == ("png", 40, 30, "#0ac81e")


def test_a_jpeg_is_seen_in_nearly_its_colour(tmp_path: Path) -> None:
    facts = look_into_image(make_picture(tmp_path / "a.jpg", (200, 100, 50), width=160, height=90))
    assert (facts.format, facts.width, facts.height) == ("jpeg", 160, 90)
    seen = [int(facts.mean_colour[start : start + 2], 16) for start in (1, 3, 5)]
    assert seen == [pytest.approx(200, abs=6), pytest.approx(100, abs=6), pytest.approx(50, abs=6)]


def test_what_is_no_picture_is_refused_with_its_reason(tmp_path: Path) -> None:
    page = tmp_path / "page.png"
    page.write_text("<html>not found</html>")
    with pytest.raises(Unseen, match="cannot be decoded"):
        look_into_image(page)
    with pytest.raises(Unseen, match="not a picture"):
        look_into_image(make_tone(tmp_path / "a.wav"))


def test_a_playlist_is_not_followed_to_the_files_it_names(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.ts", codec="libx264")
    playlist = tmp_path / "list.m3u8"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n{clip}\n#EXT-X-ENDLIST\n")
    joined = tmp_path / "list.txt"
    joined.write_text(f"ffconcat version 1.0\nfile {clip.name}\n")
    assert look_into_image(clip).width == 64
    for path in (playlist, joined):
        with pytest.raises(Unseen, match="cannot be decoded"):
            look_into_image(path)


def test_a_picture_of_which_only_the_first_bytes_came_is_refused(tmp_path: Path) -> None:
    part = tmp_path / "part.png"
    part.write_bytes(make_picture(tmp_path / "a.png", (1, 2, 3)).read_bytes()[:20])
    with pytest.raises(Unseen):
        look_into_image(part)
