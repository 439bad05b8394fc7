"""How a file of requests becomes a batch, and what comes of it."""

import base64
import io
import json
import os
from collections.abc import Sequence
from typing import Any

from openai import BadRequestError, NotFoundError
from openai.types import Batch
from openai.types.responses import Response

from tests.fakes.receiver import running_receiver
from tests.fakes.waiting import wait_until
from tests.sdks.script.caller import Caller, faulty, options, raised

ENDS = ("completed", "failed", "expired", "cancelled")
Line = dict[str, Any]


def line(caller: Caller, custom_id: str, **body: Any) -> Line:
    request = {"model": caller.model, "input": "hello", **body}
    return {"custom_id": custom_id, "method": "POST", "url": "/v1/responses", "body": request}


def begin(caller: Caller, lines: Sequence[Line], **fields: Any) -> Any:
    data = "\n".join(map(json.dumps, lines)).encode()
    file = caller.client().files.create(file=("lines.jsonl", io.BytesIO(data)), purpose="batch")
    given = {"endpoint": "/v1/responses", "completion_window": "24h", **fields}
    return caller.client().batches.create(input_file_id=file.id, **given)


def reached(caller: Caller, batch_id: str, *statuses: str) -> Any:
    """The batch in one of the statuses, whole."""
    found: list[Any] = []

    def has_come() -> bool:
        found.append(caller.client().batches.retrieve(batch_id))
        return found[-1].status in statuses

    wait_until(has_come)
    Batch.model_validate(found[-1].model_dump(), strict=True)
    return found[-1]


def content(caller: Caller, file_id: str) -> dict[str, Any]:
    """The lines of a file by their custom_id."""
    lines = [json.loads(text) for text in caller.client().files.content(file_id).text.splitlines()]
    found = {told["custom_id"]: told for told in lines}
    assert len(found) == len(lines)
    return found


def check_a_batch_is_worked_on_to_its_end(caller: Caller) -> None:
    refused, mistaken = line(caller, "b", **faulty("status=400")), line(caller, "c", temperature=9)
    lines = [line(caller, "a"), refused, mistaken, line(caller, "d")]
    batch = begin(caller, lines, metadata={"a": "b"})
    assert (batch.status, batch.metadata) == ("validating", {"a": "b"})
    batch = reached(caller, batch.id, *ENDS)
    counts = batch.request_counts
    assert (batch.status, counts.total, counts.completed, counts.failed) == ("completed", 4, 2, 2), batch
    output, errors = content(caller, batch.output_file_id), content(caller, batch.error_file_id)
    assert (output.keys(), errors.keys()) == ({"a", "d"}, {"b", "c"})
    for told in output.values():
        answer = Response.model_validate(told["response"]["body"])
        assert (told["response"]["status_code"], answer.status, answer.model) == (200, "completed", caller.model)
        assert answer.output_text
    assert {told["response"]["status_code"] for told in errors.values()} == {400}
    assert errors["c"]["response"]["body"]["error"]["param"] == "body.temperature"
    assert caller.client().files.retrieve(batch.output_file_id).purpose == "batch_output"


def check_a_file_that_is_wrong_fails_the_batch(caller: Caller) -> None:
    batch = reached(caller, begin(caller, [line(caller, "a"), line(caller, "a")]).id, *ENDS)
    assert batch.status == "failed"
    (mistake,) = batch.errors.data
    assert (mistake.line, mistake.param) == (2, "custom_id")


def check_cancelling_ends_it_and_keeps_what_came(caller: Caller) -> None:
    batches = caller.client().batches
    batch = begin(caller, [line(caller, "a"), line(caller, "b", **faulty("delay=3"))])
    wait_until(lambda: batches.retrieve(batch.id).request_counts.completed == 1)
    assert batches.cancel(batch.id).status == batches.cancel(batch.id).status == "cancelling"
    batch = reached(caller, batch.id, *ENDS)
    assert batch.status == "cancelled"
    assert "a" in content(caller, batch.output_file_id)
    assert batches.cancel(batch.id).status == "cancelled"


def check_a_list_is_followed_over_its_pages(caller: Caller) -> None:
    made = [begin(caller, [line(caller, "a")]).id for _ in range(3)]
    found = [batch.id for batch in caller.client().batches.list(limit=2)]
    assert [batch for batch in found if batch in made] == made[::-1]


def check_what_is_wrong_is_the_right_exception(caller: Caller) -> None:
    batches = caller.client().batches
    for attempt in (batches.retrieve, batches.cancel):
        error = raised(NotFoundError, lambda attempt=attempt: attempt("batch_x"))
        assert (error.code, error.param) == ("batch_not_found", "batch_id")
    given = {"endpoint": "/v1/responses", "completion_window": "24h"}
    error = raised(BadRequestError, lambda: batches.create(input_file_id="file-x", **given))
    assert error.param == "input_file_id"
    error = raised(BadRequestError, lambda: begin(caller, [line(caller, "a")], endpoint="/v1/embeddings"))
    assert error.param == "endpoint"


def check_its_end_is_told_by_a_webhook(caller: Caller) -> None:
    secret = "whsec_" + base64.b64encode(os.urandom(32)).decode()
    with running_receiver() as receiver:
        batch = begin(caller, [line(caller, "a")], **options(webhook={"url": receiver.url, "secret": secret}))
        wait_until(lambda: len(receiver.requests) > 0)
    (received,) = receiver.requests
    event = caller.client(webhook_secret=secret).webhooks.unwrap(received.body, dict(received.headers))
    assert (event.type, event.data.id) == ("batch.completed", batch.id)
    assert caller.client().batches.retrieve(event.data.id).status == "completed"
