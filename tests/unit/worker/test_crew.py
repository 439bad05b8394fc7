import logging
import threading

import pytest

from jobs.claims import Claim
from jobs.log_context import said
from jobs.trail import Trail
from tests.factories import MODEL
from tests.fakes.waiting import wait_until
from tests.unit.worker.conftest import Shop
from worker.calls import Calls
from worker.crew import Crew


def test_what_one_message_released_runs_side_by_side(shop: Shop) -> None:
    numbers = {shop.submit("delay=0.2") for _ in range(10)}
    shop.take()
    assert shop.crew.held == numbers
    shop.rest()
    assert {shop.bench.job(number).status for number in numbers} == {"completed"}


def test_a_message_that_comes_twice_starts_nothing_more(shop: Shop) -> None:
    number = shop.submit("delay=0.2")
    shop.bench.beat("w1")
    shop.bench.dispatch("w1")
    (release,) = shop.bench.releases("w1")
    for _ in range(3):
        shop.crew.take(release.numbers, dispatch=release.dispatch)
    shop.rest()
    assert len(shop.bench.job(number).attempts) == 1


def test_a_message_about_nothing_changes_nothing(shop: Shop) -> None:
    shop.crew.take(["0" * 32], dispatch="1")
    shop.crew.take([], dispatch="1")
    assert shop.crew.held == set()


def test_a_crew_that_drains_takes_nothing_and_offers_nothing(shop: Shop) -> None:
    assert shop.crew.open_slots == 16
    number = shop.submit()
    shop.crew.drain()
    assert shop.crew.open_slots == 0
    shop.take()
    assert shop.crew.held == set()
    assert shop.bench.job(number).attempts == []


def test_a_crew_that_drains_lets_its_calls_end(shop: Shop) -> None:
    number = shop.submit("delay=0.2")
    shop.take()
    shop.crew.drain()
    assert shop.crew.finish(grace_seconds=20) == 0
    assert shop.bench.job(number).status == "completed"


def test_what_does_not_end_within_the_grace_period_is_hung_up_and_left_for_recovery(shop: Shop) -> None:
    number = shop.submit("delay=1000")
    shop.take()
    shop.crew.drain()
    assert shop.crew.finish(grace_seconds=0) == 1
    assert shop.crew.held == set()
    job = shop.bench.job(number)
    assert (job.status, job.attempts[0]["outcome"]) == ("in_progress", "running")
    assert shop.bench.workers.leave("w1") == 1
    job = shop.bench.job(number)
    assert (job.status, job.attempts[0]["outcome"], job.attempts[0]["may_be_billed"]) == ("queued", "lost", True)


def test_a_cancelled_call_is_hung_up_and_the_record_says_what_it_may_have_cost(shop: Shop) -> None:
    number = shop.submit("delay=1000")
    shop.take()
    wait_until(lambda: bool(shop.bench.client.hget(f"{{respool}}:job:{number}", "sent")))
    shop.bench.store.cancel(number, project=None)
    shop.crew.cancel(shop.bench.beat("w1"))
    shop.rest()
    job = shop.bench.job(number)
    assert job.status == "cancelled"
    assert (job.attempts[0]["outcome"], job.attempts[0]["may_be_billed"]) == ("cancelled", True)
    assert shop.bench.slots(job.lane) == set()


def twins(shop: Shop, fault: str) -> str:
    """A job that was taken for lost while its call ran on, and that the same worker has claimed again."""
    number = shop.submit(fault)
    shop.take()
    wait_until(lambda: bool(shop.bench.client.hget(f"{{respool}}:job:{number}", "sent")))
    shop.bench.kill("w1")
    shop.bench.sweep()
    shop.take()
    return number


def test_a_later_attempt_calls_off_the_earlier_one_and_is_not_touched_by_its_end(shop: Shop) -> None:
    number = twins(shop, "hang")
    wait_until(lambda: len(shop.crew._held) == 1)
    assert shop.crew.held == {number}
    first, second = shop.bench.job(number).attempts
    assert first["error"]["code"] == "called_off"
    assert second["outcome"] == "running"
    wait_until(lambda: shop.bench.client.hget(f"{{respool}}:job:{number}", "sent") == b"2")
    shop.bench.store.cancel(number, project=None)
    shop.crew.cancel([number])
    shop.rest()
    assert shop.bench.job(number).status == "cancelled"


def test_a_later_attempt_that_goes_well_completes_the_job(shop: Shop) -> None:
    number = twins(shop, "hang;times=1")
    shop.rest()
    job = shop.bench.job(number)
    assert (job.status, len(job.attempts)) == ("completed", 2)


def test_cancelling_what_is_not_held_does_no_harm(shop: Shop) -> None:
    shop.crew.cancel(["0" * 32])


def test_an_attempt_that_ends_by_surprise_is_told_of_and_no_longer_held(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    def surprising(claim: Claim) -> None:
        raise ZeroDivisionError("surprise")

    crew = Crew(shop.bench.runs("w1").claim, surprising, Calls(), slots=1)
    number = shop.submit()
    shop.bench.beat("w1")
    shop.bench.dispatch("w1")
    (release,) = shop.bench.releases("w1")
    with caplog.at_level(logging.ERROR):
        crew.take(release.numbers, dispatch=release.dispatch)
        wait_until(lambda: "surprise" in caplog.text)
    assert crew.held == set()
    crew.finish(grace_seconds=0)
    assert shop.bench.workers.give_back("w1", [number]) == 1
    assert shop.bench.job(number).status == "queued"


def test_lines_of_an_attempt_say_which_job_it_is_at_and_which_request_that_came_with(shop: Shop) -> None:
    heard: list[dict[str, str | int]] = []
    crew = Crew(shop.bench.runs("w1").claim, lambda _: heard.append(dict(said())), Calls(), slots=1)
    trail = Trail(request_id="req_1", traceparent=f"00-{'ab' * 16}-{'cd' * 8}-01")
    number = shop.submit(trail=trail)
    shop.bench.beat("w1")
    shop.bench.dispatch("w1")
    (release,) = shop.bench.releases("w1")
    crew.take(release.numbers, dispatch=release.dispatch)
    wait_until(lambda: heard != [])
    crew.finish(grace_seconds=0)
    assert heard == [
        {"request_id": "req_1", "trace_id": "ab" * 16, "job_id": f"job_{number}", "attempt": 1, "project": "default",
         "lane": f"default:{MODEL}"}
    ]  # fmt: skip


def test_finishing_without_work_is_immediate(shop: Shop) -> None:
    done = threading.Event()
    threading.Thread(target=lambda: (shop.crew.finish(grace_seconds=1000), done.set())).start()
    assert done.wait(10)
