from jobs.limits import LaneLimits, Limits
from jobs.waiting import WaitingReasons
from tests.fakes.bench import UNSENT, Bench


def reason(bench: Bench, number: str) -> str | None:
    return WaitingReasons(bench.client).of([bench.job(number)])[number]


def test_without_a_worker_a_job_waits_for_one(bench: Bench) -> None:
    number = bench.submit()
    assert reason(bench, number) == "no_worker"
    bench.beat("w1")
    bench.kill("w1")
    assert reason(bench, number) == "no_worker"


def test_a_job_whose_turn_has_not_come_has_no_reason(bench: Bench) -> None:
    number = bench.submit()
    bench.beat("w1")
    assert reason(bench, number) is None


def test_a_job_says_what_limit_it_waits_for(bench: Bench) -> None:
    bench.limits = Limits(models={"a": LaneLimits(in_flight=1), "b": LaneLimits(requests_per_minute=1)})
    bench.beat("w1")
    first = {model: bench.submit(model=model) for model in "ab"}
    waiting = {model: bench.submit(model=model) for model in "ab"}
    bench.dispatch()
    found = WaitingReasons(bench.client).of([bench.job(n) for n in (*first.values(), *waiting.values())])
    assert found == {
        first["a"]: None, first["b"]: None, waiting["a"]: "in_flight", waiting["b"]: "rate_limit_requests",
    }  # fmt: skip


def test_a_delayed_job_says_why_it_was_put_back_and_an_ended_one_nothing(bench: Bench) -> None:
    claim = bench.run_one()
    assert reason(bench, claim.number) is None
    bench.runs().snooze(claim, UNSENT, delay_seconds=60, reason="rate_limited")
    assert reason(bench, claim.number) == "rate_limited"
    bench.store.cancel(claim.number, project=None)
    assert reason(bench, claim.number) is None


def test_a_job_of_a_paused_lane_says_so_also_after_others_came(bench: Bench) -> None:
    claim = bench.run_one(model="m")
    bench.runs().throttle(claim, pause_seconds=60, reason="account_overdue", cut="account")
    number = bench.submit(model="m")
    bench.dispatch()
    bench.submit(model="m")
    bench.dispatch()
    assert reason(bench, number) == "lane_paused: account_overdue"
    assert WaitingReasons(bench.client).of([]) == {}
