"""How lines become jobs: in what order, with what options, and within which limits."""

from typing import Any

import pytest

from jobs import keys
from jobs.batches.record import Batch
from jobs.projects import Projects
from jobs.store import JobStore
from schemas.respool_options import MAX_RUN_TIMEOUT_SECONDS
from tests.factories import new_job, unique
from tests.fakes.batches import BatchBench, finish, request_line
from tests.fakes.bench import Bench
from worker.batches import feeding as module


def record(batches: BatchBench, number: str, *names: str) -> list[Any]:
    return [value and value.decode() for value in batches.client.hmget(keys.job(number), *names)]


def test_so_many_lines_run_and_others_follow_as_they_end(
    batches: BatchBench, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_RUNNING", 5)
    monkeypatch.setattr(module, "ROUND_LINES", 2)
    batch = batches.begun(8)
    assert (batch.lines_read, batch.waiting_reason) == (5, None)
    finish(bench, batches.numbers(batch, 2))
    assert batches.go_on(batch).lines_read == 7
    assert batches.client.scard(keys.batch_running(batch.number)) == 5


def test_a_round_holds_no_more_than_so_many_bytes(batches: BatchBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROUND_BYTES", 10)
    assert batches.begun(3).lines_read == 3


def test_the_projects_own_jobs_go_first_and_lines_in_their_order(batches: BatchBench, bench: Bench) -> None:
    batch = batches.begun(3)
    urgent = batches.create([request_line(9, respool={"priority": 9})])
    batches.work()
    own = bench.submit(priority=0)
    orders = {number: int(record(batches, number, "order")[0]) for number in (own, *batches.numbers(batch, 3))}
    assert sorted(orders, key=lambda number: orders[number]) == [own, *batches.numbers(batch, 3)]
    assert orders[batches.numbers(batch, 1)[0]] / 1e6 == pytest.approx(batch.expires_at, abs=5)
    order = int(record(batches, batches.numbers(urgent, 1)[0], "order")[0])
    assert order / 1e6 == pytest.approx(urgent.expires_at - 9 * 60, abs=5)


def test_a_line_takes_the_batchs_options_unless_it_has_its_own(batches: BatchBench) -> None:
    lines = [request_line(1), request_line(2, respool={"priority": 1, "max_attempts": 9}, background=True)]
    batch = batches.create(lines, options={"priority": 4, "run_timeout_seconds": 77})
    batches.work()
    first, second = batches.jobs(batch, 2)
    assert first is not None
    assert second is not None
    assert (first.priority, first.run_timeout_seconds, first.max_attempts) == (4, 77, 5)
    assert (second.priority, second.run_timeout_seconds, second.max_attempts) == (1, 77, 9)
    assert second.echo["background"] is False


def test_options_of_the_batch_that_do_not_fit_a_line_refuse_it(batches: BatchBench) -> None:
    batch = batches.create([request_line(1, respool=[])], options={"priority": 4})
    batches.work()
    (line,) = batches.lines.taken_up(batches.now(batch), after=0, limit=1).lines
    assert (line.refusal or {})["body"]["error"]["param"] == "body.respool"


def test_a_line_waits_no_longer_than_its_batch_and_its_result_outlasts_that(batches: BatchBench) -> None:
    batch = batches.create([request_line(1), request_line(2, respool={"queue_deadline_seconds": 5})])
    batches.work()
    first, second = batches.numbers(batch, 2)
    deadline, retention = (int(value) / 1000 for value in record(batches, first, "queue_deadline", "retention"))
    assert deadline == pytest.approx(86400, abs=5)
    assert retention == pytest.approx(max(7 * 86400, 86400 + MAX_RUN_TIMEOUT_SECONDS + 86400), abs=5)
    assert record(batches, second, "queue_deadline") == ["5000"]


@pytest.mark.parametrize("limit", ["max_queued", "submits_per_minute"])
def test_half_of_what_the_project_may_ask_for_is_left_to_others(batches: BatchBench, bench: Bench, limit: str) -> None:
    Projects(batches.client).change("default", {limit: 7})
    batch = batches.begun(9)
    assert (batch.lines_read, batch.waiting_reason) == (3, limit)
    for _ in range(4):
        bench.submit()
    assert batches.go_on(batch).lines_read == 3
    assert batches.client.zscore(keys.BATCHES_OPEN, batch.number) <= batches.client.time()[0] * 1000 + 60_000


def test_the_last_that_may_be_queued_may_be_a_line(batches: BatchBench) -> None:
    Projects(batches.client).change("default", {"max_queued": 1, "submits_per_minute": 1})
    assert batches.begun(2).lines_read == 1


def test_half_of_the_bytes_that_may_be_queued_is_left_to_others(batches: BatchBench) -> None:
    batches.settings = {"max_queued_bytes": 700}
    batch = batches.begun(9)
    assert batch.waiting_reason == "queue_full"
    assert 0 < batch.lines_read < 9
    queued = int(batches.client.hget(keys.COUNTERS, "queued_bytes") or 0)
    assert queued <= 350
    JobStore(batches.client, max_queued_bytes=700).submit(new_job(), unique())


def test_a_line_larger_than_that_half_goes_when_it_would_be_alone(batches: BatchBench) -> None:
    batches.settings = {"max_queued_bytes": 700}
    batch = batches.create([request_line(1, instructions="x" * 200)])
    batches.work()
    assert batches.now(batch).lines_read == 1


def test_what_exceeds_a_budget_waits_and_what_exceeds_it_alone_fails(batches: BatchBench) -> None:
    Projects(batches.client).change("default", {"tokens_per_day": 2500})
    sizes = {1: 1000, 2: 9000, 3: 1000, 4: 1000}
    batch = batches.create([request_line(n, respool={"estimated_tokens": size}) for n, size in sizes.items()])
    batches.work()
    now = batches.now(batch)
    assert (now.lines_read, now.failed, now.waiting_reason) == (3, 1, "tokens_per_day")
    line = batches.lines.taken_up(now, after=1, limit=1).lines[0]
    assert line.refusal is not None
    assert (line.refusal["status_code"], line.refusal["body"]["error"]["code"]) == (429, "tokens_per_day")


def test_a_model_that_may_not_be_named_fails_line_by_line(batches: BatchBench) -> None:
    batch = batches.create([request_line(1, model="nobody"), request_line(2, model="nobody")])
    batches.work()
    ended = batches.go_on(batch)
    assert (ended.status, ended.failed) == ("completed", 2)
    told = batches.content(ended.error_file_id)
    assert {line["response"]["body"]["error"]["param"] for line in told} == {"body.model"}


def test_a_killed_runners_lines_are_taken_up_by_another_without_any_being_twice(
    batches: BatchBench, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It died after a round was submitted and before that was recorded."""
    monkeypatch.setattr(module, "ROUND_LINES", 2)
    batch = batches.create([request_line(n) for n in range(1, 6)])
    dead = batches.runner("r1")
    while batches.now(batch).lines_read < 2:
        dead.step()
    batches.client.hset(keys.batch(batch.number), mapping={"line": 0, "offset": 0, "lines_read": 0})
    batches.wake(batch)  # its lease has run out
    batches.work(batches.runner("r2"))
    dead.step()
    assert batches.now(batch).lines_read == 5
    assert batches.client.scard(keys.batch_running(batch.number)) == 5
    finish(bench, batches.numbers(batch, 5))
    ended = batches.go_on(batch)
    assert (ended.status, ended.completed) == ("completed", 5)


def due(batches: BatchBench, batch: Batch) -> float:
    """After how many seconds the batch is looked at."""
    seconds, micros = batches.client.time()
    return float(batches.client.zscore(keys.BATCHES_OPEN, batch.number)) / 1000 - seconds - micros / 1e6


def test_a_batch_whose_last_lines_run_rests_until_the_last_of_them_ends(batches: BatchBench, bench: Bench) -> None:
    batch = batches.go_on(batches.begun(2))
    assert due(batches, batch) > 50
    first, second = batches.numbers(batch, 2)
    finish(bench, [first])
    assert due(batches, batch) > 50
    batches.store.cancel(second, project=None)
    assert due(batches, batch) <= 0
    batches.work()
    assert batches.now(batch).status == "completed"


def test_nobody_rests_beyond_the_end_of_the_window(batches: BatchBench) -> None:
    batch = batches.go_on(batches.begun(1, window_seconds=20))
    assert 0 < due(batches, batch) <= 20


def test_lines_follow_at_once_when_half_of_those_that_may_run_have_ended(batches: BatchBench) -> None:
    batch = batches.go_on(batches.begun(502))
    first, second = batches.numbers(batch, 2)
    batches.store.cancel(first, project=None)
    assert due(batches, batch) > 50
    batches.store.cancel(second, project=None)
    assert due(batches, batch) <= 0


def test_the_end_of_a_line_does_not_wake_a_batch_that_waits_for_a_limit(batches: BatchBench) -> None:
    Projects(batches.client).change("default", {"max_queued": 2})
    batch = batches.begun(3)
    assert batch.waiting_reason == "max_queued"
    batches.store.cancel(batches.numbers(batch, 1)[0], project=None)
    assert due(batches, batch) > 1


def test_whether_a_limit_is_still_in_the_way_is_asked_with_one_line(batches: BatchBench) -> None:
    def scripts_run() -> int:
        return int(batches.client.info("commandstats")["cmdstat_evalsha"]["calls"])

    Projects(batches.client).change("default", {"max_queued": 2})
    batch = batches.begun(40)
    before = scripts_run()
    batches.go_on(batch)
    assert scripts_run() - before < 10
    Projects(batches.client).change("default", {"max_queued": None})
    assert batches.go_on(batch).lines_read == 40


def test_lines_that_become_no_job_take_nobodys_place(batches: BatchBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_RUNNING", 2)
    wrong = [request_line(n, top_p=9) for n in range(1, 9)]
    batch = batches.create([*wrong, request_line(9), request_line(10)])
    batches.work()
    assert (batches.now(batch).lines_read, batches.now(batch).failed) == (10, 8)


def test_of_a_refusal_the_first_mistakes_are_kept(batches: BatchBench) -> None:
    batch = batches.create([request_line(1, **{f"unknown{n}": n for n in range(150)})])
    batches.work()
    (line,) = batches.lines.taken_up(batches.now(batch), after=0, limit=1).lines
    body = (line.refusal or {})["body"]
    assert "100 more" in body["error"]["message"]
    assert len(body["errors"]) == 5


def test_a_line_that_was_found_valid_is_taken_up_by_a_worker_that_is_set_to_smaller_ones(batches: BatchBench) -> None:
    batch = batches.create([request_line(1, instructions="x" * 40_000)])
    first = batches.runner("r1")
    while batches.now(batch).status == "validating":
        first.step()
    first.close()
    batches.settings = {"max_body_bytes": 1024}
    batches.work(batches.runner("r2"))
    assert (batches.now(batch).status, batches.now(batch).lines_read) == ("in_progress", 1)
