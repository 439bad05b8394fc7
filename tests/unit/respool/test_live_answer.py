from collections.abc import Sequence
from dataclasses import replace

import pytest

from respool.following import News, Piece, Restarted, Silent
from respool.job_view import JobView
from respool.live_answer import LiveAnswer

RUNNING = JobView(
    document={}, id="job_1", status="in_progress", model="m", created_at=0.0, attempts=1, waiting_reason=None, text="",
    why=None, usage={},
)  # fmt: skip
DONE = replace(RUNNING, status="completed", text="Hello you")


def told(capsys: pytest.CaptureFixture[str], *news: News) -> tuple[str, Sequence[str]]:
    LiveAnswer("job_1").show(news)
    shown = capsys.readouterr()
    return shown.out, shown.err.splitlines()


def test_the_text_goes_to_stdout_and_all_else_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = told(capsys, RUNNING, Piece(text="Hello "), Piece(text="you"), Silent(), DONE)
    assert out == "Hello you\n"
    assert err == ["job_1 in_progress attempt 1", "job_1 completed, 1 attempt"]


@pytest.mark.parametrize("pieces", [[], [Piece(text="Hel")]])
def test_what_did_not_come_as_it_was_written_is_there_in_the_end(
    capsys: pytest.CaptureFixture[str], pieces: list[Piece]
) -> None:
    assert told(capsys, RUNNING, *pieces, Silent(), DONE)[0] == "Hello you\n"


def test_an_answer_that_begins_anew_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = told(capsys, RUNNING, Piece(text="Bad"), Restarted(), Piece(text="Hello you"), DONE, Silent())
    assert out == "Bad\nHello you\n"
    assert "begins anew" in err[1]


def test_an_answer_that_is_another_in_the_end_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = told(capsys, RUNNING, Piece(text="Bad"), DONE, Silent())
    assert out == "Bad\nHello you\n"
    assert "the whole answer:" in err


def test_a_job_that_waits_again_in_the_middle_of_its_answer_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    waits = replace(RUNNING, status="queued", waiting_reason="retry_at")
    out, err = told(capsys, RUNNING, Piece(text="Hello "), waits, Piece(text="you"), DONE, Silent())
    assert out == "Hello \nyou\n"
    assert "job_1 queued attempt 1 (retry_at)" in err


def test_why_a_job_failed_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = told(capsys, replace(RUNNING, status="failed", why="expired: too late"), Silent())
    assert (out, err[-1]) == ("", "job_1 failed, 1 attempt: expired: too late")


def test_a_piece_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    text = "a\ufffd[2J"
    assert told(capsys, Piece(text="a\x1b[2J"), Silent(), replace(DONE, text=text))[0] == text + "\n"
