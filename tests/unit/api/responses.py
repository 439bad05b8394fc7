"""What the tests of /v1/responses share: bodies, and workers that bring responses to their ends."""

import json
from typing import Any

from werkzeug.test import TestResponse

from jobs.claims import Claim
from jobs.closings import Closing, End
from schemas import response
from tests.factories import MODEL
from tests.fakes.bench import ANSWERED, Bench
from tests.unit.api.conftest import Caller

MESSAGE = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hi"}]}
USAGE = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}


def asked(**changes: Any) -> dict[str, Any]:
    return {"model": MODEL, "input": "hello", "background": True, **changes}


def create(caller: Caller, *, headers: dict[str, str] | None = None, **changes: Any) -> TestResponse:
    return caller.post("/v1/responses", json=asked(**changes), headers=headers)


def begun(caller: Caller, **changes: Any) -> dict[str, Any]:
    """A new response in the background as the answer shows it."""
    answer = create(caller, **changes)
    assert answer.status_code == 200, answer.text
    return answer.json


def number_of(shown: dict[str, Any]) -> str:
    return str(shown["id"]).removeprefix("resp_")


def start(bench: Bench) -> Claim:
    """The next job, under way at a worker."""
    bench.beat("w1")
    bench.dispatch("w1")
    (claim,) = bench.claim("w1")
    return claim


def finish(bench: Bench, claim: Claim, *, status: str = "completed", output: Any = (MESSAGE,)) -> None:
    """Ends the job with a Response as a worker makes it."""
    upstream = {"status": status, "output": list(output), "usage": USAGE}
    whole = response.complete(
        upstream,
        response_id=f"resp_{claim.number}",
        status=status,
        created_at=claim.created_at,
        completed_at=claim.created_at + 1,
        request=json.loads(claim.echo),
    )
    end = End(status=status, response=json.dumps(whole).encode(), usage=whole["usage"])
    assert bench.runs("w1").finish(claim, end, ANSWERED) == "finished"


def fail(bench: Bench, claim: Claim, closing: Closing, *, raw: bytes | None = None, **error: Any) -> None:
    end = End(status="failed", error={"message": "no", "retryable": False, **error}, raw=raw)
    assert bench.runs("w1").finish(claim, end, closing) == "finished"


def ended(caller: Caller, bench: Bench, *, output: Any = (MESSAGE,), **changes: Any) -> dict[str, Any]:
    """A response that has completed."""
    shown = begun(caller, **changes)
    finish(bench, start(bench), output=output)
    found: dict[str, Any] = caller.get(f"/v1/responses/{shown['id']}").json
    return found
