from typing import Any

import pytest

from jobs import event_log, keys, scripts
from jobs.claims import Claim
from jobs.event_log import RESTARTED, EventLog, Look, appending
from tests.fakes.bench import ANSWERED, COMPLETED, FAILED, FAILURE, Bench

DELTA = ("response.output_text.delta", b'{"type":"response.output_text.delta","delta":"a"}')


def append(bench: Bench, claim: Claim, count: int, *, before: int = 0, **changes: Any) -> int:
    call = appending(
        claim.number,
        **{"worker": "w1", "attempt": claim.attempt, "before": before, "events": [DELTA] * count, "whole": False}
        | changes,
    )
    answer: int = scripts.run(bench.client, call)
    return answer


def look(bench: Bench, number: str, *, after: int = 2) -> Look:
    found = EventLog(bench.client).look(number, after=after)
    assert found is not None
    return found


def numbers(bench: Bench, number: str) -> list[int]:
    return [entry.number for entry in look(bench, number).entries]


def again(bench: Bench) -> Claim:
    bench.dispatch()
    (claim,) = bench.claim()
    return claim


def test_events_are_numbered_from_3_on_and_kept_as_they_were_given(bench: Bench) -> None:
    claim = bench.run_one()
    assert [append(bench, claim, 2), append(bench, claim, 1, before=2)] == [2, 3]
    found = look(bench, claim.number)
    assert [entry.number for entry in found.entries] == [3, 4, 5]
    assert {(entry.type, entry.event) for entry in found.entries} == {DELTA}
    assert (found.status, found.last, found.void, found.ended_at, found.whole) == ("in_progress", 5, 0, None, False)


def test_a_look_begins_behind_the_number_that_is_told_and_ends_with_a_page(bench: Bench) -> None:
    claim = bench.run_one()
    append(bench, claim, event_log.PAGE_EVENTS + 10)
    first = look(bench, claim.number, after=5)
    assert [entry.number for entry in first.entries] == list(range(6, 6 + event_log.PAGE_EVENTS))
    assert not first.exhausted
    assert look(bench, claim.number, after=first.entries[-1].number).exhausted


def test_what_is_sent_twice_is_kept_once(bench: Bench) -> None:
    claim = bench.run_one()
    assert [append(bench, claim, 2), append(bench, claim, 2), append(bench, claim, 3)] == [2, 2, 3]
    assert numbers(bench, claim.number) == [3, 4, 5]


def test_events_behind_a_gap_are_refused(bench: Bench) -> None:
    claim = bench.run_one()
    assert append(bench, claim, 1, before=1) == -1
    assert numbers(bench, claim.number) == []


@pytest.mark.parametrize("change", [{"worker": "w2"}, {"attempt": 2}])
def test_only_the_attempt_that_is_under_way_adds_events(change: dict[str, Any], bench: Bench) -> None:
    claim = bench.run_one()
    assert append(bench, claim, 1, **change) == -1
    assert numbers(bench, claim.number) == []


@pytest.mark.parametrize("way", ["finish", "cancel", "retry"])
def test_nothing_is_added_once_the_attempt_is_over(way: str, bench: Bench) -> None:
    claim = bench.run_one()
    if way == "finish":
        bench.runs().finish(claim, COMPLETED, ANSWERED)
    elif way == "cancel":
        bench.store.cancel(claim.number, project=None)
    else:
        bench.runs().retry(claim, FAILED, delay_seconds=0)
    assert append(bench, claim, 1) == -1
    assert numbers(bench, claim.number) == []


def test_a_later_attempt_declares_void_what_an_earlier_one_left(bench: Bench) -> None:
    claim = bench.run_one()
    append(bench, claim, 2)
    bench.runs().retry(claim, FAILED, delay_seconds=0)
    later = again(bench)
    append(bench, later, 1)
    found = look(bench, claim.number)
    assert [(entry.number, entry.type) for entry in found.entries][2:] == [(5, RESTARTED), (6, DELTA[0])]
    assert found.entries[2].event == b'{"type":"respool:attempt.restarted","attempt":2}'
    assert found.void == 5


def test_a_later_attempt_that_comes_to_an_empty_log_voids_nothing(bench: Bench) -> None:
    bench.runs().retry(bench.run_one(), FAILED, delay_seconds=0)
    claim = again(bench)
    append(bench, claim, 1)
    found = look(bench, claim.number)
    assert ([entry.type for entry in found.entries], found.void) == ([DELTA[0]], 0)


def test_the_log_is_whole_only_for_the_attempt_that_ended_the_job(bench: Bench) -> None:
    claim = bench.run_one()
    append(bench, claim, 1, whole=True)
    assert not look(bench, claim.number).whole
    bench.runs().finish(claim, COMPLETED, ANSWERED)
    found = look(bench, claim.number)
    assert (found.whole, found.loose, found.superseded, found.ended_by) == (True, False, False, 1)


def test_the_late_answer_of_an_attempt_is_not_whole_once_another_has_written(bench: Bench) -> None:
    claim = bench.run_one()
    append(bench, claim, 1, whole=True)
    bench.kill("w1")
    bench.sweep()
    bench.beat("w1")
    append(bench, again(bench), 1)
    assert bench.runs().finish(claim, COMPLETED, ANSWERED) == "finished"
    found = look(bench, claim.number)
    assert (found.whole, found.superseded) == (False, True)


def test_a_log_grows_to_its_bound_and_no_further(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "MOST_BYTES", 10 * sum(map(len, DELTA)))
    claim = bench.run_one()
    assert [append(bench, claim, 9), append(bench, claim, 2, before=9)] == [9, -2]
    assert append(bench, claim, 1, before=9) == 10
    assert len(numbers(bench, claim.number)) == 10


def test_a_log_expires_with_its_record_and_goes_when_that_is_forgotten(bench: Bench) -> None:
    claim, other = bench.run_one(), bench.run_one()
    for each in (claim, other):
        append(bench, each, 1)
        assert bench.client.ttl(keys.log(each.number)) == -1
        bench.runs().finish(each, COMPLETED, ANSWERED)
        assert abs(bench.client.ttl(keys.log(each.number)) - bench.client.ttl(keys.job(each.number))) <= 1
    bench.store.delete(claim.number, project=None)
    bench.make_due("ended")
    bench.sweep()
    assert not any(name.startswith(keys.log("")) for name in bench.all_keys())


def test_a_retry_by_hand_keeps_the_log_and_leaves_the_numbers_of_the_failure_out(bench: Bench) -> None:
    claim = bench.run_one()
    append(bench, claim, 1)
    bench.runs().finish(claim, FAILURE, FAILED)
    bench.store.retry(claim.number, project=None)
    assert bench.client.ttl(keys.log(claim.number)) == -1
    later = again(bench)
    append(bench, later, 1)
    found = look(bench, claim.number)
    told = [(entry.number, entry.type) for entry in found.entries]
    assert told == [(3, DELTA[0]), (6, RESTARTED), (7, DELTA[0])]
    assert b'"attempt":2}' in found.entries[1].event


def test_of_a_job_that_is_gone_there_is_no_log(bench: Bench) -> None:
    assert EventLog(bench.client).look("0" * 32, after=2) is None
