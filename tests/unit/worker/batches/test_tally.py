from dataclasses import replace

from jobs.batches.lines import Line
from tests.fakes.batches import USAGE, BatchBench, finish
from tests.fakes.bench import Bench
from worker.batches.tally import Tally, told_line


def test_usage_is_summed_with_what_stands_within_it_and_absent_where_nothing_was_used(
    batches: BatchBench, bench: Bench
) -> None:
    batch = batches.begun(1)
    finish(bench, batches.numbers(batch, 1))
    (job,) = batches.jobs(batch, 1)
    assert job is not None
    tally = Tally()
    shown = told_line(batch, number=1, data=b"", line=Line(line=1, custom_id="a", job=replace(job, usage=None)))
    tally.add(shown, Line(line=1, custom_id="a", job=replace(job, usage=None, nano=0)))
    assert (tally.usage, tally.nano, tally.completed) == (None, 0, 1)
    odd = {"more": {"odd": 1, "text": "x", "flag": True}}
    for usage in (USAGE, USAGE | odd, {"more": 5}, {"more": {"odd": 2}}, {"total_tokens": {}}, {"total_tokens": 10}):
        tally.add(shown, Line(line=1, custom_id="a", job=replace(job, usage=usage)))
    assert tally.usage == {
        "input_tokens": 4,
        "input_tokens_details": {"cached_tokens": 2},
        "output_tokens": 6,
        "total_tokens": 10,
        "more": {"odd": 2},
    }


def test_what_is_missing_was_deleted_if_it_was_taken_up_else_it_never_ran(batches: BatchBench) -> None:
    batch = replace(batches.begun(1), line=5)
    data = b'{"custom_id":"a","method":"POST","url":"/v1/responses","body":{"model":"m"}}'
    codes = {
        (status, number): told_line(replace(batch, status=status), number=number, data=data, line=None)["error"]["code"]
        for status in ("finalizing", "cancelling")
        for number in (5, 6)
    }
    assert codes == {
        ("finalizing", 5): "result_deleted",
        ("finalizing", 6): "batch_expired",
        ("cancelling", 5): "result_deleted",
        ("cancelling", 6): "batch_cancelled",
    }
