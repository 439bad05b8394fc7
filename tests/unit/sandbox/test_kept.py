import threading
from typing import Any

from sandbox.calls import Call
from sandbox.faults import Fault
from sandbox.kept import Kept, KeptResponses, not_found


def kept(response_id: str = "resp_1", **fields: Any) -> Kept:
    response = {"id": response_id, "status": "queued", "output": [], **fields}
    call = Call(request_id="req_1", idempotency_key=None, started_at=0.0, in_flight=1)
    return Kept(response, call=call, fault=Fault())


def test_a_response_goes_from_queued_to_its_end() -> None:
    response = kept()
    response.begin()
    assert response.response["status"] == "in_progress"
    assert response.end({**response.response, "status": "completed"})
    response.begin()
    assert (response.response["status"], response.has_ended) == ("completed", True)


def test_it_ends_once() -> None:
    response = kept()
    response.cancel()
    assert not response.end({**response.response, "status": "completed"})
    response.cancel()
    assert response.response["status"] == "cancelled"
    done = kept()
    done.end({**done.response, "status": "failed"})
    done.cancel()
    assert done.response["status"] == "failed"


def test_waiting_ends_by_the_clock_or_at_once_when_it_is_cancelled() -> None:
    response, cancelled = kept(), []
    assert not response.wait(0)
    assert not response.wait(0.01)
    waiter = threading.Thread(target=lambda: cancelled.append(response.wait(60)))
    waiter.start()
    response.cancel()
    waiter.join(30)
    assert cancelled == [True]
    assert response.wait(0)


def test_the_latest_that_ended_are_known_and_all_that_run() -> None:
    all_kept = KeptResponses(kept=2)
    responses = [kept(str(place)) for place in range(6)]
    for response in responses:
        all_kept.add(response)
    for response in responses[:4]:
        all_kept.settle(response)
    assert [all_kept.find(str(place)) for place in range(6)] == [None, None, *responses[2:]]


def test_one_that_is_forgotten_while_it_runs_stays_so() -> None:
    all_kept, response = KeptResponses(kept=2), kept()
    all_kept.add(response)
    all_kept.forget("resp_1")
    all_kept.forget("resp_1")
    all_kept.settle(response)
    assert all_kept.find("resp_1") is None


def test_an_unknown_id_is_named() -> None:
    refusal = not_found("resp_9")
    assert refusal.status == 404
    assert refusal.body()["error"] == {
        "code": "ResponseNotFound",
        "message": "Response with id 'resp_9' not found.",
        "param": None,
        "type": "invalid_request_error",
    }
