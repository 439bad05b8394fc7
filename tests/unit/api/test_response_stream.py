import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from api import log_reader, response_stream
from api.app import create_app
from api.services import EXTENSION
from jobs.connection import connect
from jobs.settings import Settings
from jobs.tenants import Tenants
from tests.fakes.bench import FAILED, Bench, running_bench
from tests.fakes.redis_server import KEEPING, running_redis
from tests.fakes.small_answer import DONE_ITEM, ITEM, STREAMED
from tests.unit.api.conftest import Caller
from tests.unit.api.responses import begun, fail, finish, start
from tests.unit.api.streams import BEGINNING, ITEMS, RESTARTED, append, parse, read


def streamed(alice: Caller, bench: Bench) -> str:
    """The id of a response that was streamed and has completed."""
    shown = begun(alice)
    claim = start(bench)
    append(bench, claim, STREAMED, whole=True)
    finish(bench, claim, output=[DONE_ITEM])
    return str(shown["id"])


def test_a_streamed_response_is_told_in_the_protocols_order_and_ends_as_a_poll_shows_it(
    alice: Caller, bench: Bench
) -> None:
    response_id = streamed(alice, bench)
    found = read(alice, response_id)
    assert found.types == [*BEGINNING, *ITEMS, "response.completed"]
    assert found.numbers == list(range(10))
    assert found.done
    assert found.events[-1]["response"] == alice.get(f"/v1/responses/{response_id}").json
    assert [event["response"]["status"] for event in found.events[:3]] == ["queued", "queued", "in_progress"]
    assert found.events[0]["response"]["output"] == []
    told = [{name: value for name, value in event.items() if name != "sequence_number"} for event in found.events[3:9]]
    assert told == STREAMED


def test_one_that_was_not_streamed_is_told_from_its_response_the_same_each_time(alice: Caller, bench: Bench) -> None:
    shown = begun(alice)
    finish(bench, start(bench), output=[DONE_ITEM])
    found = read(alice, shown["id"])
    assert found.types == [*BEGINNING, *ITEMS, "response.completed"]
    assert found == read(alice, shown["id"])


def test_how_the_queue_is_while_it_is_read_does_not_show(alice: Caller, bench: Bench) -> None:
    response_id = streamed(alice, bench)
    found = read(alice, response_id)
    bench.kill("w1")  # what waits now waits for a worker
    assert read(alice, response_id) == found


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("after", [0, 1, 2, 3, 6, 8])
def test_a_stream_goes_on_behind_any_of_its_events(after: int, kept: bool, alice: Caller, bench: Bench) -> None:
    shown = begun(alice)
    claim = start(bench)
    if kept:
        append(bench, claim, STREAMED, whole=True)
    finish(bench, claim, output=[DONE_ITEM])
    assert read(alice, shown["id"], after=after).events == read(alice, shown["id"]).events[after + 1 :]


@pytest.mark.parametrize("after", [9, 10, 10_000, 2**64, 10**30])
def test_behind_the_last_event_there_is_only_the_end(after: int, alice: Caller, bench: Bench) -> None:
    found = read(alice, streamed(alice, bench), after=after)
    assert (found.events, found.done) == ([], True)


def test_an_attempt_that_is_repeated_is_told_to_whoever_has_what_is_void_and_skipped_by_all_others(
    alice: Caller, bench: Bench
) -> None:
    shown = begun(alice)
    first = start(bench)
    append(bench, first, STREAMED[:3])
    bench.runs("w1").retry(first, FAILED, delay_seconds=0)
    second = start(bench)
    append(bench, second, STREAMED, whole=True)
    finish(bench, second, output=[DONE_ITEM])
    there = read(alice, shown["id"], after=4)
    assert there.types == [RESTARTED, *ITEMS, "response.completed"]
    assert there.numbers == [*range(6, 13), 21]
    assert there.events[0]["attempt"] == 2
    anew = read(alice, shown["id"])
    assert anew.types == [*BEGINNING, *ITEMS, "response.completed"]
    assert anew.events[3:] == there.events[1:]


@pytest.mark.parametrize("loss", ["another attempt's", "not to its end"])
def test_a_log_that_lacks_some_of_the_answer_is_void_and_the_answer_is_told_anew(
    loss: str, alice: Caller, bench: Bench
) -> None:
    shown = begun(alice)
    claim = start(bench)
    append(bench, claim, STREAMED[:3])
    if loss == "another attempt's":
        bench.runs("w1").retry(claim, FAILED, delay_seconds=0)
        claim = start(bench)
    finish(bench, claim, output=[DONE_ITEM])
    there = read(alice, shown["id"], after=5)
    assert there.types == [RESTARTED, *ITEMS, "response.completed"]
    assert there.numbers == [*range(6, 13), 21]
    assert read(alice, shown["id"]).types == [*BEGINNING, *ITEMS, "response.completed"]


@pytest.mark.parametrize("same", [True, False])
def test_who_is_there_when_an_attempt_is_repeated_gets_the_new_items_behind_the_void_ones_which_are_closed(
    same: bool, alice: Caller, bench: Bench
) -> None:
    shown = begun(alice)
    first = start(bench)
    old = STREAMED[0] if same else {**STREAMED[0], "item": {**ITEM, "id": "msg_0"}}
    append(bench, first, [old])
    body = alice.get(f"/v1/responses/{shown['id']}?stream=true", buffered=False).iter_encoded()
    told = [next(body) for _ in range(4)]
    bench.runs("w1").retry(first, FAILED, delay_seconds=0)
    second = start(bench)
    append(bench, second, STREAMED, whole=True)
    finish(bench, second, output=[DONE_ITEM])
    found = parse(b"".join([*told, *body]))
    closing = [] if same else ["response.output_item.done"]
    assert found.types == [*BEGINNING, ITEMS[0], RESTARTED, *ITEMS, *closing, "response.completed"]
    assert [event.get("output_index") for event in found.events[3:5]] == [0, None]
    assert {event["output_index"] for event in found.events[5:11]} == {1}
    if not same:
        closed = found.events[11]
        assert (closed["output_index"], closed["item"]["id"], closed["item"]["status"]) == (0, "msg_0", "incomplete")
    late = read(alice, shown["id"])
    assert {event["output_index"] for event in late.events[3:9]} == {0}
    assert late.events[-1] == found.events[-1]


def test_a_process_that_stops_breaks_its_streams_off_and_nobody_takes_them_for_whole(
    app: Flask, alice: Caller, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair
    shown = begun(alice)
    answer = alice.get(
        f"/v1/responses/{shown['id']}?stream=true", environ_overrides={"gunicorn.socket": ours}, buffered=False
    )
    body = answer.iter_encoded()
    told = [next(body), next(body)]
    app.extensions[EXTENSION].followers.close()
    assert list(body) == []
    assert theirs.recv(1) == b""
    assert not parse(b"".join(told)).done


def test_a_failure_is_told_by_a_flat_error_and_the_failed_response(alice: Caller, bench: Bench) -> None:
    shown = begun(alice)
    claim = start(bench)
    append(bench, claim, STREAMED[:3])
    fail(bench, claim, FAILED, code="upstream_timeout")
    found = read(alice, shown["id"])
    assert found.types == [*BEGINNING, *ITEMS[:3], "error", "response.failed"]
    assert found.events[-2] == {
        "type": "error",
        "code": "upstream_timeout",
        "message": "no",
        "param": None,
        "sequence_number": 6,
    }
    assert found.events[-1]["response"]["status"] == "failed"
    assert found.done


def test_a_job_that_expired_in_the_queue_is_told_as_failed(alice: Caller, bench: Bench) -> None:
    shown = begun(alice, respool={"queue_deadline_seconds": 60})
    bench.make_due("deadlines")
    bench.sweep()
    found = read(alice, shown["id"])
    assert found.types == [*BEGINNING, "error", "response.failed"]
    assert found.events[-2]["code"] == "expired"


def test_a_cancelled_response_ends_its_stream(alice: Caller, bench: Bench) -> None:
    shown = begun(alice)
    alice.post(f"/v1/responses/{shown['id']}/cancel")
    found = read(alice, shown["id"])
    assert found.types == [*BEGINNING, "response.cancelled"]
    assert found.events[-1]["response"]["status"] == "cancelled"
    assert found.done


def test_an_incomplete_response_ends_as_one(alice: Caller, bench: Bench) -> None:
    shown = begun(alice)
    finish(bench, start(bench), status="incomplete", output=[DONE_ITEM])
    found = read(alice, shown["id"])
    assert found.types == [*BEGINNING, *ITEMS, "response.incomplete"]


@pytest.mark.parametrize("after", [3, 4])
def test_a_job_that_is_tried_again_by_hand_goes_on_behind_its_failure(after: int, alice: Caller, bench: Bench) -> None:
    shown = begun(alice)
    fail(bench, start(bench), FAILED, code="x")
    assert read(alice, shown["id"]).numbers == [0, 1, 2, 3, 4]
    bench.store.retry(shown["id"].removeprefix("resp_"), project=None)
    claim = start(bench)
    append(bench, claim, STREAMED, whole=True)
    finish(bench, claim, output=[DONE_ITEM])
    found = read(alice, shown["id"], after=after)
    assert found.types == [RESTARTED, *ITEMS, "response.completed"]
    assert found.numbers[0] == 5
    assert read(alice, shown["id"]).types == [*BEGINNING, *ITEMS, "response.completed"]


def test_an_unknown_response_and_one_of_another_project_are_not_found(alice: Caller, bob: Caller) -> None:
    theirs = begun(bob)["id"]
    for response_id in (theirs, "resp_" + "0" * 32):
        answer = alice.get(f"/v1/responses/{response_id}?stream=true")
        assert (answer.status_code, answer.mimetype) == (404, "application/json")


def test_one_who_takes_his_time_is_not_told_an_end_that_is_none_any_more(
    app: Flask, alice: Caller, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reader, "RECENT_SECONDS", 0.0)
    shown = begun(alice)
    claim = start(bench)
    append(bench, claim, [*STREAMED[:2], *[STREAMED[2]] * 300])
    slow = alice.get(f"/v1/responses/{shown['id']}?stream=true", buffered=False).iter_encoded()
    told = [next(slow) for _ in range(4)]
    fail(bench, claim, FAILED, code="x")
    assert read(alice, shown["id"]).types[-1] == "response.failed"
    bench.store.retry(shown["id"].removeprefix("resp_"), project=None)
    claim = start(bench)
    append(bench, claim, STREAMED, whole=True)
    finish(bench, claim, output=[DONE_ITEM])
    found = parse(b"".join([*told, *slow]))
    assert found.types[-1] == "response.completed"
    assert "response.failed" not in found.types
    assert RESTARTED in found.types


def test_a_long_log_is_read_in_pages_and_told_whole(alice: Caller, bench: Bench) -> None:
    shown = begun(alice)
    claim = start(bench)
    deltas = [{**STREAMED[2], "delta": f"{place}"} for place in range(700)]
    append(bench, claim, [*STREAMED[:2], *deltas, *STREAMED[3:]], whole=True)
    finish(bench, claim, output=[DONE_ITEM])
    found = read(alice, shown["id"])
    assert [event["delta"] for event in found.events if "delta" in event] == [f"{place}" for place in range(700)]
    assert found.numbers == list(range(709))


def test_a_page_of_void_events_does_not_hold_a_reader_up(alice: Caller, bench: Bench) -> None:
    shown = begun(alice)
    first = start(bench)
    append(bench, first, [STREAMED[2]] * 600)
    bench.runs("w1").retry(first, FAILED, delay_seconds=0)
    second = start(bench)
    append(bench, second, STREAMED, whole=True)
    finish(bench, second, output=[DONE_ITEM])
    assert read(alice, shown["id"]).types == [*BEGINNING, *ITEMS, "response.completed"]
    assert read(alice, shown["id"], after=10).types == [RESTARTED, *ITEMS, "response.completed"]


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_reader_that_takes_nothing_is_cut_off(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(response_stream, "SEND_SECONDS", 0.05)
    ours, _ = pair
    with pytest.raises(TimeoutError), response_stream._impatient(ours):
        ours.sendall(b"x" * 100_000_000)


def test_a_large_event_is_written_in_pieces_and_a_small_one_in_one(
    alice: Caller, bench: Bench, pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, _ = pair
    shown = begun(alice)
    finish(bench, start(bench), output=[ITEM | {"content": [{"type": "output_text", "text": "x" * 10_000}]}])
    path = f"/v1/responses/{shown['id']}?stream=true"
    whole = alice.get(path, buffered=True).data
    monkeypatch.setattr(response_stream, "PIECE_BYTES", 5000)
    answer = alice.get(path, environ_overrides={"gunicorn.socket": ours}, buffered=False)
    written = [*answer.iter_encoded()]
    assert b"".join(written) == whole
    assert max(map(len, written)) == 5000
    assert written[0].endswith(b"\n\n")


def test_the_patience_with_a_connection_ends_with_its_stream(
    alice: Caller, bench: Bench, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, _ = pair
    response_id = streamed(alice, bench)
    answer = alice.get(
        f"/v1/responses/{response_id}?stream=true", environ_overrides={"gunicorn.socket": ours}, buffered=False
    )
    body = answer.iter_encoded()
    assert next(body).startswith(b"event: response.created")
    assert ours.gettimeout() == response_stream.SEND_SECONDS
    assert list(body)[-1] == b"data: [DONE]\n\n"
    assert ours.gettimeout() is None


def test_a_reader_that_leaves_is_no_follower_any_more(app: Flask, alice: Caller) -> None:
    shown = begun(alice)
    answer = alice.get(f"/v1/responses/{shown['id']}?stream=true", buffered=False)
    next(answer.iter_encoded())
    followers = app.extensions[EXTENSION].followers
    assert len(followers._channels) == 1
    answer.close()
    assert followers._channels == {}


def test_a_stream_that_is_idle_is_kept_alive_by_comments(
    alice: Caller, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reader, "PING_SECONDS", 0.02)
    shown = begun(alice)
    answer = alice.get(f"/v1/responses/{shown['id']}?stream=true", buffered=False)
    body = answer.iter_encoded()
    assert [next(body) for _ in range(4)][2:] == [b": ping\n\n"] * 2
    finish(bench, start(bench), output=[DONE_ITEM])
    assert parse(b"".join([*body])).types[-1] == "response.completed"


def test_a_stream_goes_on_once_redis_is_back(tmp_path: Path) -> None:
    with running_redis(tmp_path, *KEEPING) as server, connect(server.url) as client, running_bench(client) as bench:
        key, _ = Tenants(client, secret="").create(project="p", role="member")
        caller = Caller(create_app(Settings(redis_url=server.url)).test_client(), key)
        shown = begun(caller)
        body = caller.get(f"/v1/responses/{shown['id']}?stream=true", buffered=False).iter_encoded()
        told = [next(body), next(body)]
        server.kill()
        server.start()
        finish(bench, start(bench), output=[DONE_ITEM])
        assert parse(b"".join([*told, *body])).types == [*BEGINNING, *ITEMS, "response.completed"]


def test_a_response_that_is_deleted_meanwhile_ends_its_stream(alice: Caller, bench: Bench) -> None:
    shown = begun(alice)
    start(bench)
    body = alice.get(f"/v1/responses/{shown['id']}?stream=true", buffered=False).iter_encoded()
    told = [next(body), next(body), next(body)]
    assert alice.delete(f"/v1/responses/{shown['id']}").status_code == 200
    found = parse(b"".join([*told, *body]))
    assert (found.types[-1], found.events[-1]["code"], found.done) == ("error", "response_deleted", True)
