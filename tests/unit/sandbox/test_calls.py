import threading
from concurrent.futures import ThreadPoolExecutor

from sandbox.calls import Call, CallLog


def begin(log: CallLog, key: str | None = None) -> Call:
    return log.begin(request_id="req_1", idempotency_key=key)


def test_a_call_is_seen_from_its_start_to_its_end() -> None:
    log = CallLog(kept=10)
    call = begin(log, "k")
    (running,) = log.seen()["data"]
    assert (running["idempotency_key"], running["ended_at"], running["in_flight"]) == ("k", None, 1)
    log.end(call)
    (ended,) = log.seen()["data"]
    assert ended["started_at"] <= ended["ended_at"]
    assert log.seen()["in_flight"] == 0


def test_only_the_latest_are_kept_but_all_are_counted() -> None:
    log = CallLog(kept=3)
    for place in range(5):
        log.end(begin(log, f"k{place}"))
    seen = log.seen()
    assert (seen["total"], [call["idempotency_key"] for call in seen["data"]]) == (5, ["k2", "k3", "k4"])
    assert [len(log.seen(limit=limit)["data"]) for limit in (-1, 0, 1, 2, 9)] == [0, 0, 1, 2, 3]
    assert len(log.keys.at_least(1)) == 5


def test_calls_that_overlap_are_counted_exactly() -> None:
    log, together = CallLog(kept=1_000), threading.Barrier(16)

    def work(place: int) -> None:
        for _ in range(50):
            together.wait(10)
            call = begin(log, str(place))
            together.wait(10)
            log.end(call)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    seen = log.seen()
    assert (seen["total"], seen["in_flight"], seen["in_flight_max"]) == (800, 0, 16)
    assert log.keys.at_least(50) == {str(place): 50 for place in range(16)}


def test_clearing_forgets_all_but_what_is_in_flight() -> None:
    log = CallLog(kept=10)
    running = begin(log, "a")
    log.end(begin(log, "b"))
    log.note_poll(running)
    log.note_cancel(running)
    log.refusals.add("Code")
    log.clear()
    counts = {"total": 0, "polls": 0, "cancels": 0, "refusals": {}}
    assert log.seen() == {"object": "list", **counts, "in_flight": 1, "in_flight_max": 1, "data": []}
    assert log.keys.at_least(1) == {}


def test_polls_and_cancels_are_counted_for_each_call_and_in_all() -> None:
    log = CallLog(kept=10)
    first, second = begin(log), begin(log)
    for call in (first, first, second, None):
        log.note_poll(call)
    for call in (second, None):
        log.note_cancel(call)
    seen = log.seen()
    assert [(call["polls"], call["cancels"]) for call in seen["data"]] == [(2, 0), (1, 1)]
    assert (seen["polls"], seen["cancels"]) == (4, 2)


def test_twenty_thousand_calls_are_shown_whole_or_in_part() -> None:
    log = CallLog(kept=20_000)
    for place in range(20_001):
        log.end(begin(log, str(place)))
    assert [call["idempotency_key"] for call in log.seen()["data"]] == [str(place) for place in range(1, 20_001)]
    assert [call["idempotency_key"] for call in log.seen(limit=2)["data"]] == ["19999", "20000"]
