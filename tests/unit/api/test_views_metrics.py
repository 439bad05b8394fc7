import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from jobs.settings import Settings
from tests.fakes.bench import Bench
from tests.fakes.metric_load import NOBODY
from tests.unit.api.conftest import AppMaker, Caller, error_of


def test_it_is_the_text_format_of_prometheus(nobody: Caller, alice: Caller) -> None:
    alice.job()
    answer = nobody.get("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert found["respool_jobs"].type == "gauge"
    assert [sample.value for sample in found["respool_jobs"].samples if sample.labels["state"] == "waiting"] == [1.0]


def test_the_buckets_of_a_histogram_add_up(nobody: Caller, bench: Bench) -> None:
    bench.run_all(3)
    text = nobody.get("/metrics").text
    assert 'respool_wait_seconds_bucket{account="default",le="+Inf",model="m",source="api"} 3.0' in text
    assert 'respool_wait_seconds_count{account="default",model="m",source="api"} 3.0' in text


def test_a_model_is_told_as_it_is_whatever_it_is_made_of(nobody: Caller, bench: Bench) -> None:
    model = 'a"b\\c,{}=\u00e9 #'
    bench.submit(model=model)
    families = text_string_to_metric_families(nobody.get("/metrics").text)
    (found,) = [family for family in families if family.name == "respool_backlog_jobs"]
    assert [(sample.labels["model"], sample.value) for sample in found.samples] == [(model, 1.0)]


def test_no_project_job_or_key_is_named(nobody: Caller, alice: Caller) -> None:
    job = alice.job()
    text = nobody.get("/metrics").text
    assert "alice" not in text
    assert job["id"].removeprefix("job_") not in text


@pytest.mark.parametrize("given", ["", "Bearer wrong", "Basic t0ken", "Bearer", "Bearer t0ke\xe9"])
def test_where_a_token_is_set_nobody_reads_without_it(make_app: AppMaker, given: str) -> None:
    client = make_app(metrics_token="t0ken").test_client()
    answer = client.get("/metrics", headers={"Authorization": given})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert error_of(answer)["code"] == "invalid_metrics_token"
    assert client.head("/metrics", headers={"Authorization": given}).status_code == 401


def test_the_token_lets_in(make_app: AppMaker) -> None:
    client = make_app(metrics_token="t0ken").test_client()
    assert client.get("/metrics", headers={"Authorization": "Bearer t0ken"}).status_code == 200


def test_without_redis_it_answers_that_there_is_none() -> None:
    answer = create_app(Settings(redis_url=NOBODY)).test_client().get("/metrics")
    assert answer.status_code == 200
    assert "respool_redis_up 0.0" in answer.text
