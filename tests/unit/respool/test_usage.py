import json

from respool.usage import COLUMNS, cells, total
from tests.fakes.command import typed
from tests.fakes.small_api import answering, query, routed

ROW = {
    "day": "2026-11-23", "project": "default", "model": "m", "api_key": "key_1", "completed": 1, "failed": 2,
    "incomplete": 0, "cancelled": 0, "input_tokens": 1000, "cached_tokens": 0, "output_tokens": 40,
    "reasoning_tokens": 0, "total_tokens": 1040, "cost": 0.25, "currency": "USD",
}  # fmt: skip
CSV = b"day,model\r\n2026-11-23,m\x1b\r\n"


def test_a_row_has_a_cell_for_each_column_and_all_rows_a_total() -> None:
    row = dict(zip(COLUMNS, cells(total([ROW, ROW])), strict=True))
    assert (row["day"], row["input"], row["failed"], row["cost"]) == ("total", "2,000", "4", "0.5000")
    assert row["currency"] == "USD"


def test_days_and_model_are_asked_for_and_rows_printed_as_they_are() -> None:
    with answering(routed({"GET /v1/usage": {"data": [ROW]}})) as (api, asked):
        done = typed(api, "usage", "--from", "2026-11-01", "--to", "2026-11-23", "--model", "m", "--json")
        table = typed(api, "usage").stdout.splitlines()
    assert query(asked[0]) == {"from": "2026-11-01", "to": "2026-11-23", "model": "m"}
    assert json.loads(done.stdout) == ROW
    assert [line.split()[0] for line in table] == ["day", "2026-11-23", "total"]


def test_csv_is_the_services_own_with_nothing_that_steers_a_terminal() -> None:
    with answering(routed({"GET /v1/usage": (200, {"Content-Type": "text/csv"}, CSV)})) as (api, asked):
        assert typed(api, "usage", "--csv").stdout == "day,model\n2026-11-23,m\ufffd\n"
    assert asked[0].headers["Accept"] == "text/csv"


def test_a_service_that_makes_no_csv_is_told() -> None:
    with answering(routed({"GET /v1/usage": {"data": []}})) as (api, _):
        refused = typed(api, "usage", "--csv")
    assert (refused.exit_code, refused.stdout) == (1, "")
