"""Lanes at their limits, as the endpoint sees it. `make chaos` runs the long form: three minutes for each case."""

import json
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import redis
import requests

from jobs.job_filter import JobFilter
from jobs.listing import Listing
from jobs.record import Job
from jobs.store import JobStore
from tests.factories import MODEL, new_job, unique
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.service import running_workers

pytestmark = pytest.mark.chaos

LONG = os.environ.get("RESPOOL_CHAOS") == "long"
SECONDS = 180 if LONG else 15
WARM_UP_SECONDS = 10 if LONG else 4
REQUESTS_PER_MINUTE, TOKENS_PER_MINUTE = 600, 100_000
SMALL, LARGE = (1, 42), (300, 508)
"""Words of a request, and the tokens that the sandbox counts for it and its answer."""

log = logging.getLogger(__name__)


def fill(client: redis.Redis, count: int, *, words: int, tokens: int) -> None:
    """Jobs whose estimate is what they will take."""
    store = JobStore(client, max_queued_bytes=2**40)
    body = json.dumps({"model": MODEL, "input": "hello " * words, "stream": False}).encode()
    for _ in range(count):
        store.submit(new_job(body=body, tokens=tokens, max_attempts=1), unique())


def watch(sandbox: str, *, seconds: float) -> list[dict[str, Any]]:
    """The calls that the endpoint saw start in so many seconds from the first, oldest first."""
    deadline = time.monotonic() + seconds + 20
    while True:
        calls: list[dict[str, Any]] = requests.get(f"{sandbox}/sandbox/requests", timeout=30).json()["data"]
        calls.sort(key=lambda call: call["started_at"])
        if calls and time.time() >= calls[0]["started_at"] + seconds:
            return [call for call in calls if call["started_at"] < calls[0]["started_at"] + seconds]
        assert time.monotonic() < deadline, f"only {len(calls)} calls came"
        time.sleep(0.5)  # how fast they come is what is measured


def newest(client: redis.Redis, status: str) -> list[Job]:
    """The latest hundred."""
    listing = Listing(client, JobStore(client, max_queued_bytes=1))
    return listing.page(project=None, wanted=JobFilter(statuses=(status,)), limit=100).jobs


def most_in_a_minute(calls: Sequence[tuple[float, int]]) -> int:
    """The most that began in any 60 s, of calls as (start, what it counts)."""
    first = most = held = 0
    for start, counts in calls:
        held += counts
        while start - calls[first][0] >= 60:
            held -= calls[first][1]
            first += 1
        most = max(most, held)
    return most


def steady_share(calls: Sequence[tuple[float, int]], *, per_minute: float) -> float:
    """What came after the warm-up, as a share of what the limit allows in that time."""
    steady = [call for call in calls if call[0] >= calls[0][0] + WARM_UP_SECONDS]
    seconds = steady[-1][0] - steady[0][0]
    return sum(counts for _, counts in steady[1:]) / (seconds * per_minute / 60)


@pytest.mark.parametrize(
    ("processes", "by_tokens"), [(1, False), (2, False), (8, False), (2, True)] if LONG else [(2, False), (2, True)]
)
def test_a_lane_runs_at_its_limit_and_never_over_it(
    *, processes: int, by_tokens: bool, store_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    limits = tmp_path / "limits.toml"
    limits.write_text(
        f"[default]\nrequests_per_minute = {REQUESTS_PER_MINUTE}\ntokens_per_minute = {TOKENS_PER_MINUTE}\n"
    )
    words, tokens = LARGE if by_tokens else SMALL
    per_minute = TOKENS_PER_MINUTE if by_tokens else REQUESTS_PER_MINUTE
    fill(
        store_client,
        round(min(REQUESTS_PER_MINUTE, TOKENS_PER_MINUTE / tokens) * (SECONDS / 60 + 0.5)),
        words=words,
        tokens=tokens,
    )
    with (
        running_sandbox(requests_per_minute=REQUESTS_PER_MINUTE, kept_requests=20_000) as sandbox,
        running_workers(processes, tmp_path, redis_url, sandbox, slots="50", limits_file=str(limits)),
    ):
        seen = watch(sandbox, seconds=SECONDS)
    assert {call["status"] for call in seen} <= {200, None}, "a limit could have prevented a refusal"
    calls = [(call["started_at"], tokens if by_tokens else 1) for call in seen]
    assert all(call["total_tokens"] in (tokens, None) for call in seen), "the estimate was to be exact"
    share, most = steady_share(calls, per_minute=per_minute), most_in_a_minute(calls)
    log.info("%s processes: %.2f %% of the limit, at most %s in 60 s", processes, 100 * share, most)
    assert most <= per_minute
    assert (0.98 if LONG else 0.9) <= share <= (1 if LONG else 1.05)


@pytest.mark.parametrize(
    ("limiter", "retry_after"),
    [("sliding", "yes"), ("sliding", "no"), ("fixed", "yes"), ("fixed", "no"), ("bucket", "yes"), ("bucket", "no")],
)
def test_a_lane_finds_the_rate_of_an_endpoint_that_allows_half(
    limiter: str, retry_after: str, store_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    """The short form sees only that refused jobs lose no attempt and that refusals become few."""
    limits = tmp_path / "limits.toml"
    limits.write_text(f"[default]\nrequests_per_minute = {REQUESTS_PER_MINUTE}\n")
    allowed = REQUESTS_PER_MINUTE // 2
    words, tokens = SMALL
    fill(store_client, round(REQUESTS_PER_MINUTE * (SECONDS / 60 + 0.5)), words=words, tokens=tokens)
    settled = 60 if LONG else SECONDS / 2
    with (
        running_sandbox(
            requests_per_minute=allowed if LONG else allowed // 10,
            window_seconds=60.0 if LONG else 6.0,
            limiter=limiter,
            retry_after=retry_after,
            kept_requests=20_000,
        ) as sandbox,
        running_workers(2, tmp_path, redis_url, sandbox, slots="50", limits_file=str(limits)),
    ):
        seen = watch(sandbox, seconds=SECONDS)
    later = [call for call in seen if call["started_at"] >= seen[0]["started_at"] + settled]
    refused = sum(call["status"] == 429 for call in later)
    share = (len(later) - refused) / ((SECONDS - settled) * allowed / 60)
    early = len(seen) - len(later)
    log.info(
        "%s, Retry-After %s: %.1f %% of the true rate, %s of %s calls refused; %s calls before",
        limiter,
        retry_after,
        100 * share,
        refused,
        len(later),
        early,
    )
    assert {job.attempts_spent for job in newest(store_client, "completed")} == {1}
    assert not newest(store_client, "failed")
    if LONG:
        assert share >= 0.9
        assert refused <= 0.02 * len(later)
