import json
import threading
from typing import Any

import pytest

from jobs.claims import Claim
from jobs.scripts import Call
from tests.fakes.small_answer import DONE_ITEM, STREAMED
from worker import log_writer
from worker.log_writer import LogWriter

CLAIM = Claim(
    number="a" * 32,
    attempt=2,
    attempts_spent=0,
    max_attempts=3,
    on_unknown="retry",
    run_timeout_seconds=60,
    lane="default:m",
    echo=b"{}",
    created_at=1.0,
    body=b"{}",
)
RESPONSE = {"output": [DONE_ITEM]}


class Hurries:
    """What a writer asked for; `called` is set once it asked for anything at once."""

    def __init__(self) -> None:
        self.asked: list[bool] = []
        self.called = threading.Event()

    def __call__(self, writer: LogWriter, at_once: bool) -> None:
        self.asked.append(at_once)
        if at_once:
            self.called.set()


@pytest.fixture
def hurries() -> Hurries:
    return Hurries()


@pytest.fixture
def writer(hurries: Hurries) -> LogWriter:
    return LogWriter(CLAIM, worker="w1", hurry=hurries)


def batch(writer: LogWriter) -> tuple[int, bool, list[Any]]:
    """Before how many events the next batch begins, whether it makes the answer whole, and its events."""
    call = writer.batch()
    assert isinstance(call, Call)
    before, whole = call.args[3], bool(call.args[4])
    events = [json.loads(str(text, "utf-8")) for text in call.args[7::2] if isinstance(text, bytes)]
    return int(before), whole, events


def closing(writer: LogWriter, response: dict[str, Any] | None) -> threading.Thread:
    thread = threading.Thread(target=writer.close, args=(response,))
    thread.start()
    return thread


def test_what_waits_is_given_again_until_it_is_settled_and_never_after(writer: LogWriter) -> None:
    for event in STREAMED[:2]:
        writer.take(event)
    assert batch(writer) == batch(writer) == (0, False, STREAMED[:2])
    writer.take(STREAMED[2])
    writer.settle(2)
    assert batch(writer) == (2, False, [STREAMED[2]])
    writer.settle(3)
    assert writer.batch() is None


@pytest.mark.parametrize("answer", [-1, -2, ValueError("no"), None])
def test_a_refusal_ends_the_log_of_the_attempt(answer: object, writer: LogWriter) -> None:
    writer.take(STREAMED[0])
    writer.batch()
    writer.settle(answer)
    writer.take(STREAMED[1])
    assert writer.batch() is None


def test_the_end_is_told_with_the_last_events_and_waited_for(writer: LogWriter, hurries: Hurries) -> None:
    for event in STREAMED:
        writer.take(event)
    thread = closing(writer, RESPONSE)
    assert hurries.called.wait(10)
    assert batch(writer) == (0, True, STREAMED)
    assert thread.is_alive()
    writer.settle(len(STREAMED))
    thread.join(10)
    assert not thread.is_alive()
    assert writer.batch() is None


def test_an_end_that_comes_while_all_is_being_written_is_told_by_itself(writer: LogWriter, hurries: Hurries) -> None:
    for event in STREAMED:
        writer.take(event)
    assert batch(writer)[1] is False
    thread = closing(writer, RESPONSE)
    assert hurries.called.wait(10)
    writer.settle(len(STREAMED))
    assert batch(writer) == (len(STREAMED), True, [])
    writer.settle(len(STREAMED))
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("events", "response"),
    [
        (STREAMED, None),
        (STREAMED[:-1], RESPONSE),
        (STREAMED, {"output": [DONE_ITEM, DONE_ITEM]}),
        (STREAMED, {"output": "odd"}),
        ([*STREAMED, {"type": "response.output_text.delta"}], RESPONSE),
        ([], {"output": []}),
    ],
)
def test_an_answer_that_the_events_do_not_tell_whole_is_not_said_to_be(
    events: list[dict[str, Any]], response: dict[str, Any] | None, writer: LogWriter, hurries: Hurries
) -> None:
    for event in events:
        writer.take(event)
    thread = closing(writer, response)
    if events:
        assert hurries.called.wait(10)
        assert batch(writer)[1] is False
        writer.settle(len(events))
    thread.join(10)
    assert not thread.is_alive()
    assert writer.batch() is None


def test_much_at_once_is_written_at_once(writer: LogWriter, hurries: Hurries) -> None:
    writer.take(STREAMED[0])
    writer.take(STREAMED[1])
    assert hurries.asked == [False, False]
    writer.take({**STREAMED[2], "delta": "x" * log_writer.FULL_BYTES})
    assert hurries.asked == [False, False, True]


def test_reading_goes_on_without_the_log_where_nothing_is_written(
    writer: LogWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "WAIT_SECONDS", 0.01)
    writer.take(STREAMED[0])
    writer.take(STREAMED[1])
    for _ in range(20):
        writer.take({**STREAMED[2], "delta": "x" * 50_000})
    assert writer.batch() is None


def test_reading_waits_a_moment_for_what_is_being_written(writer: LogWriter) -> None:
    writer.take(STREAMED[0])
    writer.take(STREAMED[1])
    large = {**STREAMED[2], "delta": "x" * 200_000}
    writer.take(large)
    writer.batch()
    threading.Timer(0.05, writer.settle, [3]).start()
    writer.take(large)
    assert batch(writer) == (3, False, [large])


def test_an_event_that_cannot_be_read_ends_the_log_and_not_the_call(
    writer: LogWriter, caplog: pytest.LogCaptureFixture
) -> None:
    writer.take({"type": "odd", "value": float("nan")})
    writer.take(STREAMED[0])
    assert writer.batch() is None
    assert "its log ends" in caplog.text
