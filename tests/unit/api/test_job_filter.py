from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from jobs import keys
from tests.factories import MODEL
from tests.fakes.bench import Bench
from tests.unit.api.conftest import Caller, error_of

LISTS = ["/v1/jobs", "/v1/responses"]


def ids(caller: Caller, path: str, query: str) -> list[str]:
    answer = caller.get(f"{path}?{query}")
    assert answer.status_code == 200, answer.text
    return [row["id"].partition("_")[2] for row in answer.json["data"]]


def number(job: dict[str, Any]) -> str:
    return str(job["id"]).removeprefix("job_")


@pytest.mark.parametrize("path", LISTS)
def test_several_statuses_may_be_asked_for_in_every_way_that_clients_have(path: str, alice: Caller) -> None:
    queued, cancelled = alice.job(), alice.job()
    alice.post(f"/v1/jobs/{cancelled['id']}/cancel")
    both = [number(cancelled), number(queued)]
    for query, found in [
        ("status=queued", both[1:]), ("status=cancelled&status=queued", both), ("status=cancelled,queued", both),
        ("status[]=cancelled&status[]=queued", both), ("status=failed", []), ("status=failed&status=queued", both[1:]),
    ]:  # fmt: skip
        assert ids(alice, path, query) == found


@pytest.mark.parametrize("path", LISTS)
def test_jobs_of_a_model_and_with_metadata_are_found(path: str, alice: Caller) -> None:
    one = alice.job(metadata={"customer": "42", "a b": "ü"})
    two = alice.job(metadata={"customer": "42"}, request={"model": "glm-4.7"})
    for query, found in [
        ({"metadata[customer]": "42"}, [two, one]), ({"metadata[customer]": "42", "metadata[a b]": "ü"}, [one]),
        ({"metadata[customer]": "4"}, []), ({"model": MODEL}, [one]), ({"model": "glm-4.7"}, [two]),
        ({"model": MODEL, "metadata[customer]": "42", "status": "queued"}, [one]),
    ]:  # fmt: skip
        assert ids(alice, path, urlencode(query)) == [number(job) for job in found]


@pytest.mark.parametrize("path", LISTS)
def test_a_span_of_time_takes_its_beginning_and_leaves_its_end(path: str, alice: Caller) -> None:
    one, two = alice.job(), alice.job()
    for query, found in [
        (f"created_after={two['created_at']:.6f}", [two]), (f"created_before={two['created_at']:.6f}", [one]),
        (f"created_after={one['created_at']:.6f}&created_before={two['created_at']:.6f}", [one]),
        ("created_after=2020-01-01T00:00:00Z", [two, one]), ("created_before=2020-01-01T00:00:00%2B02:00", []),
        (f"created_after={datetime.fromtimestamp(two['created_at'], UTC).isoformat()}", [two]),
    ]:  # fmt: skip
        assert ids(alice, path, query) == [number(job) for job in found], query


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("query", "param", "told"),
    [
        ("status=queued,done", "status", 'unknown status "done"'), ("status=", "status", "unknown status"),
        ("status[]=done", "status", 'unknown status "done"'), ("model=", "model", "must not be empty"),
        ("created_after=yesterday", "created_after", "Unix seconds, from 0 to 253402300799, or RFC 3339"),
        ("created_before=-1", "created_before", "from 0"),
        ("created_after=999999999999", "created_after", "from 0"),
        ("created_after=2026-01-01T00:00:00", "created_after", "RFC 3339"),
        ("created_after=nan", "created_after", "Unix"),
        ("created_after=2026-02-30T00:00:00Z", "created_after", "RFC 3339"),
        ("created_after=20&created_before=20", "created_after", "earlier than created_before"),
    ],
)  # fmt: skip
def test_a_wrong_filter_is_refused_by_name(path: str, query: str, param: str, told: str, alice: Caller) -> None:
    answer = alice.get(f"{path}?{query}")
    assert answer.status_code == 400
    assert error_of(answer)["param"] == param
    assert told in error_of(answer)["message"]


@pytest.mark.parametrize("query", ["metadata=42", "metadata[=42", "metadata[]=42"])
def test_metadata_without_a_key_is_refused(query: str, alice: Caller) -> None:
    assert alice.get(f"/v1/jobs?{query}").status_code == 400


@pytest.mark.parametrize("path", LISTS)
def test_an_empty_page_that_has_more_behind_it_says_where_to_go_on(
    path: str, alice: Caller, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    rare = alice.job(metadata={"rare": "1"})
    for _ in range(60):
        alice.job()
    monkeypatch.setattr("jobs.listing.MOST_LOOKED_AT", 50)
    page = alice.get(f"{path}?metadata[rare]=1").json
    assert (page["data"], page["first_id"], page["has_more"]) == ([], None, True)
    rest = alice.get(f"{path}?metadata[rare]=1&after={page['last_id']}").json
    assert ([row["id"].partition("_")[2] for row in rest["data"]], rest["has_more"]) == ([number(rare)], False)
    assert bench.client.exists(keys.job(page["last_id"].partition("_")[2]))


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("query", ["", "status=queued", "metadata[customer]=42", f"model={MODEL}", "created_after=0"])
def test_no_filter_finds_what_is_anothers(path: str, query: str, alice: Caller, bob: Caller, admin: Caller) -> None:
    job = alice.job(metadata={"customer": "42"})
    assert ids(bob, path, query) == []
    assert ids(alice, path, query) == ids(admin, path, query) == [number(job)]
    theirs = job["id"] if path == "/v1/jobs" else f"resp_{number(job)}"
    nothing = theirs[:-32] + "0" * 32
    told = [bob.get(f"{path}?{query}&after={name}") for name in (theirs, nothing)]
    assert [answer.status_code for answer in told] == [400, 400]
    assert told[0].text.replace(theirs, "ID") == told[1].text.replace(nothing, "ID")
