import json
from typing import Any

import pytest

from api import job_view
from jobs import keys
from jobs.webhooks.deliveries import MOST_RESPONSE_BYTES, DeliveryClaim, Kept
from jobs.webhooks.target import Include
from tests.fakes.bench import FAILED, FAILURE, Bench
from worker.webhooks.body import body_of

THIN = '{"object":"event","id":"evt_1","type":"response.completed","created_at":1,"data":{"id":"resp_1","respool":%s}}'
OURS = ['{"metadata":{"a":"}}"},"usage":null}', "{}", '{"metadata":{"ä":"€\\"}}"}}']
ERROR = {"code": "refused", "message": "no {", "retryable": False, "more": 1}


def claim(*, include: Include = "response", kept: Kept | None = None, ours: str = OURS[0]) -> DeliveryClaim:
    return DeliveryClaim(
        number="d",
        attempt=1,
        step=0,
        event_id="evt_1",
        type="response.completed",
        url="https://hooks.example.com/",
        include=include,
        body=(THIN % ours).encode(),
        project="p",
        endpoint_id=None,
        signer="project",
        sealed=(),
        trigger="schedule",
        kept=kept,
    )


def end(**changes: Any) -> Kept:
    values: dict[str, Any] = {
        "number": "1",
        "status": "completed",
        "response": b'{"id":"resp_1" , "output":[]}',
        "echo": b'{"model":"m","metadata":{"a":"\\u00e4"},"background":true}',
        "error": None,
        "created_at": 1_700_000_000.75,
        "finished_at": 1_700_000_009.25,
    }
    return Kept(**values | changes)


@pytest.mark.parametrize("kept", [None, end()])
def test_without_a_response_the_bytes_are_those_of_the_event(kept: Kept | None) -> None:
    asked = claim(include="id", kept=kept)
    assert body_of(asked) == asked.body


@pytest.mark.parametrize("ours", OURS)
@pytest.mark.parametrize("response", [b'{"id":"resp_1" , "output":[]}', '{"text":"ä€😀}}"}'.encode()])
def test_the_response_stands_in_the_data_byte_for_byte_and_nothing_else_changes(ours: str, response: bytes) -> None:
    asked = claim(kept=end(response=response), ours=ours)
    body = body_of(asked)
    assert body.count(response) == 1
    thin, whole = json.loads(asked.body), json.loads(body)
    assert whole["data"].pop("response") == json.loads(response)
    assert whole == thin
    assert body.startswith(asked.body[:-2])


def sized(size: int) -> bytes:
    return b'"' + b"x" * (size - 2) + b'"'


@pytest.mark.parametrize(("size", "fits"), [(MOST_RESPONSE_BYTES, True), (MOST_RESPONSE_BYTES + 1, False)])
def test_a_response_of_at_most_256_kib_is_sent(size: int, fits: bool) -> None:
    assert MOST_RESPONSE_BYTES == 262_144
    response = json.loads(body_of(claim(kept=end(response=sized(size)))))["data"]["response"]
    assert response == ("x" * (size - 2) if fits else None)


@pytest.mark.parametrize(("size", "fits"), [(1000, True), (MOST_RESPONSE_BYTES, False)])
def test_one_that_has_to_be_made_may_be_no_larger(size: int, fits: bool) -> None:
    echo = json.dumps({"instructions": "x" * size}).encode()
    made = end(status="cancelled", response=None, echo=echo)
    assert (json.loads(body_of(claim(kept=made)))["data"]["response"] is not None) is fits


def test_a_response_that_is_no_longer_kept_is_null() -> None:
    body = body_of(claim(kept=None))
    assert body.endswith(b',"response":null}}')
    assert json.loads(body)["data"]["response"] is None


@pytest.mark.parametrize(
    ("status", "error", "shown"),
    [
        ("failed", ERROR, {"code": "refused", "message": "no {"}),
        ("completed", None, None),
        ("cancelled", None, None),
        ("incomplete", None, None),
    ],
)
def test_a_job_without_a_response_of_its_own_gets_one_with_its_status_and_error(
    status: str, error: dict[str, Any] | None, shown: dict[str, str] | None
) -> None:
    made = end(status=status, response=None, error=json.dumps(error).encode() if error else None)
    body = body_of(claim(kept=made))
    response = json.loads(body)["data"]["response"]
    assert (response["id"], response["object"], response["status"]) == ("resp_1", "response", status)
    completed_at = 1_700_000_009 if status == "completed" else None
    assert (response["created_at"], response["completed_at"]) == (1_700_000_000, completed_at)
    assert (response["model"], response["metadata"]) == ("m", {"a": "ä"})
    assert (response["error"] or {}).get("message") == (shown or {}).get("message")
    assert body == body_of(claim(kept=made))


@pytest.mark.parametrize("how", ["cancelled", "failed"])
def test_it_is_the_response_that_a_poll_shows(bench: Bench, how: str) -> None:
    if how == "cancelled":
        number = bench.submit()
        bench.store.cancel(number, project=None)
    else:
        taken = bench.run_one()
        number = taken.number
        bench.runs().finish(taken, FAILURE, FAILED)
    job = bench.job(number)
    echo, error = bench.client.hmget(keys.job(number), "echo", "error")
    assert job.finished_at is not None
    made = end(
        number=number,
        status=how,
        response=None,
        echo=echo,
        error=error,
        created_at=job.created_at,
        finished_at=job.finished_at,
    )
    assert json.loads(body_of(claim(kept=made)))["data"]["response"] == job_view.response_of(job)
