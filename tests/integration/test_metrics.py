"""Every metric moves as docs/metrics.md says."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import redis

from jobs.metrics.reader import FAMILIES
from jobs.runs import Cut
from tests.fakes.batches import BatchBench
from tests.fakes.bench import running_bench
from tests.fakes.metric_load import NOBODY, Load, Seen
from tests.fakes.post_office import PostOffice
from worker.refusals import Kind

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
ROW = re.compile(r"\| `(respool_\w+)` \| (\w+) \|([^|]*)\|[^|]*\|([^|]*)\|")
ROWS = {found[1]: found for line in PAGE.splitlines() if (found := ROW.fullmatch(line))}
STILL = {"respool_metrics_complete", "respool_max_queued_bytes"}
"""Those that nothing in the load moves."""


def moves(before: Seen, after: Seen) -> set[tuple[str, str]]:
    """The metrics that went up or down somewhere, with an arrow."""
    found = set()
    for sample in {*before, *after}:
        change = after.get(sample, 0) - before.get(sample, 0)
        if change:
            found.add((re.sub(r"_(bucket|count|sum)$", "", sample[0]), "↑" if change > 0 else "↓"))
    return found


@pytest.fixture
def load(store_client: redis.Redis, tmp_path: Path) -> Iterator[Load]:
    with running_bench(store_client) as bench:
        yield Load(bench, PostOffice(bench), BatchBench(client=store_client, folder=tmp_path))
    store_client.config_set("maxmemory", 0)


def test_every_metric_moves_under_a_load_as_the_page_says(load: Load) -> None:
    seen: dict[str, set[str]] = defaultdict(set)
    before = load.see()
    for name, step in load.steps():
        step()
        after = load.see()
        for metric, arrow in moves(before, after):
            seen[metric].add(f"{name} {arrow}")
        before = after
    for metric, arrow in moves(before, load.see(NOBODY)):
        if metric == "respool_redis_up":
            seen[metric].add(f"outage {arrow}")
    for metric, row in ROWS.items():
        told = {move.strip() for move in row[4].split(",")} - {""}
        if row[2] == "gauge":
            assert told <= seen[metric], (metric, told - seen[metric], seen[metric])
        else:
            assert told == seen[metric], metric
        assert told or metric in STILL


def test_the_page_lists_every_metric_with_its_type_and_labels_and_no_other() -> None:
    listed = {name: (row[2], re.findall(r"`(\w+)`", row[3])) for name, row in ROWS.items()}
    assert listed == {family.name: (family.kind, list(family.labels)) for family in FAMILIES}


def test_the_page_names_every_step_of_the_load(load: Load) -> None:
    named = re.findall(r"(?m)^- \*\*([a-z ]+)\*\*:", PAGE)
    assert set(named) == {name for name, _ in load.steps()} | {"outage"}


def test_the_page_lists_every_class_of_problem_and_every_cut() -> None:
    (classes,) = re.findall(r"(?m)^\| `class` \|(.*)$", PAGE)
    assert set(re.findall(r"`(\w+)`", classes)) == {kind.value for kind in Kind} | {"unsent", "unknown"}
    (cuts,) = re.findall(r"(?m)^\| `cut` \|(.*)$", PAGE)
    assert set(re.findall(r"`(\w+)`", cuts)) == set(get_args(Cut))
