"""A batch from its file to its files, moved on by hand."""

import json
from typing import Any

import pytest
import redis

from jobs import keys
from jobs.batches.record import Batch
from jobs.errors import BatchNotEnded, FileInUse, FileNotFound
from jobs.webhooks.target import Webhook
from tests.fakes.batches import BatchBench, answer, as_file, finish, request_line, start
from tests.fakes.bench import FAILED, FAILURE, Bench
from worker.batches import checking


def events(client: redis.Redis, project: str = "default") -> list[dict[str, Any]]:
    return [json.loads(fields[b"event"]) for _, fields in client.xrange(keys.events(project))]


def by_custom_id(lines: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = {line["custom_id"]: line for line in lines}
    assert len(found) == len(lines)
    return found


def move_window(batches: BatchBench, batch: Batch, seconds: float) -> None:
    """The batch's window ends in so many seconds."""
    now = batches.client.time()[0] * 1000
    batches.client.hset(keys.batch(batch.number), "expires_at", round(now + seconds * 1000))


def test_a_batch_goes_from_its_file_to_its_output(batches: BatchBench, bench: Bench) -> None:
    batch = batches.create([request_line(n) for n in range(1, 4)])
    assert (batch.status, batch.total, batch.completed, batch.failed) == ("validating", 0, 0, 0)
    batches.work()
    running = batches.now(batch)
    assert (running.status, running.total, running.lines_read, running.model) == (
        "in_progress",
        3,
        3,
        "doubao-seed-1-6-251015",
    )
    finish(bench, batches.numbers(batch, 3))
    assert (batches.now(batch).completed, batches.now(batch).status) == (3, "in_progress")
    ended = batches.go_on(batch)
    assert (ended.status, ended.completed, ended.failed, ended.error_file_id) == ("completed", 3, 0, None)
    assert (ended.nano, ended.usage) == (
        21,
        {
            "input_tokens": 6,
            "input_tokens_details": {"cached_tokens": 3},
            "output_tokens": 9,
            "total_tokens": 15,
        },
    )
    assert ended.created_at <= ended.in_progress_at <= ended.finalizing_at <= ended.completed_at  # type: ignore[operator]
    lines = batches.content(ended.output_file_id)
    assert [line["custom_id"] for line in lines] == ["line 1", "line 2", "line 3"]
    assert [line["response"]["body"]["id"] for line in lines] == [f"resp_{n}" for n in batches.numbers(batch, 3)]
    file = batches.files.get(ended.output_file_id or "", project="default")
    assert (file.purpose, file.filename) == ("batch_output", f"{batch.id}_output.jsonl")
    assert file.expires_at == pytest.approx(file.created / 1e6 + 30 * 86400, abs=1)


def test_failed_and_refused_lines_stand_in_the_error_file_and_are_counted(batches: BatchBench, bench: Bench) -> None:
    lines = [
        request_line(1),
        request_line(2),
        request_line(3, temperature=9),
        request_line(4, stream=True),
        request_line(5, respool={"webhook": {"url": "https://example.com/"}}),
        request_line(6, previous_response_id="resp_" + "0" * 32),
    ]
    batch = batches.create(lines)
    batches.work()
    assert (batches.now(batch).failed, batches.now(batch).lines_read) == (4, 6)
    failing = batches.numbers(batch, 2)[1]
    finish(bench, batches.numbers(batch, 2), failing={failing})
    ended = batches.go_on(batch)
    assert (ended.status, ended.completed, ended.failed) == ("completed", 1, 5)
    told = by_custom_id(batches.content(ended.error_file_id))
    assert sorted(told) == ["line 2", "line 3", "line 4", "line 5", "line 6"]
    assert told["line 2"]["response"]["body"]["error"]["code"] == "refused"
    assert {line["response"]["status_code"] for line in told.values()} == {400}
    params = {name: line["response"]["body"]["error"]["param"] for name, line in told.items()}
    assert params == {
        "line 2": None,
        "line 3": "body.temperature",
        "line 4": "body.stream",
        "line 5": "body.respool.webhook",
        "line 6": "body.previous_response_id",
    }


def test_a_wrong_file_fails_with_its_mistakes_and_no_job_is_made(
    batches: BatchBench, store_client: redis.Redis
) -> None:
    batch = batches.create(as_file([request_line(1), request_line(2, custom_id="line 1")]) + b"\n{]\n")
    batches.work()
    ended = batches.now(batch)
    assert (ended.status, ended.failed_at is not None, ended.lines_read) == ("failed", True, 0)
    assert [(mistake["code"], mistake["line"]) for mistake in ended.errors] == [
        ("duplicate_custom_id", 2),
        ("invalid_json_line", 4),
    ]
    assert not list(store_client.scan_iter(f"{keys.PREFIX}job:*"))


def test_one_event_tells_of_all_and_the_lines_tell_none(batches: BatchBench, bench: Bench) -> None:
    own = Webhook(url="https://hooks.example/", origin="https://hooks.example:443", events=("batch.completed",))
    batch = batches.begun(2, webhook=own)
    finish(bench, batches.numbers(batch, 2))
    ended = batches.go_on(batch)
    (event,) = events(batches.client)
    assert (event["type"], event["data"]["id"]) == ("batch.completed", batch.id)
    assert event["data"]["respool"]["request_counts"] == {"total": 2, "completed": 2, "failed": 0}
    assert event["data"]["respool"]["output_file_id"] == ended.output_file_id
    (delivery,) = batches.client.scan_iter(f"{keys.PREFIX}delivery:*")
    assert batches.client.hget(delivery, "url") == b"https://hooks.example/"


def test_a_cancelled_batch_keeps_what_was_answered(batches: BatchBench, bench: Bench) -> None:
    batch = batches.begun(3)
    first, second, _ = batches.numbers(batch, 3)
    claims = {claim.number: claim for claim in start(bench)}
    assert batches.batches.cancel(batch.id, project="default").status == "cancelling"
    assert batches.batches.cancel(batch.id, project="default").status == "cancelling"
    assert batches.go_on(batch).status == "cancelling"  # what runs may go on for a while
    assert {job.status for job in batches.jobs(batch, 3) if job} == {"in_progress"}
    answer(bench, claims[first])
    batches.client.hset(keys.batch(batch.number), "cancelling_at", 1)
    assert batches.go_on(batch).status == "cancelling"  # the others were called off just now
    ended = batches.go_on(batch)
    assert (ended.status, ended.completed, ended.failed) == ("cancelled", 1, 2)
    assert [line["custom_id"] for line in batches.content(ended.output_file_id)] == ["line 1"]
    errors = batches.content(ended.error_file_id)
    assert [line["error"]["code"] for line in errors] == ["batch_cancelled"] * 2
    assert errors[0]["id"] == f"batch_req_{second}"
    assert events(batches.client)[-1]["type"] == "batch.cancelled"
    assert batches.batches.cancel(batch.id, project="default").status == "cancelled"


def test_what_waits_is_cancelled_at_once(batches: BatchBench) -> None:
    batch = batches.begun(2)
    batches.batches.cancel(batch.id, project="default")
    batches.work()
    assert {job.status for job in batches.jobs(batch, 2) if job} == {"cancelled"}
    assert batches.go_on(batch).status == "cancelled"


def test_one_that_is_cancelled_before_it_was_found_valid_leaves_nothing(batches: BatchBench) -> None:
    batch = batches.create([request_line(1)])
    batches.batches.cancel(batch.id, project="default")
    batches.work()
    ended = batches.now(batch)
    assert (ended.status, ended.output_file_id, ended.error_file_id) == ("cancelled", None, None)
    assert batches.jobs(batch, 1) == [None]


def test_at_the_end_of_its_window_what_runs_goes_on_and_what_waits_ends(batches: BatchBench, bench: Bench) -> None:
    batch = batches.begun(1)
    (claim,) = start(bench)
    late = batches.begun(2)
    for one in (batch, late):
        move_window(batches, one, -10)
    assert (batches.go_on(batch).status, batches.go_on(late).status) == ("in_progress", "in_progress")
    answer(bench, claim)
    ended = batches.go_on(batch)
    assert (ended.status, ended.completed) == ("completed", 1)  # it was late, and yet all of it was answered
    expired = batches.go_on(late)
    assert (expired.status, expired.completed, expired.failed) == ("expired", 0, 2)
    assert {line["error"]["code"] for line in batches.content(expired.error_file_id)} == {"batch_expired"}


def test_lines_that_were_not_taken_up_in_time_expire(batches: BatchBench) -> None:
    batch = batches.create([request_line(n) for n in range(1, 4)], window_seconds=0.001)
    batches.work()
    ended = batches.now(batch)
    assert (ended.status, ended.total, ended.failed, ended.lines_read) == ("expired", 3, 3, 0)
    told = batches.content(ended.error_file_id)
    assert [line["custom_id"] for line in told] == ["line 1", "line 2", "line 3"]
    assert {line["error"]["code"] for line in told} == {"batch_expired"}


def test_a_result_that_was_deleted_meanwhile_is_told_so(batches: BatchBench, bench: Bench) -> None:
    batch = batches.begun(2)
    finish(bench, batches.numbers(batch, 2))
    batches.store.delete(batches.numbers(batch, 2)[0], project="default")
    ended = batches.go_on(batch)
    assert (ended.status, ended.completed, ended.failed) == ("completed", 1, 1)
    assert batches.content(ended.error_file_id)[0]["error"]["code"] == "result_deleted"


def test_lines_that_are_not_to_be_stored_are_in_the_files_alone(batches: BatchBench, bench: Bench) -> None:
    batch = batches.create([request_line(1), request_line(2, store=False)])
    batches.work()
    finish(bench, batches.numbers(batch, 2))
    assert all(batches.jobs(batch, 2))
    ended = batches.go_on(batch)
    assert ended.completed == len(batches.content(ended.output_file_id)) == 2
    kept, gone = batches.jobs(batch, 2)
    assert kept is not None
    assert gone is None


def times_of(batches: BatchBench, number: str) -> tuple[float, float]:
    """For how many seconds after its end the job is kept, and when it goes by the index that a sweep reads."""
    job = batches.store.get(number, project=None)
    assert job.finished_at is not None
    assert job.expires_at is not None
    swept = batches.client.zscore(keys.PREFIX + "ended", f"default:{number}")
    assert swept == job.expires_at * 1000
    return job.expires_at - job.finished_at, job.expires_at


def test_a_short_retention_of_a_line_holds_once_the_files_are_written(batches: BatchBench, bench: Bench) -> None:
    batches.settings["retention_seconds"] = 3600.0
    batch = batches.begun(2)
    first, second = batches.numbers(batch, 2)
    claims = {claim.number: claim for claim in start(bench)}
    answer(bench, claims[first])
    assert times_of(batches, first)[0] > 86400
    answer(bench, claims[second])
    assert batches.go_on(batch).completed == 2
    assert [times_of(batches, number)[0] for number in (first, second)] == [3600.0, 3600.0]
    assert 0 < batches.client.ttl(keys.job(first)) <= 3600 + 86400


def test_a_line_whose_retention_was_over_before_its_batch_goes_a_minute_after_that(
    batches: BatchBench, bench: Bench
) -> None:
    batches.settings["retention_seconds"] = 3600.0
    batch = batches.begun(1)
    (number,) = batches.numbers(batch, 1)
    finish(bench, [number])
    now = batches.client.time()[0]
    batches.client.hset(keys.job(number), "finished", (now - 7200) * 1000)
    ended = batches.go_on(batch)
    assert len(batches.content(ended.output_file_id)) == 1
    assert 0 <= times_of(batches, number)[1] - (now + 60) < 30
    bench.make_due("ended")
    assert bench.sweep().forgotten == 1
    assert batches.jobs(batch, 1) == [None]


def test_a_line_that_is_tried_again_by_hand_is_then_kept_as_long_as_was_asked(
    batches: BatchBench, bench: Bench
) -> None:
    batches.settings["retention_seconds"] = 3600.0
    batch = batches.begun(1)
    (number,) = batches.numbers(batch, 1)
    finish(bench, [number], failing=[number])
    batches.go_on(batch)
    batches.store.retry(number, project="default")
    finish(bench, [number])
    assert times_of(batches, number)[0] == 3600.0


def test_a_line_whose_retention_is_long_enough_is_kept_for_all_of_it(batches: BatchBench, bench: Bench) -> None:
    batch = batches.begun(1)
    (number,) = batches.numbers(batch, 1)
    finish(bench, [number])
    batches.go_on(batch)
    assert times_of(batches, number)[0] == 7 * 86400.0


def test_the_input_stays_as_long_as_the_batch_reads_it(batches: BatchBench, bench: Bench) -> None:
    file = batches.put(as_file([request_line(1)]), expires=3600)
    batch = batches.create(b"", input_file_id=file.id)
    batches.client.hset(keys.file(file.number), "expires", 1)
    with pytest.raises(FileInUse, match=file.id):
        batches.files.delete(file.id, project="default")
    batches.work()
    finish(bench, batches.numbers(batch, 1))
    assert batches.go_on(batch).status == "completed"
    with pytest.raises(FileNotFound):
        batches.files.get(file.id, project="default")
    batches.files.delete(file.id, project="default")


def test_a_batch_whose_input_is_lost_fails(batches: BatchBench) -> None:
    batch = batches.create([request_line(1)])
    for path in batches.folder.rglob(batch.input_file_id.removeprefix("file-")):
        path.unlink()
    batches.work()
    ended = batches.now(batch)
    assert (ended.status, [mistake["code"] for mistake in ended.errors]) == ("failed", ["file_not_found"])


def test_a_failed_line_is_tried_again_only_after_its_batch(batches: BatchBench, bench: Bench) -> None:
    batch = batches.begun(2)
    first, second = batches.numbers(batch, 2)
    claims = {claim.number: claim for claim in start(bench)}
    bench.runs().finish(claims[first], FAILURE, FAILED)
    with pytest.raises(BatchNotEnded, match="in_progress"):
        batches.store.retry(first, project="default")
    answer(bench, claims[second])
    ended = batches.go_on(batch)
    batches.store.retry(first, project="default")
    finish(bench, [first])
    assert batches.now(batch) == ended  # its files are written
    assert [event["type"] for event in events(batches.client)] == ["batch.completed", "response.completed"]


def test_a_batch_goes_thirty_days_after_its_end(batches: BatchBench) -> None:
    batch = batches.create(b"")
    batches.work()
    assert batches.now(batch).status == "failed"
    due = batches.client.zscore(keys.BATCHES_OPEN, batch.number)
    assert due == pytest.approx((batches.now(batch).failed_at or 0) * 1000 + 30 * 86400_000, abs=1)
    batches.client.hset(keys.batch(batch.number), "goes", 1)
    batches.wake(batch)
    batches.work()
    left = {key.decode().removeprefix(keys.PREFIX).split(":")[0] for key in batches.client.scan_iter()}
    assert left <= {"metrics", "projects", "project", "file", "files", "events", "expiring_files"}


def test_a_worker_that_leaves_hands_its_batches_on_at_once(
    batches: BatchBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "PIECE_LINES", 1)
    batch = batches.create([request_line(n) for n in range(1, 9)])
    leaving = batches.runner("r1")
    leaving.step()
    batches.work(batches.runner("r2"))
    assert batches.now(batch).status == "validating"
    leaving.close()
    batches.work(batches.runner("r2"))
    assert (batches.now(batch).status, batches.now(batch).lines_read) == ("in_progress", 8)
