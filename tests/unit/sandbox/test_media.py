import base64
from pathlib import Path

import pytest

from sandbox.errors import Refused
from sandbox.facts import DocumentFacts, ImageFacts, SoundFacts, VideoFacts
from sandbox.findings import as_object, sentences
from sandbox.media import look_at_all, refuse_unseen
from sandbox.prompt import MediaPart, read_prompt
from sandbox.settings import SandboxSettings
from tests.fakes.media_files import make_clip, make_picture, make_tone, served

SETTINGS = SandboxSettings()


def test_each_kind_of_medium_is_looked_into_in_its_way(tmp_path: Path) -> None:
    make_clip(tmp_path / "clip.mp4")
    make_picture(tmp_path / "a.png", (0, 0, 255))
    make_tone(tmp_path / "a.wav", seconds=2)
    (tmp_path / "a.txt").write_text("one two")
    with served(tmp_path) as base:
        parts = [
            MediaPart(kind="video", source=f"{base}/clip.mp4", fps=0.5),
            MediaPart(kind="image", source=f"{base}/a.png"),
            MediaPart(kind="audio", source=f"{base}/a.wav"),
            MediaPart(kind="file", source=f"{base}/a.txt", filename="a.txt"),
        ]
        media = look_at_all(parts, settings=SETTINGS)
    assert [type(medium.facts) for medium in media] == [VideoFacts, ImageFacts, SoundFacts, DocumentFacts]
    assert [medium.tokens for medium in media] == [3 * 64, 2, 20, 2]
    said = "\n".join(sentences(read_prompt({"input": "x"}), media))
    assert (
        "a clip in mp4 (h264) of 6 s, 64x48 pixels, 10 frames a second, 60 frames. Sampled at 0.5 fps: 3 frames" in said
    )
    assert "a picture in png of 40x30 pixels, mean colour #0000ff." in said
    assert "a recording in wav (pcm_s16le) of 2 s, 8000 Hz, 1 channel." in said
    assert "a file named a.txt of type text/plain, 7 bytes, 1 line, 2 words" in said
    refuse_unseen(media)


def test_a_medium_out_of_reach_is_kept_with_the_reason_and_costs_nothing(tmp_path: Path) -> None:
    with served(tmp_path) as base:
        media = look_at_all([MediaPart(kind="image", source=f"{base}/gone.png?token=secret")], settings=SETTINGS)
    assert (media[0].tokens, media[0].problem) == (0, "its server answered HTTP 404")
    found = as_object(read_prompt({"input": "x"}), media)["media"][0]
    assert (found["facts"], found["source"]) == (None, f"{base}/gone.png")
    with pytest.raises(Refused, match=r"Error while downloading medium 1 .*HTTP 404"):
        refuse_unseen(media)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("http://user:word@127.0.0.1:1/a.png?key=1#x", "http://127.0.0.1:1/a.png"),
        (f"data:image/png;base64,{base64.b64encode(b'x').decode()}", "a data URI"),
        ("http://[::1", "a malformed URL"),
        (f"http://127.0.0.1:1/{'a' * 500}", f"http://127.0.0.1:1/{'a' * 100}…"),
    ],
)
def test_a_source_is_shown_without_what_is_secret_or_long(source: str, shown: str) -> None:
    (medium,) = look_at_all([MediaPart(kind="image", source=source)], settings=SETTINGS)
    assert medium.source == shown
