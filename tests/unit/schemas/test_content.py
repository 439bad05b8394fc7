from collections.abc import Callable
from typing import Any

import pytest

InPart = Callable[[Any], dict[str, str]]
url = "https://example.com/x"
data = "data:application/pdf;base64,AAAA"


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_text", "text": ""},
        {"type": "input_image", "image_url": url},
        {"type": "input_image", "image_url": data, "detail": "original"},
        {"type": "input_image", "image_url": None, "file_id": "file-1", "detail": None},
        {"type": "input_image", "file_id": "f", "image_pixel_limit": {"min_pixels": 4, "max_pixels": 4}},
        {"type": "input_video", "video_url": url, "fps": 1},
        {"type": "input_video", "video_url": data, "fps": 0.2},
        {"type": "input_video", "file_id": "f"},
        {"type": "input_audio", "audio_url": url, "chunking": "auto"},
        {"type": "input_audio", "file_id": "f", "chunking": {"type": "server_vad"}},
        {"type": "input_file", "file_url": url},
        {"type": "input_file", "file_url": data},
        {"type": "input_file", "file_id": "f"},
        {"type": "input_file", "file_data": data, "filename": "a.pdf"},
        {"type": "output_text", "text": "hi", "annotations": [], "logprobs": []},
        {"type": "refusal", "refusal": "no"},
    ],
)
def test_documented_parts_are_taken(mistakes_in_part: InPart, part: Any) -> None:
    assert mistakes_in_part(part) == {}


@pytest.mark.parametrize(
    ("part", "mistakes"),
    [
        ({"type": "input_text"}, {"text": "is required"}),
        ({"type": "input_text", "text": 1}, {"text": "must be a string, got 1"}),
        ({"type": "input_text", "text": None}, {"text": "must be a string, got null"}),
        ({"type": "input_text", "txt": "a"}, {"txt": "unknown field; did you mean 'text'?", "text": "is required"}),
        ({"type": "input_image"}, {"": "must have exactly one of image_url, file_id, got none"}),
        (
            {"type": "input_image", "image_url": url, "file_id": "f"},
            {"": "must have exactly one of image_url, file_id, got image_url and file_id"},
        ),
        (
            {"type": "input_image", "image_url": {"url": url}},
            {"image_url": "must be an http(s) URL or a base64 data: URI as a string, got an object"},
        ),
        (
            {"type": "input_image", "file_id": "f", "image_pixel_limit": {"min_pixels": 5, "max_pixels": 4}},
            {"image_pixel_limit.max_pixels": "must be at least min_pixels, got 4 below 5"},
        ),
        (
            {"type": "input_image", "file_id": "f", "image_pixel_limit": {"min_pixels": 0}},
            {"image_pixel_limit.min_pixels": "must be at least 1, got 0"},
        ),
        ({"type": "input_video", "video_url": url, "fps": 0}, {"fps": "must be greater than 0, got 0"}),
        ({"type": "input_video", "video_url": url, "fps": -1.5}, {"fps": "must be greater than 0, got -1.5"}),
        ({"type": "input_video", "video_url": url, "fps": "1"}, {"fps": "must be a number, got a string"}),
        (
            {"type": "input_video", "image_url": url},
            {
                "image_url": "unknown field; did you mean 'video_url'?",
                "": "must have exactly one of video_url, file_id, got none",
            },
        ),
        ({"type": "input_audio"}, {"": "must have exactly one of audio_url, file_id, got none"}),
        (
            {"type": "input_audio", "file_id": "f", "chunking": 1},
            {"chunking": "must be a string or an object, got 1"},
        ),
        (
            {"type": "input_file", "filename": "a"},
            {"": "must have exactly one of file_url, file_id, file_data, got none"},
        ),
        ({"type": "input_file", "file_data": data}, {"filename": "is required with file_data"}),
        (
            {"type": "input_file", "file_url": url, "file_id": "f", "file_data": data, "filename": "a"},
            {"": "must have exactly one of file_url, file_id, file_data, got file_url and file_id and file_data"},
        ),
        ({"type": "refusal"}, {"refusal": "is required"}),
        ({"text": "a"}, {"type": "is required"}),
        (None, {"": "must be an object, got null"}),
        ([], {"": "must be an object, got a list"}),
        ("hi", {"": "must be an object, got a string"}),
    ],
)
def test_a_wrong_part_is_told_at_its_place(mistakes_in_part: InPart, part: Any, mistakes: dict[str, str]) -> None:
    assert mistakes_in_part(part) == mistakes


def test_an_unknown_part_is_refused_by_name_with_the_nearest_known_one(mistakes_in_part: InPart) -> None:
    message = mistakes_in_part({"type": "input_movie", "url": url})["type"]
    assert message.startswith("unknown content type \"input_movie\"; did you mean 'input_video'?")
