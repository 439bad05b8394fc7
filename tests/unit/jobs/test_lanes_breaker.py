"""How a lane closes when its endpoint or account fails, and opens again."""

import pytest

from jobs import keys
from jobs.claims import Claim
from jobs.closings import Closing
from jobs.lanes import Lanes
from tests.fakes.bench import ANSWERED, COMPLETED, FAILED, FAILURE, UNSENT, Bench
from tests.fakes.clock import Clock

LANE = "default:m"
REFUSED = Closing(outcome="failed", delivery="answered", may_be_billed=False, http_status=400)
BROKEN = Closing(outcome="failed", delivery="answered", may_be_billed=False, http_status=503)


def fault(bench: Bench, claim: Claim, *, pause: float = 0.0) -> None:
    """The call finds no endpoint, and its job goes back."""
    bench.runs().throttle(claim, pause_seconds=pause, reason="connection_failed", cut="endpoint")
    bench.runs().snooze(claim, UNSENT, delay_seconds=0, reason="connection_failed")


def open_breaker(bench: Bench) -> None:
    """Three calls in a row find no endpoint."""
    for claim in bench.run_all(3):
        fault(bench, claim)


def probe(bench: Bench, clock: Clock) -> Claim:
    """The one call that goes when the pause is over."""
    while bench.dispatch().released == 0:
        clock.forward(bench.dispatch().wake_seconds or 0.0)
    (claim,) = bench.claim()
    return claim


def state(bench: Bench) -> str:
    return bench.lanes.get(LANE).state


def pause_seconds(bench: Bench, clock: Clock) -> float:
    until = bench.lanes.get(LANE).paused_until
    return 0.0 if until is None else until - clock.seconds()


def test_two_faults_close_nothing_and_the_third_does(bench: Bench, clock: Clock) -> None:
    claims = bench.run_all(3)
    for claim in claims[:2]:
        fault(bench, claim)
    assert state(bench) == "open"
    assert bench.dispatch().released == 2
    fault(bench, claims[2])
    assert (state(bench), pause_seconds(bench, clock)) == ("probing", pytest.approx(2, abs=0.01))
    done = bench.dispatch()
    assert (done.released, bench.blocked()) == (0, "lane_paused: connection_failed")
    assert done.changes == [f"{LANE}: paused, then one call at a time until one is answered: connection_failed"]


def test_an_answer_in_between_begins_the_count_anew(bench: Bench, clock: Clock) -> None:
    claims = bench.run_all(5)
    for claim in claims[:2]:
        fault(bench, claim)
    bench.runs().finish(claims[2], COMPLETED, ANSWERED)
    for claim in claims[3:]:
        fault(bench, claim)
    assert state(bench) == "open"


def test_while_it_is_closed_one_call_at_a_time_looks_whether_it_is_back(bench: Bench, clock: Clock) -> None:
    open_breaker(bench)
    probe(bench, clock)
    assert bench.dispatch().released == 0
    assert bench.lanes.get(LANE).in_flight == 1


def test_its_pauses_double_up_to_a_minute(bench: Bench, clock: Clock) -> None:
    open_breaker(bench)
    pauses = [pause_seconds(bench, clock)]
    for _ in range(6):
        fault(bench, probe(bench, clock))
        pauses.append(pause_seconds(bench, clock))
    assert pauses == pytest.approx([2, 4, 8, 16, 32, 60, 60], abs=0.01)


def test_a_volley_of_faults_opens_it_once(bench: Bench, clock: Clock) -> None:
    for claim in bench.run_all(50):
        fault(bench, claim)
    assert pause_seconds(bench, clock) == pytest.approx(2, abs=0.01)


def test_a_fault_of_a_call_that_was_not_the_probe_lengthens_nothing(bench: Bench, clock: Clock) -> None:
    claims = bench.run_all(5)
    for claim in claims[:3]:
        fault(bench, claim)
    probe(bench, clock)
    for claim in claims[3:]:
        fault(bench, claim)
    assert pause_seconds(bench, clock) == 0


@pytest.mark.parametrize("closing", [ANSWERED, REFUSED])
def test_an_answer_opens_it_again_whatever_it_says_and_pauses_begin_short(
    bench: Bench, clock: Clock, closing: Closing
) -> None:
    open_breaker(bench)
    fault(bench, probe(bench, clock))
    claim = probe(bench, clock)
    bench.runs().finish(claim, COMPLETED if closing is ANSWERED else FAILURE, closing)
    assert state(bench) == "open"
    done = bench.dispatch()
    assert (done.released, done.changes) == (2, [f"{LANE}: an answer came; it is open again"])
    for claim in bench.claim() + bench.run_all(1):
        fault(bench, claim)
    assert pause_seconds(bench, clock) == pytest.approx(2, abs=0.01)


@pytest.mark.parametrize("closing", [FAILED, BROKEN])
def test_a_failure_that_is_no_answer_does_not_open_it(bench: Bench, clock: Clock, closing: Closing) -> None:
    open_breaker(bench)
    claim = probe(bench, clock)
    bench.runs().finish(claim, FAILURE, closing)
    assert state(bench) == "probing"
    assert bench.dispatch().released == 1, "another looks"


def test_a_probe_that_is_put_back_or_cancelled_makes_way_for_another(bench: Bench, clock: Clock) -> None:
    open_breaker(bench)
    claim = probe(bench, clock)
    bench.runs().snooze(claim, UNSENT, delay_seconds=100, reason="rate")
    again = probe(bench, clock)
    assert again.number != claim.number
    bench.store.cancel(again.number, project=None)
    assert bench.dispatch().released == 0
    bench.runs().finish(again, COMPLETED, FAILED)
    assert bench.dispatch().released == 1


def test_a_call_that_stays_up_for_a_quarter_of_a_minute_opens_it(bench: Bench, clock: Clock) -> None:
    open_breaker(bench)
    probe(bench, clock)
    done = bench.dispatch()
    assert done.wake_seconds == pytest.approx(15, abs=0.01)
    clock.forward(14.9)
    assert (bench.dispatch().released, state(bench)) == (0, "probing")
    clock.forward(0.1)
    done = bench.dispatch()
    assert (done.released, state(bench)) == (2, "open")
    assert done.changes == [f"{LANE}: a call stays up; it is open again"]


def test_a_refusal_by_rate_shows_that_the_endpoint_is_there(bench: Bench, clock: Clock) -> None:
    open_breaker(bench)
    claim = probe(bench, clock)
    bench.runs().throttle(claim, pause_seconds=1, reason="rate_limited", cut="requests")
    assert state(bench) == "paused"
    bench.runs().snooze(claim, UNSENT, delay_seconds=0, reason="rate_limited")
    clock.forward(1)
    assert bench.dispatch().released == 1
    assert state(bench) == "slowed"


def test_while_it_is_open_a_retry_spends_an_attempt_and_while_it_is_closed_none(bench: Bench, clock: Clock) -> None:
    first, second, third = bench.run_all(3, max_attempts=9)
    for claim in (first, second):
        bench.runs().throttle(claim, pause_seconds=0, reason="http_503", cut="endpoint")
        assert bench.runs().retry(claim, BROKEN, delay_seconds=0, spend="unless_down") == "put_back"
        assert bench.job(claim.number).attempts_spent == 1
    bench.runs().throttle(third, pause_seconds=0, reason="http_503", cut="endpoint")
    bench.runs().retry(third, BROKEN, delay_seconds=0, spend="unless_down")
    job = bench.job(third.number)
    assert (job.attempts_spent, job.attempts[0]["outcome"]) == (0, "snoozed")
    for _ in range(20):
        claim = probe(bench, clock)
        bench.runs().throttle(claim, pause_seconds=0, reason="http_503", cut="endpoint")
        bench.runs().retry(claim, BROKEN, delay_seconds=0, spend="unless_down")
    assert [bench.job(claim.number).attempts_spent for claim in (first, second, third)] == [1, 1, 0]


def test_a_retry_that_would_spend_the_last_attempt_changes_nothing_unless_it_is_closed(
    bench: Bench, clock: Clock
) -> None:
    claims = bench.run_all(4, max_attempts=1)
    before = bench.job(claims[0].number)
    assert bench.runs().retry(claims[0], BROKEN, delay_seconds=0, spend="unless_down") == "exhausted"
    assert bench.job(claims[0].number) == before
    assert bench.runs().finish(claims[0], FAILURE, BROKEN) == "finished"
    for claim in claims[1:]:
        bench.runs().throttle(claim, pause_seconds=0, reason="http_503", cut="endpoint")
    assert bench.runs().retry(claims[2], BROKEN, delay_seconds=0, spend="unless_down") == "put_back"
    assert bench.job(claims[2].number).attempts_spent == 0


def test_what_may_be_billed_spends_an_attempt_also_while_it_is_closed(bench: Bench, clock: Clock) -> None:
    open_breaker(bench)
    claim = probe(bench, clock)
    bench.runs().retry(claim, FAILED, delay_seconds=0, spend="always")
    assert bench.job(claim.number).attempts_spent == 1


def test_a_lane_that_fails_holds_up_no_other(bench: Bench, clock: Clock) -> None:
    open_breaker(bench)
    bench.fill(2, model="n")
    assert bench.dispatch().released == 2


def account_fault(bench: Bench, claim: Claim, *, pause: float = 10.0) -> None:
    bench.runs().throttle(claim, pause_seconds=pause, reason="account_overdue", cut="account")
    bench.runs().snooze(claim, UNSENT, delay_seconds=0, reason="account_overdue")


def test_after_an_account_fault_one_probe_goes_until_a_call_is_answered(bench: Bench, clock: Clock) -> None:
    (claim,) = bench.run_all()
    account_fault(bench, claim)
    bench.fill(4)
    assert (bench.dispatch().released, bench.blocked()) == (0, "lane_paused: account_overdue")
    clock.forward(10)
    assert [bench.dispatch().released, bench.dispatch().released] == [1, 0]
    assert bench.blocked() == "lane_paused: account_overdue"
    (found,) = bench.claim()
    bench.runs().finish(found, COMPLETED, ANSWERED)
    assert bench.dispatch().released == 4


def test_an_account_that_fails_again_pauses_again_for_as_long_as_it_is_told(bench: Bench, clock: Clock) -> None:
    (claim,) = bench.run_all()
    account_fault(bench, claim)
    for _ in range(3):
        account_fault(bench, probe(bench, clock), pause=30)
        assert pause_seconds(bench, clock) == pytest.approx(30, abs=0.01)


def test_a_refusal_by_rate_says_nothing_about_the_account(bench: Bench, clock: Clock) -> None:
    (claim,) = bench.run_all()
    account_fault(bench, claim)
    bench.runs().throttle(probe(bench, clock), pause_seconds=1, reason="rate_limited", cut="requests")
    assert state(bench) == "probing"


def test_a_lane_whose_probe_was_lost_with_its_worker_sends_another(bench: Bench, clock: Clock) -> None:
    open_breaker(bench)
    probe(bench, clock)
    bench.kill("w1")
    bench.sweep()
    bench.beat("w2")
    assert bench.dispatch().released == 1


def test_resuming_opens_it_at_once(bench: Bench, clock: Clock) -> None:
    open_breaker(bench)
    bench.dispatch()
    assert bench.lanes.resume(LANE, reason="it is back", by="me").state == "open"
    done = bench.dispatch()
    assert (done.released, done.changes) == (3, [f"{LANE}: resumed (by me: it is back)"])
    claims = bench.claim()
    fault(bench, claims[0])
    assert state(bench) == "open", "the count begins anew"


def test_what_is_kept_of_a_long_pause_is_kept_beyond_its_end(bench: Bench, clock: Clock) -> None:
    (claim,) = bench.run_all()
    account_fault(bench, claim, pause=3 * 86_400)
    assert bench.client.ttl(keys.lane(LANE)) == pytest.approx(4 * 86_400, abs=5)


@pytest.mark.parametrize("connect_seconds", [11.0, 30.0])
def test_how_long_a_call_must_stay_up_follows_the_time_to_connect(
    bench: Bench, clock: Clock, connect_seconds: float
) -> None:
    open_breaker(bench)
    probe(bench, clock)
    lanes = Lanes(bench.client, bench.limits, connect_seconds=connect_seconds)
    clock.forward(connect_seconds + 4.9)
    assert lanes.dispatch("leader").released == 0
    clock.forward(0.2)
    assert lanes.dispatch("leader").released == 2


def test_an_attempt_is_heard_once_however_often_it_is_told(bench: Bench, clock: Clock) -> None:
    (claim,) = bench.run_all()
    for _ in range(3):
        bench.runs().throttle(claim, pause_seconds=0, reason="connection_failed", cut="endpoint")
    assert state(bench) == "open"
    for _ in range(2):
        bench.runs().snooze(claim, UNSENT, delay_seconds=0, reason="connection_failed")
        bench.dispatch()
        (claim,) = bench.claim()
        bench.runs().throttle(claim, pause_seconds=0, reason="connection_failed", cut="endpoint")
    assert state(bench) == "probing", "another attempt of the same job is another fault"


def test_a_job_that_alone_breaks_the_endpoint_is_ended_while_the_others_go_through(bench: Bench, clock: Clock) -> None:
    bench.limit(in_flight=1)
    bad, *good = bench.fill(6, max_attempts=3)
    for _ in range(30):
        claim = probe(bench, clock)
        if claim.number != bad:
            bench.runs().finish(claim, COMPLETED, ANSWERED)
            continue
        bench.runs().throttle(claim, pause_seconds=0, reason="http_503", cut="endpoint")
        if bench.runs().retry(claim, BROKEN, delay_seconds=0, spend="unless_down") == "exhausted":
            bench.runs().finish(claim, FAILURE, BROKEN)
            break
    assert [bench.job(number).status for number in (bad, *good)] == ["failed"] + 5 * ["completed"]
    assert len(bench.job(bad).attempts) <= 6
