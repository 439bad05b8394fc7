"""What callers are told of a job whose record a newer release wrote."""

import pytest
import redis

from jobs import keys
from jobs.record import SCHEMA
from tests.unit.api.conftest import Caller, error_of

ROUTES = (
    ("GET", "/v1/jobs/job_{number}"),
    ("GET", "/v1/jobs/job_{number}?raw=true"),
    ("POST", "/v1/jobs/job_{number}/cancel"),
    ("POST", "/v1/jobs/job_{number}/retry"),
    ("DELETE", "/v1/jobs/job_{number}"),
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


@pytest.mark.parametrize(("kind", "prefix"), [("jobs", "job_"), ("responses", "resp_")])
def test_a_list_names_it_and_shows_the_others(alice: Caller, number: str, kind: str, prefix: str) -> None:
    other = str(alice.job()["id"]).removeprefix("job_")
    page = alice.get(f"/v1/{kind}").json
    assert [entry["id"] for entry in page["data"]] == [prefix + other]
    assert page["left_out"] == [prefix + number]


def test_a_list_goes_on_behind_it(alice: Caller, number: str, store_client: redis.Redis) -> None:
    newer = str(alice.job()["id"]).removeprefix("job_")
    store_client.hset(keys.job(newer), "schema", SCHEMA + 1)
    first = alice.get("/v1/jobs?limit=1").json
    assert (first["data"], first["left_out"], first["has_more"]) == ([], [f"job_{newer}"], True)
    second = alice.get(f"/v1/jobs?limit=1&after={first['last_id']}").json
    assert (second["left_out"], second["has_more"]) == ([f"job_{number}"], False)


def test_to_another_project_it_is_not_there(bob: Caller, number: str) -> None:
    assert bob.get(f"/v1/jobs/job_{number}").status_code == 404
    page = bob.get("/v1/jobs").json
    assert (page["data"], page["left_out"]) == ([], [])
