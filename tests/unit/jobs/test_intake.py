import json
from typing import Any

import pytest

from jobs.asked import Asked, of_response
from jobs.closings import End
from jobs.errors import RequestRefused, RequestTooLarge
from jobs.intake import UNSTORED_SECONDS, Intake
from jobs.limits import Limits
from jobs.new_job import NewJob
from jobs.prices import Price
from jobs.settings import Settings
from tests.fakes.bench import ANSWERED, Bench

WEBHOOK = {"url": "https://hooks.example.com", "secret": "whsec_hush"}


def asked(**changes: Any) -> Asked:
    return of_response({"model": "m", "input": "hello"} | changes)


def taken(bench: Bench, what: Asked, *, limits: Limits | None = None, **settings: Any) -> NewJob:
    intake = Intake(Settings(**settings), limits or Limits(), bench.store, None)
    return intake.new_job(what, project="default", api_key="key_test")


def completed(bench: Bench, number: str, output: list[Any]) -> str:
    """The id of its response, which has this output."""
    bench.beat("w1")
    bench.dispatch()
    (claim,) = bench.claim()
    assert claim.number == number
    end = End(status="completed", response=json.dumps({"id": f"resp_{number}", "output": output}).encode())
    assert bench.runs().finish(claim, end, ANSWERED) == "finished"
    return f"resp_{number}"


def test_neither_the_input_nor_a_secret_is_shown_again_and_no_option_goes_upstream(bench: Bench) -> None:
    job = taken(bench, asked(respool={"webhook": WEBHOOK, "priority": 7}))
    assert json.loads(job.echo) == {"model": "m", "background": False}
    assert json.loads(job.body) == {"model": "m", "input": "hello", "stream": False}
    assert job.priority == 7


def test_what_an_option_leaves_out_the_settings_say(bench: Bench) -> None:
    job = taken(bench, asked(respool={"max_attempts": 9}), max_attempts=4, run_timeout_seconds=77.0)
    assert (job.max_attempts, job.run_timeout_seconds, job.on_unknown) == (9, 77.0, Settings().on_unknown)


def test_what_is_not_to_be_stored_is_kept_for_ten_minutes(bench: Bench) -> None:
    assert taken(bench, asked(store=False)).retention_seconds == UNSTORED_SECONDS == 600
    assert taken(bench, asked()).retention_seconds == Settings().retention_seconds


def test_a_job_holds_what_its_estimate_would_cost(bench: Bench) -> None:
    what = asked(respool={"estimated_tokens": 1500}, max_output_tokens=500)
    job = taken(bench, what, limits=Limits(prices={"m": Price(input=1000, cached=0, output=2000)}))
    assert (job.tokens, job.nano) == (1500, 2 * 10**9)


def test_the_turns_before_it_must_be_there_and_fit(bench: Bench) -> None:
    with pytest.raises(RequestRefused) as refused:
        taken(bench, asked(previous_response_id="resp_" + "0" * 32))
    assert (refused.value.status, refused.value.body["error"]["param"]) == (400, "previous_response_id")  # type: ignore[index]
    said = [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "x" * 500}]}]
    earlier = completed(bench, bench.submit(), said)
    assert "x" * 500 in taken(bench, asked(previous_response_id=earlier)).body.decode()
    with pytest.raises(RequestTooLarge, match="RESPOOL_MAX_BODY_BYTES"):
        taken(bench, asked(previous_response_id=earlier), max_body_bytes=500)
