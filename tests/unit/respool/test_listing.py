from respool.job_view import read_job
from respool.listing import COLUMNS, STATUSES, cells, query
from schemas import job as wire


def test_a_row_has_a_cell_for_each_column() -> None:
    document = {
        "id": "job_1",
        "status": "queued",
        "model": "m",
        "created_at": 0,
        "attempts": [{}, {}],
        "waiting_reason": "paused",
        "position": 2,
        "eta": {"p50_seconds": 30, "p90_seconds": 60},
        "response": None,
        "error": None,
        "usage": {"total_tokens": 7},
    }
    row = dict(zip(COLUMNS, cells(read_job(document)), strict=True))
    assert row["created"].startswith(("1970-01-01 ", "1969-12-31 "))
    del row["created"]
    assert row == {
        "id": "job_1",
        "status": "queued",
        "model": "m",
        "attempts": "2",
        "tokens": "7",
        "note": "paused, position 2, starts in about 30 s",
    }


def test_every_status_of_a_job_can_be_asked_for() -> None:
    assert set(STATUSES) == set(wire.STATUSES)


def test_filters_are_the_parameters_of_the_list() -> None:
    assert query() == {}
    assert query(status=("failed", "cancelled"), model="m", metadata=("a=b", "c=d"), since=-5.0, until=1.25) == {
        "status": ["failed", "cancelled"],
        "model": "m",
        "metadata[a]": "b",
        "metadata[c]": "d",
        "created_after": "0.000",
        "created_before": "1.250",
    }
