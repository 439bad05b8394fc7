"""What callers are told of a job whose record a newer release wrote."""

import pytest
import redis

from jobs import keys
from jobs.record import SCHEMA
from tests.unit.api.conftest import Caller, error_of

ROUTES = (
    ("GET", "/v1/jobs"),
    ("GET", "/v1/jobs/job_{number}"),
    ("GET", "/v1/jobs/job_{number}?raw=true"),
    ("POST", "/v1/jobs/job_{number}/cancel"),
    ("POST", "/v1/jobs/job_{number}/retry"),
    ("DELETE", "/v1/jobs/job_{number}"),
    ("GET", "/v1/responses"),
    ("GET", "/v1/responses/resp_{number}"),
    ("GET", "/v1/responses/resp_{number}?stream=true"),
    ("GET", "/v1/responses/resp_{number}/input_items"),
    ("POST", "/v1/responses/resp_{number}/cancel"),
    ("DELETE", "/v1/responses/resp_{number}"),
)


@pytest.fixture
def number(alice: Caller, store_client: redis.Redis) -> str:
    found = str(alice.job()["id"]).removeprefix("job_")
    store_client.hset(keys.job(found), "schema", SCHEMA + 1)
    return found


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_that_would_read_or_change_it_answers_503(
    alice: Caller, number: str, method: str, path: str
) -> None:
    answer = alice.ask(method, path.format(number=number))
    assert (answer.status_code, error_of(answer)["code"]) == (503, "record_too_new")
    assert number in error_of(answer)["message"]
    assert answer.headers["Retry-After"]


def test_to_another_project_it_is_not_there(bob: Caller, number: str) -> None:
    assert bob.get(f"/v1/jobs/job_{number}").status_code == 404
    assert bob.get("/v1/jobs").json["data"] == []
