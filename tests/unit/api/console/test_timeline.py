from typing import Any

from api.console.timeline import timeline

FAILED = {"number": 1, "started_at": 11.0, "finished_at": 13.0, "outcome": "failed", "account": "first", "worker": "w1",
          "error": {"code": "overloaded", "message": "later"}, "http_status": 503, "may_be_billed": True}  # fmt: skip
RUNNING = FAILED | {"number": 2, "started_at": 20.0, "finished_at": None, "outcome": "running", "error": None}


def job(**changes: Any) -> dict[str, Any]:
    values = {"status": "in_progress", "created_at": 10.0, "finished_at": None, "priority": 5, "attempts": [],
              "error": None, "waiting_reason": None, "position": None, "eta": None}  # fmt: skip
    return values | changes


def test_attempts_stand_in_their_order_with_why_they_failed() -> None:
    steps = timeline(job(attempts=[FAILED, RUNNING]), [])
    assert [step.what for step in steps] == [
        "Queued", "Attempt 1 started", "Attempt 1 ended: failed", "Attempt 2 started"
    ]  # fmt: skip
    assert steps[2].notes == ["overloaded: later", "HTTP 503", "after 2.0 s", "may have been billed"]


def test_a_job_that_waits_says_for_what_and_how_long() -> None:
    eta = {"p50_seconds": 30.0, "p90_seconds": 90.0}
    waits = timeline(job(status="queued", waiting_reason="lane_paused", position=1200, eta=eta), [])[-1]
    assert (waits.at, waits.what) == (None, "Waits")
    assert waits.notes[:2] == ["lane paused", "number 1,200 in its project's queue"]
    assert "30 s" in waits.notes[2]


def test_an_end_says_what_it_was_and_after_how_long() -> None:
    error = {"code": "cancelled", "message": "by request"}
    end = timeline(job(status="cancelled", finished_at=75.0, error=error), [])[-1]
    assert (end.kind, end.what, end.notes) == ("cancelled", "Cancelled", ["cancelled: by request", "after 1 min 5 s"])


def test_deliveries_tell_each_attempt_and_the_next() -> None:
    tried = {"number": 1, "started_at": 30.0, "http_status": 500, "error": None}
    lost = {"number": 2, "started_at": None, "http_status": None, "error": "unknown"}
    good = {"number": 3, "started_at": 50.0, "http_status": 204, "error": None}
    delivery = {"type": "response.completed", "origin": "https://e.com:443", "attempts": [tried, lost, good],
                "next_attempt_at": 60.0}  # fmt: skip
    steps = [step for step in timeline(job(), [delivery]) if step.what.startswith("Webhook")]
    assert [(step.kind, step.at) for step in steps] == [
        ("failed", 30.0), ("completed", 50.0), ("failed", None), ("queued", None)
    ]  # fmt: skip
