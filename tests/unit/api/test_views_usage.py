import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from jobs import keys
from jobs.closings import Closing, End
from jobs.usage import EPOCH
from tests.factories import MODEL
from tests.fakes.bench import COMPLETED, Bench
from tests.unit.api.conftest import Caller, error_of

USAGE = {"input_tokens": 5, "output_tokens": 3, "total_tokens": 8,
         "input_tokens_details": {"cached_tokens": 2}, "output_tokens_details": {"reasoning_tokens": 1}}  # fmt: skip
ANSWERED = Closing(outcome="completed", delivery="answered", may_be_billed=True, usage=USAGE)


def use(bench: Bench, caller: Caller, *, end: End = COMPLETED, model: str = MODEL) -> str:
    """The id of the key under which one job was run to its end."""
    job = caller.job(request={"model": model})
    bench.beat("w1")
    bench.dispatch("w1")
    for claim in bench.claim("w1"):
        bench.runs("w1").finish(claim, end, ANSWERED)
    return str(job["api_key"])


def test_usage_is_summed_by_day_model_and_key(alice: Caller, bench: Bench) -> None:
    key = use(bench, alice)
    use(bench, alice)
    use(bench, alice, model="glm-4.7", end=End(status="incomplete"))
    rows = {row["model"]: row for row in alice.get("/v1/usage").json["data"]}
    assert set(rows) == {MODEL, "glm-4.7"}
    assert rows[MODEL] == {
        "day": datetime.now(UTC).date().isoformat(), "project": "alice", "model": MODEL, "api_key": key,
        "completed": 2, "failed": 0, "incomplete": 0, "cancelled": 0,
        "input_tokens": 10, "cached_tokens": 4, "output_tokens": 6, "reasoning_tokens": 2, "total_tokens": 16,
        "cost": 0.0, "currency": "USD",
    }  # fmt: skip
    assert rows["glm-4.7"]["incomplete"] == 1


def test_a_project_sees_its_own_usage_and_an_admin_that_of_all(
    alice: Caller, bob: Caller, admin: Caller, bench: Bench
) -> None:
    use(bench, alice)
    use(bench, bob)
    assert [row["project"] for row in bob.get("/v1/usage").json["data"]] == ["bob"]
    assert {row["project"] for row in admin.get("/v1/usage").json["data"]} == {"alice", "bob"}


def test_usage_can_be_of_one_model_key_or_span_of_days(alice: Caller, bench: Bench) -> None:
    key = use(bench, alice)
    for query, count in [
        (f"model={MODEL}", 1), ("model=other", 0), (f"api_key={key}", 1), ("api_key=key_other", 0),
        ("from=2020-01-01&to=2020-02-01", 0), (f"from={datetime.now(UTC).date() - timedelta(days=1)}", 1),
    ]:  # fmt: skip
        assert len(alice.get(f"/v1/usage?{query}").json["data"]) == count


def test_deleting_a_job_leaves_its_usage(alice: Caller, bench: Bench) -> None:
    use(bench, alice)
    before = alice.get("/v1/usage").json
    (job,) = alice.get("/v1/jobs").json["data"]
    assert alice.delete(f"/v1/jobs/{job['id']}").status_code == 200
    assert alice.get("/v1/usage").json == before


@pytest.mark.parametrize("query", ["to=0001-01-01", "from=0001-01-01&to=0001-01-01", "to=9999-12-31"])
def test_the_ends_of_the_calendar_are_days_like_any_other(query: str, alice: Caller) -> None:
    assert alice.get(f"/v1/usage?{query}").json == {"object": "list", "data": []}


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("from=yesterday", "from"), ("to=2024-13-01", "to"), ("from=2024-02-02&to=2024-02-01", "from"),
        ("from=2020-01-01&to=2024-01-01", "from"), ("day=2024-01-01", "day"), ("since=2024-01-01", "since"),
    ],
)  # fmt: skip
def test_a_wrong_span_is_refused_by_name(query: str, param: str, alice: Caller) -> None:
    answer = alice.get(f"/v1/usage?{query}")
    assert answer.status_code == 400
    assert error_of(answer)["param"] == param


@pytest.mark.parametrize(
    ("query", "accept", "kind"),
    [
        ("", None, "application/json"), ("", "*/*", "application/json"), ("", "text/csv", "text/csv"),
        ("", "application/json, text/csv;q=0.5", "application/json"), ("?format=csv", "application/json", "text/csv"),
        ("?format=json", "text/csv", "application/json"),
    ],
)  # fmt: skip
def test_usage_is_a_table_where_that_is_asked_for(query: str, accept: str | None, kind: str, alice: Caller) -> None:
    answer = alice.get(f"/v1/usage{query}", headers={"Accept": accept} if accept else {})
    assert answer.mimetype == kind
    assert "Accept" in answer.vary


def test_the_table_has_the_rows_of_the_list_under_the_names_of_its_fields(alice: Caller, bench: Bench) -> None:
    use(bench, alice)
    use(bench, alice, model="glm-4.7")
    answer = alice.get("/v1/usage?format=csv")
    assert "usage.csv" in answer.headers["Content-Disposition"]
    listed = alice.get("/v1/usage").json["data"]
    table = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert list(table[0]) == list(listed[0])
    assert [{**row, "cost": float(row["cost"])} for row in table] == [
        {name: value if name == "cost" else str(value) for name, value in row.items()} for row in listed
    ]


def test_a_model_whose_name_is_a_formula_is_neutralised(alice: Caller, bench: Bench) -> None:
    today = (datetime.now(UTC).date() - EPOCH).days
    bench.client.hset(keys.usage("alice", today), '=HYPERLINK("x")\nk\ncompleted', 1)
    (row,) = csv.DictReader(io.StringIO(alice.get("/v1/usage?format=csv").text, newline=""))
    assert row["model"] == '\'=HYPERLINK("x")'


def test_an_unknown_format_is_refused(alice: Caller) -> None:
    assert error_of(alice.get("/v1/usage?format=xml"))["param"] == "format"
