"""What a project may take by day and month: held at submit, settled at the end."""

from datetime import UTC, datetime, timedelta

import pytest

from jobs import keys, scripts
from jobs.closings import Closing
from jobs.errors import OverLimit
from jobs.store import Sameness
from jobs.usage import EPOCH, period_names
from tests.factories import new_job
from tests.fakes.bench import ANSWERED, COMPLETED, FAILED, FAILURE, UNSENT, Bench, answered
from tests.fakes.clock import START, Clock

NANO = 10**9
BUDGETS = ["tokens_per_day", "tokens_per_month", "cost_per_day", "cost_per_month"]


def refusal(bench: Bench, **changes: object) -> OverLimit:
    with pytest.raises(OverLimit) as caught:
        bench.submit(**{"project": "p"} | changes)
    return caught.value


def estimate(budget: str, amount: int) -> dict[str, int]:
    """A job that is estimated to take so much of the budget and nothing of the others."""
    return {"tokens": amount, "nano": 0} if budget.startswith("tokens") else {"tokens": 1, "nano": amount * NANO}


def used(budget: str, amount: int) -> Closing:
    return answered(amount) if budget.startswith("tokens") else answered(1, nano=amount * NANO)


@pytest.mark.parametrize("budget", BUDGETS)
def test_a_submit_holds_its_estimate_and_one_beyond_the_budget_is_refused(
    bench: Bench, clock: Clock, budget: str
) -> None:
    bench.projects.change("p", {budget: 100})
    bench.submit(project="p", **estimate(budget, 60))
    error = refusal(bench, **estimate(budget, 41))
    assert (error.limit, error.bound, str(error)) == (budget, "100", f"{budget} is 100")
    bench.submit(project="p", **estimate(budget, 40))
    assert refusal(bench, **estimate(budget, 1)).limit == budget
    bench.submit(project="q", **estimate(budget, 1000))


@pytest.mark.parametrize("budget", BUDGETS)
def test_a_refusal_says_when_the_budget_is_new(bench: Bench, clock: Clock, budget: str) -> None:
    bench.projects.change("p", {budget: 10})
    ends = datetime(2030, 2, 1, tzinfo=UTC) if budget.endswith("month") else datetime(2030, 1, 16, tzinfo=UTC)
    bench.runs().finish(bench.run_one(project="p", **estimate(budget, 1)), COMPLETED, used(budget, 1))
    error = refusal(bench, **estimate(budget, 10))
    assert error.retry_after_seconds == pytest.approx((ends - START).total_seconds(), abs=1)


@pytest.mark.parametrize("budget", BUDGETS)
def test_what_others_hold_may_be_free_in_a_minute_and_more_than_the_budget_never(
    bench: Bench, clock: Clock, budget: str
) -> None:
    bench.projects.change("p", {budget: 10})
    bench.submit(project="p", **estimate(budget, 1))
    assert refusal(bench, **estimate(budget, 10)).retry_after_seconds == 60
    assert refusal(bench, **estimate(budget, 11)).retry_after_seconds is None


@pytest.mark.parametrize("budget", BUDGETS)
def test_what_a_cancelled_job_held_is_free_again(bench: Bench, clock: Clock, budget: str) -> None:
    bench.projects.change("p", {budget: 10})
    number = bench.submit(project="p", **estimate(budget, 10))
    bench.store.cancel(number, project=None)
    bench.submit(project="p", **estimate(budget, 10))


@pytest.mark.parametrize("budget", BUDGETS)
def test_at_the_end_the_real_usage_takes_the_place_of_the_estimate(bench: Bench, clock: Clock, budget: str) -> None:
    bench.projects.change("p", {budget: 100})
    claim = bench.run_one(project="p", **estimate(budget, 80))
    bench.runs().finish(claim, COMPLETED, used(budget, 30))
    bench.submit(project="p", **estimate(budget, 70))
    assert refusal(bench, **estimate(budget, 1)).limit == budget


@pytest.mark.parametrize("period", ["day", "month"])
def test_a_budget_is_new_when_its_time_is_over(bench: Bench, clock: Clock, period: str) -> None:
    bench.projects.change("p", {f"tokens_per_{period}": 100})
    bench.runs().finish(bench.run_one(project="p", tokens=100), COMPLETED, answered(100))
    error = refusal(bench, tokens=1)
    assert error.retry_after_seconds is not None
    clock.forward(error.retry_after_seconds - 1)
    assert refusal(bench, tokens=1).limit == f"tokens_per_{period}"
    clock.forward(1)
    bench.submit(project="p", tokens=100)


def test_what_is_held_counts_against_the_next_day_too(bench: Bench, clock: Clock) -> None:
    bench.projects.change("p", {"tokens_per_day": 100})
    bench.submit(project="p", tokens=60)
    clock.forward(86_400)
    assert refusal(bench, tokens=41).limit == "tokens_per_day"


def spent(bench: Bench) -> tuple[int, float]:
    project = bench.projects.get("p")
    return project.tokens_today, project.cost_today


def held(bench: Bench) -> tuple[int, float]:
    project = bench.projects.get("p")
    return project.held_tokens, project.held_cost


def test_an_attempt_that_may_be_billed_for_an_unknown_amount_is_taken_for_its_estimate(
    bench: Bench, clock: Clock
) -> None:
    claim = bench.run_one(project="p", tokens=50, nano=2 * NANO)
    bench.runs().retry(claim, FAILED, delay_seconds=0)
    assert (spent(bench), held(bench)) == ((50, 2.0), (50, 2.0))
    bench.dispatch()
    (second,) = bench.claim()
    bench.runs().finish(second, COMPLETED, answered(30, nano=NANO))
    assert (spent(bench), held(bench)) == ((80, 3.0), (0, 0.0))


@pytest.mark.parametrize("closing", [UNSENT, Closing(outcome="failed", delivery="answered", may_be_billed=False)])
def test_an_attempt_that_is_not_billed_takes_nothing(bench: Bench, clock: Clock, closing: Closing) -> None:
    claim = bench.run_one(project="p", tokens=50, nano=NANO)
    bench.runs().snooze(claim, closing, delay_seconds=0, reason="rate")
    assert (spent(bench), held(bench)) == ((0, 0.0), (50, 1.0))


def test_usage_that_comes_late_takes_the_place_of_what_was_assumed(bench: Bench, clock: Clock) -> None:
    claim = bench.run_one(project="p", tokens=50, nano=2 * NANO)
    bench.runs().mark_sent(claim)
    bench.store.cancel(claim.number, project=None)
    assert (spent(bench), held(bench)) == ((50, 2.0), (0, 0.0))
    bench.runs().finish(claim, COMPLETED, answered(7, nano=NANO))
    assert spent(bench) == (7, 1.0)
    bench.runs().finish(claim, COMPLETED, answered(7, nano=NANO))
    assert spent(bench) == (7, 1.0)


def test_a_lost_attempt_is_assumed_and_corrected_by_its_late_answer(bench: Bench, clock: Clock) -> None:
    claim = bench.run_one(project="p", tokens=50, nano=2 * NANO)
    bench.runs().mark_sent(claim)
    bench.kill("w1")
    bench.sweep()
    assert (spent(bench), held(bench)) == ((50, 2.0), (50, 2.0))
    bench.runs().finish(claim, COMPLETED, answered(8, nano=NANO))
    assert (spent(bench), held(bench)) == ((8, 1.0), (0, 0.0))


def test_a_lost_attempt_that_turns_out_to_cost_nothing_takes_nothing(bench: Bench, clock: Clock) -> None:
    claim = bench.run_one(project="p", tokens=50)
    bench.runs().mark_sent(claim)
    bench.kill("w1")
    bench.sweep()
    bench.runs().finish(claim, FAILURE, Closing(outcome="failed", delivery="answered", may_be_billed=False))
    assert spent(bench) == (0, 0.0)


def test_a_cancelled_call_that_was_not_sent_takes_nothing(bench: Bench, clock: Clock) -> None:
    claim = bench.run_one(project="p", tokens=50)
    bench.store.cancel(claim.number, project=None)
    assert (spent(bench), held(bench)) == ((0, 0.0), (0, 0.0))


def test_a_job_shows_what_was_booked_for_it(bench: Bench, clock: Clock) -> None:
    claim = bench.run_one(project="p", nano=9)
    assert bench.job(claim.number).nano == 0
    bench.runs().retry(claim, answered(5, nano=3, outcome="failed"), delay_seconds=0)
    bench.dispatch()
    (second,) = bench.claim()
    bench.runs().finish(second, COMPLETED, answered(5, nano=4))
    assert bench.job(claim.number).nano == 7


@pytest.mark.parametrize("budget", BUDGETS)
def test_a_project_that_overspent_starts_nothing_and_others_go_on(bench: Bench, clock: Clock, budget: str) -> None:
    bench.projects.change("p", {budget: 100})
    claim = bench.run_one(project="p", model="m", **estimate(budget, 10))
    waiting = bench.submit(project="p", model="m", **estimate(budget, 10))
    bench.runs().finish(claim, COMPLETED, used(budget, 100))
    other = bench.submit(project="q", model="m")
    bench.dispatch()
    assert [each.number for each in bench.claim()] == [other]
    assert bench.waiting_room.of([bench.job(waiting)])[waiting].reason == "budget"
    bench.projects.change("p", {budget: 101})
    assert bench.dispatch().released == 1
    assert bench.waiting_room.of([bench.job(waiting)])[waiting].reason is None


def test_a_project_that_overspent_goes_on_when_the_day_is_over_and_the_dispatcher_knows_when(
    bench: Bench, clock: Clock
) -> None:
    bench.projects.change("p", {"tokens_per_day": 100})
    claim = bench.run_one(project="p", tokens=10)
    bench.submit(project="p", tokens=10)
    bench.runs().finish(claim, COMPLETED, answered(120))
    done = bench.dispatch()
    assert (done.released, done.wake_seconds) == (0, 30)
    clock.forward(12 * 3600 - 1)
    done = bench.dispatch()
    assert (done.released, done.wake_seconds) == (0, pytest.approx(1, abs=0.01))
    clock.forward(1)
    assert bench.dispatch().released == 1


def test_a_change_of_what_was_not_in_the_way_lets_nothing_go(bench: Bench, clock: Clock) -> None:
    bench.projects.change("p", {"tokens_per_day": 100})
    claim = bench.run_one(project="p", tokens=10)
    bench.submit(project="p", tokens=10)
    bench.runs().finish(claim, COMPLETED, answered(120))
    bench.dispatch()
    bench.projects.change("p", {"weight": 2.0})
    assert bench.dispatch().released == 0


def test_a_submit_that_is_refused_takes_nothing_of_the_other_limits(bench: Bench, clock: Clock) -> None:
    bench.projects.change("p", {"submits_per_minute": 1, "tokens_per_day": 100, "cost_per_day": 1, "max_queued": 1})
    before = bench.projects.get("p")
    assert refusal(bench, tokens=101).limit == "tokens_per_day"
    assert refusal(bench, tokens=1, nano=2 * NANO).limit == "cost_per_day"
    assert bench.projects.get("p") == before
    bench.submit(project="p", tokens=100, nano=NANO)
    assert refusal(bench, tokens=1).limit == "max_queued"
    assert held(bench) == (100, 1.0)


def test_a_refused_submit_leaves_no_record_and_no_key_behind(bench: Bench, clock: Clock) -> None:
    bench.projects.change("p", {"tokens_per_day": 1})
    before = bench.all_keys()
    refusal(bench, tokens=2)
    assert bench.all_keys() == before | {keys.METRICS}
    assert bench.count("queued_bytes") == 0


def test_so_many_may_be_queued_and_one_more_when_one_is_taken(bench: Bench, clock: Clock) -> None:
    bench.projects.change("p", {"max_queued": 2})
    first = bench.submit(project="p")
    bench.submit(project="p")
    error = refusal(bench)
    assert (error.limit, error.bound, error.retry_after_seconds) == ("max_queued", "2", 5.0)
    bench.submit(project="q")
    bench.store.cancel(first, project=None)
    bench.submit(project="p")
    bench.beat("w1")
    bench.dispatch()
    bench.claim()
    bench.submit(project="p")
    bench.submit(project="p")
    assert refusal(bench).limit == "max_queued"


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 11, 13, 59, 60, 97])
def test_a_minutes_worth_of_submits_goes_at_once_and_then_one_at_a_time(bench: Bench, clock: Clock, limit: int) -> None:
    bench.projects.change("p", {"submits_per_minute": limit})
    for _ in range(limit):
        bench.submit(project="p")
    for _ in range(2):
        error = refusal(bench)
        assert (error.limit, error.bound) == ("submits_per_minute", str(limit))
        assert error.retry_after_seconds is not None
        assert error.retry_after_seconds == pytest.approx(60 / limit, abs=0.002)
        clock.forward(error.retry_after_seconds)
        bench.submit(project="p")


def test_a_repeated_submit_counts_once_and_is_answered_over_the_limit_too(bench: Bench, clock: Clock) -> None:

    bench.projects.change("p", {"submits_per_minute": 1, "max_queued": 1, "tokens_per_day": 10})
    same = Sameness(digest="ab", key="k")
    answers = [bench.store.submit(new_job(project="p", tokens=10), same) for _ in range(3)]
    assert [answer.created for answer in answers] == [True, False, False]
    assert held(bench)[0] == 10


def test_what_ran_and_failed_is_settled_and_holds_nothing(bench: Bench, clock: Clock) -> None:
    claim = bench.run_one(project="p", tokens=50)
    bench.runs().finish(claim, FAILURE, Closing(outcome="failed", delivery="answered", may_be_billed=False))
    assert (spent(bench), held(bench)) == ((0, 0.0), (0, 0.0))


def test_a_completed_job_without_usage_is_taken_for_its_estimate(bench: Bench, clock: Clock) -> None:
    bench.runs().finish(bench.run_one(project="p", tokens=50), COMPLETED, ANSWERED)
    assert (spent(bench), held(bench)) == ((50, 0.0), (0, 0.0))


def test_an_expired_job_holds_nothing(bench: Bench, clock: Clock) -> None:
    bench.submit(project="p", tokens=50, queue_deadline_seconds=1.0)
    clock.forward(2)
    assert bench.sweep().expired == 1
    assert held(bench) == (0, 0.0)


MONTHS = """
local months = {}
for day = tonumber(ARGV[2]), tonumber(ARGV[3]) do months[#months + 1] = month_of(day) end
return months
"""


@pytest.mark.parametrize("year", [1970, 1999, 2000, 2024, 2026, 2028, 2099, 2100, 2399, 2400])
def test_the_scripts_know_the_calendar(bench: Bench, year: int) -> None:
    first = (datetime(year, 1, 1, tzinfo=UTC).date() - EPOCH).days
    last = first + 4 * 366
    parts = scripts.script("submit").source.partition("local function call(")[0]
    months = bench.client.eval(parts + MONTHS, 0, "{respool}:", first, last)
    days = [EPOCH + timedelta(days=n) for n in range(first, last + 1)]
    assert months == [12 * day.year + day.month - 1 for day in days]


@pytest.mark.parametrize(
    "moment",
    [datetime(2030, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC),
     datetime(2032, 2, 29, 12, tzinfo=UTC), datetime(2033, 3, 1, tzinfo=UTC), datetime(2100, 2, 28, 23, tzinfo=UTC)],
)  # fmt: skip
def test_what_the_scripts_book_is_what_the_projects_read(bench: Bench, clock: Clock, moment: datetime) -> None:
    clock.set(moment)
    claim = bench.run_one(project="p")
    bench.runs().finish(claim, COMPLETED, answered(40))
    project = bench.projects.get("p")
    assert (project.tokens_today, project.tokens_this_month) == (40, 40)
    assert period_names(round(moment.timestamp()))[1] == f"month{12 * moment.year + moment.month - 1}"


@pytest.mark.parametrize(
    ("moment", "ends"),
    [
        (datetime(2030, 12, 31, 23, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)),
        (datetime(2032, 2, 1, tzinfo=UTC), datetime(2032, 3, 1, tzinfo=UTC)),
        (datetime(2031, 2, 28, 23, tzinfo=UTC), datetime(2031, 3, 1, tzinfo=UTC)),
    ],
)
def test_a_month_ends_where_the_calendar_says(bench: Bench, clock: Clock, moment: datetime, ends: datetime) -> None:
    clock.set(moment)
    bench.projects.change("p", {"tokens_per_month": 1})
    bench.runs().finish(bench.run_one(project="p", tokens=1), COMPLETED, answered(1))
    assert refusal(bench, tokens=1).retry_after_seconds == pytest.approx((ends - moment).total_seconds(), abs=1)


def test_usage_that_comes_late_and_is_less_than_assumed_lets_the_project_go_on(bench: Bench, clock: Clock) -> None:
    bench.projects.change("p", {"tokens_per_day": 100})
    claim = bench.run_one(project="p", tokens=50)
    bench.submit(project="p", tokens=50)
    bench.runs().retry(claim, FAILED, delay_seconds=600)
    bench.projects.change("p", {"tokens_per_day": 50})
    assert bench.dispatch().released == 0
    bench.runs().finish(claim, FAILURE, answered(7))
    assert bench.dispatch().released == 1


def test_a_slot_that_is_freed_lets_the_project_go_on_whatever_it_is_parked_for(bench: Bench, clock: Clock) -> None:
    bench.projects.change("p", {"max_in_flight": 1})
    claim = bench.run_one(project="p")
    bench.submit(project="p")
    assert bench.dispatch().released == 0
    bench.client.hset(keys.project("p"), "blocked", "budget")
    bench.runs().finish(claim, COMPLETED, answered(1))
    assert bench.dispatch().released == 1


@pytest.mark.parametrize("budget", ["cost_per_day", "cost_per_month"])
def test_who_may_spend_no_money_may_run_what_costs_none(bench: Bench, clock: Clock, budget: str) -> None:
    bench.projects.change("p", {budget: 0})
    bench.submit(project="p")
    bench.beat("w1")
    assert bench.dispatch().released == 1
    assert refusal(bench, nano=1).limit == budget


@pytest.mark.parametrize("late", [datetime(2030, 1, 16, tzinfo=UTC), datetime(2030, 2, 1, tzinfo=UTC)])
def test_what_was_assumed_is_taken_back_from_the_day_on_which_it_was(
    bench: Bench, clock: Clock, late: datetime
) -> None:
    claim = bench.run_one(project="p", tokens=50, nano=2 * NANO)
    bench.runs().mark_sent(claim)
    bench.store.cancel(claim.number, project=None)
    clock.set(late)
    bench.runs().finish(claim, COMPLETED, answered(7, nano=NANO))
    project = bench.projects.get("p")
    assert (project.tokens_today, project.tokens_this_month, project.cost_today) == (7, 7, 1.0)
    was, _ = period_names(round(START.timestamp()))
    assert bench.client.hgetall(keys.spent("p", was)) == {b"tokens": b"0", b"nano": b"0"}
