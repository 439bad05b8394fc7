import pytest
import redis
from prometheus_client.parser import text_string_to_metric_families

from api.services import EXTENSION
from tests.unit.api.conftest import Caller

Labels = tuple[tuple[str, str], ...]


def requests_of(caller: Caller) -> dict[tuple[str, str, str], float]:
    """By route, method and status, as the next scrape tells them."""
    caller.client.application.extensions[EXTENSION].request_counts.flush()
    families = text_string_to_metric_families(caller.get("/metrics").text)
    return {
        (sample.labels["route"], sample.labels["method"], sample.labels["status"]): sample.value
        for family in families
        for sample in family.samples
        if sample.name == "respool_http_requests_total"
    }


def test_a_request_counts_by_its_route_and_never_by_what_it_asked_for(alice: Caller) -> None:
    alice.get(f"/v1/jobs/{alice.job()['id']}")
    alice.get("/v1/jobs/job_canary")
    assert requests_of(alice) == {
        ("/v1/jobs", "POST", "2xx"): 1,
        ("/v1/jobs/<job_id>", "GET", "2xx"): 1,
        ("/v1/jobs/<job_id>", "GET", "4xx"): 1,
    }


def test_paths_and_methods_that_callers_make_up_are_one(nobody: Caller, store_client: redis.Redis) -> None:
    for number in range(20):
        nobody.get(f"/made/up/{number}")
        nobody.ask(f"MADE{number}", "/v1/jobs")
    assert requests_of(nobody) == {("other", "GET", "4xx"): 20, ("other", "other", "4xx"): 20}


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_the_methods_of_http_have_their_names(nobody: Caller, method: str) -> None:
    nobody.ask(method, "/healthz")
    assert requests_of(nobody) == {("/healthz", method, "2xx"): 1}
