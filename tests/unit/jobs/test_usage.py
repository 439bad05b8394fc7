from datetime import date, timedelta

import pytest

from jobs import keys
from jobs.closings import Closing
from jobs.usage import EPOCH, MOST_DAYS, UsageLedger, UsageRow
from tests.fakes.bench import COMPLETED, Bench

DAY = date(2026, 1, 2)


@pytest.fixture
def ledger(bench: Bench) -> UsageLedger:
    return UsageLedger(bench.client)


def finish(bench: Bench, *, tokens: int, **changes: object) -> None:
    claim = bench.run_one(**changes)
    usage = {
        "input_tokens": 2 * tokens, "output_tokens": tokens, "total_tokens": 3 * tokens,
        "input_tokens_details": {"cached_tokens": 1}, "output_tokens_details": {"reasoning_tokens": 2},
    }  # fmt: skip
    closing = Closing(outcome="completed", delivery="answered", may_be_billed=True, usage=usage, nano=4)
    bench.runs().finish(claim, COMPLETED, closing)


def test_usage_adds_up_by_model_and_key_and_another_project_sees_none_of_it(bench: Bench, ledger: UsageLedger) -> None:
    for tokens in (10, 1):
        finish(bench, tokens=tokens, project="p", api_key="k1", model="a")
    finish(bench, tokens=5, project="p", api_key="k2", model="a\nb")
    finish(bench, tokens=7, project="q", api_key="k3", model="a")
    today = ledger.today()
    rows = ledger.rows(project="p", first=today, last=today)
    assert [(row.model, row.api_key) for row in rows] == [("a", "k1"), ("a\nb", "k2")]
    assert rows[0].counts == {
        "completed": 2, "input_tokens": 22, "output_tokens": 11, "total_tokens": 33, "cached_tokens": 2,
        "reasoning_tokens": 4, "cost_nano": 8,
    }  # fmt: skip
    everybody = ledger.rows(project=None, first=today, last=today)
    assert [row.project for row in everybody] == ["p", "p", "q"]


def test_a_sum_at_its_bound_stays_and_the_job_ends_all_the_same(bench: Bench, ledger: UsageLedger) -> None:
    today = ledger.today()
    most = 2**63 - 1
    bench.client.hset(keys.usage("p", (today - EPOCH).days), "a\nk1\ntotal_tokens", most)
    finish(bench, tokens=10, project="p", api_key="k1", model="a")
    counts = ledger.rows(project="p", first=today, last=today)[0].counts
    assert (counts["total_tokens"], counts["completed"]) == (most, 1)


def test_a_job_without_tokens_is_counted_by_its_end(bench: Bench, ledger: UsageLedger) -> None:
    bench.store.cancel(bench.submit(project="p"), project=None)
    today = ledger.today()
    assert ledger.rows(project="p", first=today, last=today)[0].counts == {"cancelled": 1}


def test_days_come_newest_first_and_both_ends_are_in(bench: Bench, ledger: UsageLedger) -> None:
    for days in range(5):
        bench.client.hset(keys.usage("p", (DAY - EPOCH).days - days), "m\nk\ncompleted", days + 1)
    rows = ledger.rows(project="p", first=DAY - timedelta(days=3), last=DAY - timedelta(days=1))
    assert rows == [
        UsageRow(project="p", day=DAY - timedelta(days=n), model="m", api_key="k", counts={"completed": n + 1})
        for n in (1, 2, 3)
    ]
    assert ledger.rows(project="p", first=DAY, last=DAY - timedelta(days=1)) == []


def test_a_days_usage_is_kept_for_a_bounded_time(bench: Bench, ledger: UsageLedger) -> None:
    finish(bench, tokens=1, project="p")
    left = bench.client.ttl(keys.usage("p", (ledger.today() - EPOCH).days))
    assert (MOST_DAYS - 1) * 86400 < left <= MOST_DAYS * 86400


def test_deleting_a_job_keeps_its_usage(bench: Bench, ledger: UsageLedger) -> None:
    number = bench.submit(project="p")
    bench.store.cancel(number, project=None)
    bench.store.delete(number, project=None)
    today = ledger.today()
    assert ledger.rows(project="p", first=today, last=today)[0].counts == {"cancelled": 1}
