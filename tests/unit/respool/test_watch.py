import json

from tests.fakes.command import typed
from tests.fakes.small_api import answering, routed

TEXT = {"output": [{"type": "message", "content": [{"type": "output_text", "text": "Hello you"}]}]}
JOB = {
    "id": "job_1", "status": "queued", "model": "m", "created_at": 1.0, "attempts": [], "waiting_reason": None,
    "response": None, "error": None, "usage": None,
}  # fmt: skip
DONE = JOB | {"status": "completed", "response": TEXT}
ROUTES = {"GET /v1/jobs/job_1": DONE, "GET /v1/jobs/job_2": DONE | {"id": "job_2", "status": "failed"}}


def events(*told: dict[str, object]) -> bytes:
    return b"".join(b"data: %s\n\n" % json.dumps(one).encode() for one in told)


def test_of_one_job_the_streamed_text_alone_goes_to_stdout() -> None:
    stream = events(
        {"type": "response.output_text.delta", "sequence_number": 0, "delta": "Hello "},
        {"type": "response.output_text.delta", "sequence_number": 1, "delta": "you"},
        {"type": "response.completed", "sequence_number": 2},
    )
    with answering(routed(ROUTES | {"GET /v1/responses/resp_1": (200, {}, stream)})) as (api, _):
        done = typed(api, "watch", "job_1")
    assert (done.exit_code, done.stdout) == (0, "Hello you\n")
    assert done.stderr.splitlines()[-1] == "job_1 completed, 0 attempts"


def test_where_nothing_can_be_streamed_the_text_is_there_in_the_end() -> None:
    with answering(routed(ROUTES)) as (api, _):
        assert typed(api, "watch", "resp_1").stdout == "Hello you\n"


def test_of_several_each_is_summed_up_and_one_that_failed_counts() -> None:
    with answering(routed(ROUTES)) as (api, _):
        done = typed(api, "watch", "job_2", "job_1")
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "job_2 failed, 0 attempts", "Hello you", "job_1 completed, 0 attempts", "Hello you",
    ]  # fmt: skip


def test_json_is_one_document_or_one_a_line() -> None:
    with answering(routed(ROUTES)) as (api, _):
        assert json.loads(typed(api, "watch", "job_1", "--json").stdout) == DONE
        several = typed(api, "watch", "job_1", "job_2", "--json").stdout.splitlines()
    assert [json.loads(line)["id"] for line in several] == ["job_1", "job_2"]


def test_a_job_that_is_not_there_is_refused() -> None:
    with answering(routed({})) as (api, _):
        refused = typed(api, "watch", "job_1")
    assert (refused.exit_code, refused.stdout) == (1, "")
