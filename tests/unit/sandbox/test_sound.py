from pathlib import Path

import pytest

from sandbox.errors import Unseen
from sandbox.sound import look_into_sound
from tests.fakes.media_files import make_clip, make_tone


def test_a_recording_has_its_known_length_rate_and_channels(tmp_path: Path) -> None:
    facts = look_into_sound(make_tone(tmp_path / "a.wav", seconds=2, rate_hz=8_000))
    assert (facts.container, facts.codec) == ("wav", "pcm_s16le")
    assert (facts.duration_seconds, facts.sample_rate_hz, facts.channels) == (2.0, 8_000, 1)


def test_a_silent_film_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(Unseen, match="no sound"):
        look_into_sound(make_clip(tmp_path / "clip.mp4"))
