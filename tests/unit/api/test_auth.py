import pytest

from jobs.tenants import Tenants
from tests.unit.api.conftest import AppMaker, Caller, error_of

ROUTES = [
    ("POST", "/v1/jobs"), ("GET", "/v1/jobs"), ("GET", f"/v1/jobs/job_{'0' * 32}"),
    ("DELETE", f"/v1/jobs/job_{'0' * 32}"), ("POST", f"/v1/jobs/job_{'0' * 32}/cancel"), ("GET", "/v1/usage"),
    ("POST", f"/v1/jobs/job_{'0' * 32}/retry"), ("GET", "/v1/lanes"), ("GET", "/v1/lanes/default:m"),
    ("PATCH", "/v1/lanes/default:m"), ("POST", "/v1/lanes/default:m/pause"), ("POST", "/v1/lanes/default:m/resume"),
    ("GET", "/v1/projects"), ("GET", "/v1/projects/default"), ("PATCH", "/v1/projects/default"),
]  # fmt: skip
NO_KEYS = ["", "Bearer", "Bearer ", "Bearer rsp_wrong", "Basic rsp_x", "rsp_x", "Bearer é", "Bearer \x00", "Token a b"]


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("authorization", NO_KEYS)
def test_without_a_valid_key_every_route_answers_401_in_one_way(
    method: str, path: str, authorization: str, nobody: Caller
) -> None:
    headers = {"X-Request-Id": "one"} | ({"Authorization": authorization} if authorization else {})
    answer = nobody.ask(method, path, headers=headers)
    assert answer.status_code == 401
    assert error_of(answer)["code"] == "invalid_api_key"
    assert error_of(answer)["type"] == "authentication_error"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.data == nobody.ask("GET", "/v1/jobs", headers={"X-Request-Id": "one"}).data


def test_the_401_comes_before_the_body_is_read(nobody: Caller) -> None:
    assert nobody.post("/v1/jobs", data=b"{", headers={"Content-Type": "text/plain"}).status_code == 401


def test_a_revoked_key_is_no_key(alice: Caller, tenants: Tenants) -> None:
    assert alice.get("/v1/jobs").status_code == 200
    for key in tenants.list():
        tenants.revoke(key.id)
    assert alice.get("/v1/jobs").status_code == 401


def test_keys_of_one_project_see_the_same_jobs(alice: Caller, tenants: Tenants) -> None:
    other = Caller(alice.client, tenants.create(project="alice", role="member")[0])
    job = alice.job()
    assert other.get(f"/v1/jobs/{job['id']}").status_code == 200
    assert other.job()["api_key"] != job["api_key"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_case_of_the_scheme_does_not_count(scheme: str, alice: Caller) -> None:
    assert alice.get("/v1/jobs", headers={"Authorization": f"{scheme}  {alice.key} "}).status_code == 200


def test_the_development_key_is_of_the_default_project(make_app: AppMaker, alice: Caller) -> None:
    caller = Caller(make_app(api_key="any string at all").test_client(), "any string at all")
    assert caller.job()["project"] == "default"
    assert Caller(caller.client, "any string at al").get("/v1/jobs").status_code == 401
    assert Caller(caller.client, alice.key).get("/v1/jobs").status_code == 200


def test_hashes_need_the_secret_under_which_they_were_made(make_app: AppMaker, alice: Caller) -> None:
    other = make_app(secret="another secret").test_client()
    assert Caller(other, alice.key).get("/v1/jobs").status_code == 401
