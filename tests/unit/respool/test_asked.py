from typing import Any

import click
import pytest

from respool.asked import as_job, request
from schemas.strict_json import JSONValue

REQUEST: dict[str, JSONValue] = {"model": "m", "input": "x"}


def test_a_bare_request_is_wrapped() -> None:
    assert as_job(REQUEST) == {"request": REQUEST}


@pytest.mark.parametrize(
    "job", [{"request": REQUEST}, {"request": REQUEST, "max_attempts": 1}, {}, {"requests": REQUEST}]
)
def test_anything_else_goes_as_it_is_for_the_api_to_judge(job: dict[str, Any]) -> None:
    assert as_job(job) == job


@pytest.mark.parametrize("document", [[], "text", 1, None])
def test_what_is_no_object_is_refused(document: Any) -> None:
    with pytest.raises(click.BadParameter, match="one JSON object"):
        as_job(document)


def test_a_question_alone_is_the_input() -> None:
    assert request(model="m", prompt="Why?", media=[]) == {"model": "m", "input": "Why?", "stream": True}


def test_media_stand_before_the_question() -> None:
    video = {"type": "input_video", "video_url": "https://x", "fps": 1}
    (turn,) = request(model="m", prompt="Why?", media=[video])["input"]
    assert turn == {"role": "user", "content": [video, {"type": "input_text", "text": "Why?"}]}
    (mute,) = request(model="m", prompt="", media=[video])["input"]
    assert mute["content"] == [video]
