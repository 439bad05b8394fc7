from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.fakes.sandbox_server import begin_call, running_sandbox
from tests.fakes.waiting import wait_until


@pytest.fixture
def base() -> Iterator[str]:
    with running_sandbox() as url:
        yield url


def post(base: str, *, key: str = "any", **fields: Any) -> requests.Response:
    body = {"model": "m", "input": "hello", **fields}
    return requests.post(f"{base}/v1/responses", json=body, headers={"Authorization": f"Bearer {key}"}, timeout=30)


def put(base: str, name: str, values: Any) -> requests.Response:
    return requests.put(f"{base}/sandbox/{name}", json=values, timeout=30)


def set_limits(base: str, **limits: Any) -> None:
    assert put(base, "limits", limits).status_code == 200


def seen(base: str) -> Any:
    return requests.get(f"{base}/sandbox/requests", timeout=30).json()


def code_of(answer: requests.Response) -> str:
    assert answer.status_code == 429
    return str(answer.json()["error"]["code"])


def test_limits_are_shown_and_changed_while_it_runs(base: str) -> None:
    shown = requests.get(f"{base}/sandbox/limits", timeout=30).json()
    assert (shown["requests_per_minute"], shown["limiter"], shown["window_seconds"]) == (None, "sliding", 60)
    changed = put(base, "limits", {"requests_per_minute": 2}).json()
    assert changed == {**shown, "requests_per_minute": 2}
    assert [post(base).status_code for _ in range(3)] == [200, 200, 429]
    set_limits(base, requests_per_minute=None)
    assert post(base).status_code == 200


def test_a_limit_that_does_not_fit_changes_nothing(base: str) -> None:
    refused = put(base, "limits", {"requests_per_minute": 2, "in_flight": 0})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "in_flight")
    assert put(base, "limits", []).status_code == 400
    assert requests.get(f"{base}/sandbox/limits", timeout=30).json()["requests_per_minute"] is None


def test_a_window_that_is_over_lets_in_as_many_again(base: str) -> None:
    set_limits(base, requests_per_minute=2, window_seconds=2.0)
    assert [post(base).status_code for _ in range(3)] == [200, 200, 429]
    wait_until(lambda: post(base).status_code == 200)
    starts = sorted(call["started_at"] for call in seen(base)["data"] if call["is_admitted"])
    assert starts[2] - starts[0] >= 1.9


def test_the_answers_tell_what_is_left(base: str) -> None:
    set_limits(base, requests_per_minute=10, tokens_per_minute=10_000)
    answer = post(base)
    tokens = answer.json()["usage"]["total_tokens"]
    assert answer.headers["x-ratelimit-limit-requests"] == "10"
    assert answer.headers["x-ratelimit-remaining-requests"] == "9"
    assert answer.headers["x-ratelimit-reset-requests"].startswith(("59.", "1m0s"))
    assert answer.headers["x-ratelimit-limit-tokens"] == "10000"
    assert answer.headers["x-ratelimit-remaining-tokens"] == str(10_000 - tokens)
    assert answer.headers["x-ratelimit-reset-tokens"].startswith(("59.", "1m0s"))


def test_tokens_that_were_spent_refuse_the_next_call(base: str) -> None:
    set_limits(base, tokens_per_minute=1)
    assert post(base).status_code == 200
    refused = post(base)
    assert code_of(refused) == "RateLimitExceeded.EndpointTPMExceeded"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["x-ratelimit-remaining-tokens"] == "0"


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"in_flight": 2}, "InflightBatchsizeExceeded"),
        ({"ramp_per_second": 0.01, "in_flight": 9}, "RequestBurstTooFast"),
    ],
)
def test_calls_in_flight_are_bounded(base: str, limits: dict[str, Any], code: str) -> None:
    set_limits(base, **limits)
    callers = [begin_call(base, fault="hang") for _ in range(2)]
    wait_until(lambda: sum(bool(call["is_admitted"] or call["status"]) for call in seen(base)["data"]) == 2)
    assert code_of(post(base)) == code
    for caller in callers:
        caller.close()
    wait_until(lambda: seen(base)["in_flight"] == 0)
    assert post(base).status_code == 200


def test_work_in_the_background_is_in_flight_until_it_ends(base: str) -> None:
    set_limits(base, in_flight=1)
    slow = {"metadata": {"sandbox": "hang"}, "background": True}
    url = f"{base}/v1/responses/{post(base, **slow).json()['id']}"
    assert code_of(post(base)) == "InflightBatchsizeExceeded"
    requests.post(f"{url}/cancel", headers={"Authorization": "Bearer any"}, timeout=30)
    wait_until(lambda: seen(base)["in_flight"] == 0)
    assert post(base).status_code == 200


def test_a_429_may_say_nothing_about_when_to_come_again(base: str) -> None:
    set_limits(base, requests_per_minute=1, retry_after="no")
    assert post(base).headers["x-ratelimit-remaining-requests"] == "0"
    refused = post(base)
    assert code_of(refused) == "RateLimitExceeded.EndpointRPMExceeded"
    assert [name for name in refused.headers if name.lower().startswith(("x-ratelimit", "retry-after"))] == []


def test_refused_calls_are_recorded_with_their_times_and_codes(base: str) -> None:
    set_limits(base, requests_per_minute=1)
    for _ in range(3):
        post(base)
    records = seen(base)
    assert [call["status"] for call in records["data"]] == [200, 429, 429]
    assert {call["model"] for call in records["data"]} == {"m"}
    assert all(call["started_at"] <= call["ended_at"] for call in records["data"][:2])
    assert records["refusals"] == {"RateLimitExceeded.EndpointRPMExceeded": 2}


def test_an_outage_answers_every_call_until_it_is_ended(base: str) -> None:
    set_limits(base, requests_per_minute=1)
    assert put(base, "outage", {"status": 503}).json()["data"][0]["fault"] == "status=503"
    assert [post(base).status_code for _ in range(3)] == [503] * 3
    assert [call["is_admitted"] for call in seen(base)["data"]] == [False] * 3
    assert requests.delete(f"{base}/sandbox/outage", timeout=30).status_code == 204
    assert requests.get(f"{base}/sandbox/outage", timeout=30).json()["data"] == []
    assert [post(base).status_code for _ in range(2)] == [200, 429]


def test_an_outage_may_be_of_one_key_alone(base: str) -> None:
    put(base, "outage", {"status": 500, "api_key": "key-east"})
    assert [post(base, key=key).status_code for key in ("key-east", "key-west")] == [500, 200]
    assert [call["api_key_end"] for call in seen(base)["data"]] == ["east", "west"]


def test_an_outage_may_be_any_fault(base: str) -> None:
    put(base, "outage", {"fault": "cut=before"})
    with pytest.raises(requests.ConnectionError):
        post(base)
    put(base, "outage", {"fault": "status=429;retry_after=7"})
    answer = post(base)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert seen(base)["refusals"] == {}


def test_an_outage_for_a_while_ends_by_itself(base: str) -> None:
    put(base, "outage", {"status": 503, "seconds": 0.2})
    assert post(base).status_code == 503
    wait_until(lambda: post(base).status_code == 200)


def test_what_is_no_outage_is_refused(base: str) -> None:
    refused = put(base, "outage", {"status": "down"})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "status")
    assert post(base).status_code == 200
