import base64
import time
from pathlib import Path
from typing import Any

import pytest

from jobs.estimate import FIELDS, MOST_TOKENS, Estimate, EstimateRule, estimate, read_rule
from jobs.file_record import File
from tests.fakes.media_files import make_clip, make_tone

RULE = EstimateRule()


def data_uri(path: Path, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def saying(*parts: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": list(parts)}], **others}


def read_tokens(request: dict[str, Any], **options: Any) -> int:
    return estimate(request, RULE, **options).input_tokens


@pytest.mark.parametrize(
    ("request_body", "tokens"),
    [
        ({}, 0),
        ({"input": "abc"}, 1),
        ({"input": "abcd"}, 2),
        ({"input": "", "instructions": "abc"}, 1),
        ({"input": "", "instructions": [{"role": "system", "content": "abcd"}]}, 2),
        ({"input": [{"role": "user", "content": "abcdef"}]}, 2),
        ({"input": [{"role": "user", "content": [{"type": "input_text", "text": "abc"}]}] * 3}, 3),
        ({"input": [{"type": "function_call", "arguments": "abcdef"}]}, 2),
        ({"input": [{"type": "function_call_output", "output": "abcdef"}]}, 2),
        ({"input": [{"type": "function_call_output", "output": [{"type": "input_image"}]}]}, 1300),
        ({"input": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "abcdef"}]}]}, 2),
        ({"input": [{"role": "assistant", "content": [{"type": "refusal", "refusal": "abc"}]}]}, 1),
        ({"input": [{"type": "custom_tool_call", "input": "abcdef"}]}, 2),
        ({"input": [{"type": "item_reference", "id": "abc"}, None, 5]}, 0),
        ({"input": [[["abc"]]]}, 1),
        ({"input": "", "tools": [{"type": "function", "name": "f"}]}, 12),
        ({"input": "", "tools": [], "text": None}, 0),
        ({"input": "", "text": {"format": {"type": "json_object"}}}, 12),
    ],
)
def test_input_counts_by_the_length_of_texts_and_the_kind_of_media(request_body: dict, tokens: int) -> None:
    assert estimate(request_body, RULE) == Estimate(input_tokens=tokens, output_tokens=1000)


def test_output_counts_as_the_most_that_is_asked_for() -> None:
    assert estimate({"input": "abc", "max_output_tokens": 2}, RULE) == Estimate(input_tokens=1, output_tokens=2)
    assert estimate({"input": "abc", "max_output_tokens": None}, RULE).output_tokens == RULE.output_tokens


def test_the_total_is_both_and_bounded() -> None:
    assert estimate({"input": "abc"}, RULE).total_tokens == 1001
    assert estimate({"input": "abc", "max_output_tokens": 10**15}, RULE).total_tokens == MOST_TOKENS
    many = saying(*[{"type": "input_video"}] * 1000, max_output_tokens=5)
    assert estimate(many, RULE) == Estimate(input_tokens=MOST_TOKENS, output_tokens=0)


@pytest.mark.parametrize(
    ("stated", "most_output", "found"),
    [
        (500, 100, Estimate(input_tokens=400, output_tokens=100)),
        (500, None, Estimate(input_tokens=0, output_tokens=500)),
        (5000, None, Estimate(input_tokens=4000, output_tokens=1000)),
        (1, 7, Estimate(input_tokens=0, output_tokens=1)),
        (10**9, 7, Estimate(input_tokens=MOST_TOKENS - 7, output_tokens=7)),
    ],
)
def test_what_the_caller_states_wins(stated: int, most_output: int | None, found: Estimate) -> None:
    request = saying({"type": "input_video"}, max_output_tokens=most_output)
    assert estimate(request, RULE, video_seconds=9, stated_tokens=stated) == found


@pytest.mark.parametrize(
    ("part", "seconds", "tokens"),
    [
        ({"video_url": "https://h/v.mp4"}, None, 60 * 250),
        ({"file_id": "f"}, None, 60 * 250),
        ({"video_url": "https://h/v.mp4", "fps": 0.2}, None, 12 * 250),
        ({"video_url": "https://h/v.mp4", "fps": None}, None, 60 * 250),
        ({"video_url": "https://h/v.mp4", "fps": 5}, 10, 50 * 250),
        ({"video_url": "https://h/v.mp4"}, 7.5, 1875),
        ({"video_url": "https://h/v.mp4", "fps": 0.2}, 0.1, 250),
        ({"video_url": "https://h/v.mp4", "fps": 1e308}, 86400, MOST_TOKENS),
    ],
)
def test_a_video_counts_by_its_frames(part: dict[str, Any], seconds: float | None, tokens: int) -> None:
    assert read_tokens(saying({"type": "input_video", **part}), video_seconds=seconds) == tokens


def test_lengths_of_videos_are_stated_for_all_or_one_by_one() -> None:
    videos = saying(*[{"type": "input_video", "video_url": "https://h/v"}] * 3)
    assert read_tokens(videos, video_seconds=10) == 3 * 10 * 250
    assert read_tokens(videos, video_seconds=[1, 2.0, 3]) == 6 * 250
    assert read_tokens(videos, video_seconds=[1]) == (1 + 60 + 60) * 250
    assert read_tokens(videos, video_seconds=[1] * 9) == 3 * 250


def test_videos_of_the_input_come_before_those_of_the_instructions() -> None:
    def video(fps: int) -> list[dict[str, Any]]:
        return [{"role": "user", "content": [{"type": "input_video", "fps": fps}]}]

    request = {"instructions": video(5), "input": video(1)}
    assert read_tokens(request, video_seconds=[10, 1]) == (10 * 1 + 1 * 5) * 250


def test_a_video_in_the_request_shows_its_length_unless_the_caller_states_it(tmp_path: Path) -> None:
    clip = {"type": "input_video", "video_url": data_uri(make_clip(tmp_path / "c.mp4"), "video/mp4"), "fps": 2}
    assert read_tokens(saying(clip)) == 6 * 2 * 250
    assert read_tokens(saying(clip), video_seconds=3) == 3 * 2 * 250
    assert read_tokens(saying({**clip, "video_url": "data:video/mp4;base64,AAAA"})) == 60 * 2 * 250


def test_sound_counts_by_its_length(tmp_path: Path) -> None:
    tone = data_uri(make_tone(tmp_path / "t.wav", seconds=4), "audio/wav")
    assert read_tokens(saying({"type": "input_audio", "audio_url": tone})) == 4 * 25
    assert read_tokens(saying({"type": "input_audio", "audio_url": "https://h/a.wav"})) == 120 * 25
    assert read_tokens(saying({"type": "input_audio", "file_id": "f"})) == 120 * 25


@pytest.mark.parametrize("kind", ["text/plain", "text/csv;charset=utf-8", "application/json", "application/ld+json"])
def test_a_file_of_text_counts_by_its_length(kind: str) -> None:
    data = f"data:{kind};base64,{base64.b64encode(b'abc' * 40).decode()}"
    assert read_tokens(saying({"type": "input_file", "file_data": data, "filename": "f"})) == 40
    assert read_tokens(saying({"type": "input_file", "file_url": data})) == 40


@pytest.mark.parametrize(
    "part",
    [
        {"file_data": "data:application/pdf;base64,JVBERi0x"},
        {"file_data": "data:application/jsonx;base64,JVBERi0x"},
        {"file_url": "https://h/f.txt"},
        {"file_id": "f"},
    ],
)
def test_another_file_counts_as_the_rule_says(part: dict[str, Any]) -> None:
    assert read_tokens(saying({"type": "input_file", **part})) == 3000


def test_every_number_of_the_rule_counts() -> None:
    request = saying(
        {"type": "input_text", "text": "abcdefgh"},
        *({"type": f"input_{kind}"} for kind in ("image", "video", "audio", "file")),
    )
    rule = read_rule(
        {
            "characters_per_token": 1.6,
            "image_tokens": 10,
            "video_tokens_per_frame": 100,
            "video_fps": 2,
            "video_seconds": 5,
            "audio_tokens_per_second": 10_000,
            "audio_seconds": 1,
            "file_tokens": 100_000,
            "output_tokens": 7,
        }
    )
    assert estimate(request, rule) == Estimate(input_tokens=5 + 10 + 1000 + 10_000 + 100_000, output_tokens=7)


def test_a_rule_takes_what_it_does_not_say_from_the_defaults() -> None:
    assert read_rule({}) == RULE
    assert list(FIELDS) == list(EstimateRule.__slots__)
    with pytest.raises(ValueError, match=r"^image_tokens must be a whole number from 0"):
        read_rule({"image_tokens": -1})


def test_the_defaults_of_a_rule_are_within_its_bounds() -> None:
    assert read_rule({name: getattr(RULE, name) for name in FIELDS}) == RULE


def test_a_large_medium_is_counted_without_being_decoded() -> None:
    large = "data:video/mp4;base64," + "A" * (32 * 1024 * 1024)
    request = saying({"type": "input_video", "video_url": large}, {"type": "input_file", "file_data": large})
    began = time.process_time()
    assert read_tokens(request) == 60 * 250 + 3000
    assert time.process_time() - began < 0.1


def kept(media_type: str, *, seconds: float | None = None, size: int = 300) -> dict[str, File]:
    """One file, under the id that the requests here name."""
    file = File(
        number="0" * 32,
        project="p",
        purpose="user_data",
        filename="f",
        bytes=size,
        media_type=media_type,
        seconds=seconds,
        created=0,
        expires_at=None,
    )
    return {file.id: file}


FILE_ID = next(iter(kept("")))


@pytest.mark.parametrize(
    ("part", "files", "tokens"),
    [
        ({"type": "input_image", "file_id": FILE_ID}, kept("image/png"), 1300),
        ({"type": "input_video", "file_id": FILE_ID}, kept("video/mp4", seconds=6), 1500),
        ({"type": "input_video", "file_id": FILE_ID, "fps": 2}, kept("video/mp4", seconds=6), 3000),
        ({"type": "input_video", "file_id": FILE_ID}, kept("video/mp4"), 15000),
        ({"type": "input_audio", "file_id": FILE_ID}, kept("audio/mpeg", seconds=8), 200),
        ({"type": "input_file", "file_id": FILE_ID}, kept("text/plain"), 100),
        ({"type": "input_file", "file_id": FILE_ID}, kept("application/json", size=3), 1),
        ({"type": "input_file", "file_id": FILE_ID}, kept("application/pdf"), 3000),
        ({"type": "input_file", "file_id": "file-elsewhere"}, kept("text/plain"), 3000),
    ],
)
def test_a_file_counts_as_what_it_is(part: dict[str, Any], files: dict[str, File], tokens: int) -> None:
    assert read_tokens(saying(part), files=files) == tokens


def test_a_stated_estimate_never_says_less_than_a_files_text_takes() -> None:
    request = saying({"type": "input_file", "file_id": FILE_ID})
    found = estimate(request, RULE, stated_tokens=5, files=kept("text/plain"))
    assert found.total_tokens == 100
