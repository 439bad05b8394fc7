import json
from typing import Any

import pytest

from sandbox.background import begun_payload, found_payload, status_shown, work
from sandbox.calls import Call
from sandbox.errors import Refused
from sandbox.faults import parse_fault
from sandbox.kept import Kept
from sandbox.response import new_response

BODY = {"model": "m", "input": "hello", "background": True}


def new_kept(fault: str = "") -> Kept:
    call = Call(request_id="req_1", idempotency_key=None, started_at=0.0, in_flight=1, background=True)
    return Kept(new_response(BODY, created_at=10), call=call, fault=parse_fault(fault))


def done(kept: Kept) -> dict[str, Any]:
    return {**kept.response, "status": "completed", "completed_at": 12}


def shown(kept: Kept) -> Any:
    return json.loads(b"".join(found_payload(kept).walk()))


def test_work_ends_with_what_it_makes_and_is_in_progress_meanwhile() -> None:
    kept, seen = new_kept(), []

    def respond() -> dict[str, Any]:
        seen.append(kept.response["status"])
        return done(kept)

    work(kept, respond)
    assert seen == ["in_progress"]
    assert shown(kept)["status"] == "completed"


def test_work_that_is_refused_fails_with_the_reason() -> None:
    kept = new_kept()

    def respond() -> dict[str, Any]:
        raise Refused("No such medium.", param="input_video")

    work(kept, respond)
    assert shown(kept)["status"] == "failed"
    assert shown(kept)["error"] == {"code": "InvalidParameter", "message": "No such medium."}


def test_work_that_breaks_does_not_run_for_ever() -> None:
    kept = new_kept()
    with pytest.raises(ZeroDivisionError):
        work(kept, lambda: {"status": 1 // 0})
    assert shown(kept)["error"]["code"] == "server_error"


@pytest.mark.parametrize("fault", ["queued=3000", "delay=3000", "hang", ""])
def test_work_that_is_cancelled_makes_nothing(fault: str) -> None:
    kept = new_kept(fault)
    kept.cancel()
    work(kept, lambda: pytest.fail("it works on"))
    assert shown(kept)["status"] == "cancelled"


def test_the_shape_is_for_the_result_alone() -> None:
    kept = new_kept("shape=status_failed;code=ServerOverloaded")
    begun = json.loads(b"".join(begun_payload(kept.response, kept.fault).walk()))
    assert (begun["status"], shown(kept)["status"], status_shown(kept)) == ("queued", "queued", "queued")
    work(kept, lambda: done(kept))
    assert (shown(kept)["status"], shown(kept)["error"]["code"]) == ("failed", "ServerOverloaded")
    assert status_shown(kept) == "failed"


@pytest.mark.parametrize(
    ("shape", "status"), [("array", "completed"), ("wrong", "completed"), ("no_output", "completed")]
)
def test_a_shape_without_a_status_leaves_that_of_the_work(shape: str, status: str) -> None:
    kept = new_kept(f"shape={shape}")
    work(kept, lambda: done(kept))
    assert status_shown(kept) == status


def test_faults_of_bytes_hold_for_the_call_that_begins_it() -> None:
    kept = new_kept("json=broken")
    with pytest.raises(json.JSONDecodeError):
        json.loads(b"".join(begun_payload(kept.response, kept.fault).walk()))
    assert shown(kept)["status"] == "queued"


def test_times_and_codes_are_odd_in_both() -> None:
    kept = new_kept("stream=float_times+int_codes+always;shape=status_failed")
    begun = begun_payload(kept.response, kept.fault)
    assert begun.content_type == "application/json"
    assert json.loads(b"".join(begun.walk()))["created_at"] == 10.25
    work(kept, lambda: done(kept))
    assert (shown(kept)["created_at"], shown(kept)["error"]["code"]) == (10.25, 500)
