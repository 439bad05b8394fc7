"""What others than the jobs' own records tell of them: the endpoint, receivers, feeds, streams and files."""

import json
from collections import Counter
from collections.abc import Callable, Sequence

import requests

from jobs import keys
from jobs.batches.store import Batches
from jobs.record import Job
from schemas.job import TERMINAL
from tests.chaos.asked import BATCH_LINES, Asked
from tests.chaos.stage import KEY, Stage
from tests.chaos.verdict import Verdict
from tests.chaos.workload import Workload
from tests.fakes.waiting import wait_until


def wait(is_true: Callable[[], bool], seconds: float) -> None:
    """What does not come true shows in the verdict."""
    try:
        wait_until(is_true, seconds=seconds)
    except AssertionError:
        return


def judge_calls(stage: Stage, jobs: Sequence[Job], verdict: Verdict) -> None:
    """No call of the endpoint that no attempt tells of."""
    calls = Counter(requests.get(f"{stage.sandbox}/sandbox/keys?at_least=1", timeout=30).json())
    for job in jobs:
        if calls[job.id] > len([entry for entry in job.attempts if entry["delivery"] != "not_sent"]):
            verdict.calls_unrecorded.append(job.id)


def judge_webhooks(stage: Stage, jobs: Sequence[Job], verdict: Verdict) -> None:
    for job in jobs:
        if not stage.mailbox.taken[f"evt_{job.number}01"]:
            verdict.webhooks_lost.append(job.id)
    verdict.webhooks_changed = [event for event, bodies in stage.mailbox.bodies.items() if len(bodies) > 1]


def judge_ends(stage: Stage, load: Workload, jobs: Sequence[Job], verdict: Verdict) -> None:
    """One event for each end, and no job but those that were asked for."""
    entries = stage.client.xrange(keys.events("default"))
    events = Counter(json.loads(entry[b"event"])["id"] for _, entry in entries)
    wrong = [job.id for job in jobs if events[f"evt_{job.number}01"] != 1]
    verdict.finished_twice += wrong + [event for event, count in events.items() if count > 1]
    records = list(stage.client.scan_iter(f"{keys.PREFIX}job:*", count=1000))
    lines = sum(BATCH_LINES for asked in load.asked if asked.kind == "batch")
    most = len([asked for asked in load.asked if asked.kind != "batch"]) + lines
    if len(records) > most:
        verdict.doubled.append(f"{len(records)} jobs for {most} that were asked for")
    metrics = stage.client.hgetall(keys.METRICS)
    ends = sum(int(count) for name, count in metrics.items() if name.startswith(b"ended\n"))
    if ends != len(records):
        verdict.finished_twice.append(f"{ends} ends of {len(records)} jobs")


def judge_streams(stage: Stage, jobs: Sequence[Job], verdict: Verdict) -> None:
    """Whoever reads the stream afterwards is told what a poll tells, under numbers that grow."""
    for job in jobs:
        url = f"{stage.base}/v1/responses/resp_{job.number}"
        polled = requests.get(url, headers=KEY, timeout=30).json()
        told = requests.get(url, params={"stream": "true"}, headers=KEY, timeout=30).text
        data = [line.removeprefix("data: ") for line in told.splitlines() if line.startswith("data: {")]
        events = [json.loads(text) for text in data]
        numbers = [event["sequence_number"] for event in events]
        ends = [event for event in events if event["type"].removeprefix("response.") in TERMINAL]
        if numbers != sorted(set(numbers)) or [end["response"] for end in ends] != [polled]:
            verdict.streams_wrong.append(job.id)


def judge_batches(stage: Stage, batches: Sequence[Asked], verdict: Verdict) -> None:
    """Each line is answered once."""
    for asked in batches:
        assert asked.id is not None
        store, id_ = Batches(stage.client), asked.id
        wait(lambda store=store, id_=id_: store.get(id_, project=None).ended, 120)
        batch = store.get(id_, project=None)
        lines = []
        with requests.Session() as session:
            for file in filter(None, (batch.output_file_id, batch.error_file_id)):
                content = session.get(f"{stage.base}/v1/files/{file}/content", headers=KEY, timeout=30).text
                lines += [json.loads(line)["custom_id"] for line in content.splitlines()]
        if sorted(lines) != sorted(f"line {n}" for n in range(1, BATCH_LINES + 1)):
            verdict.batches_wrong.append(f"{asked.id} {batch.status} {len(lines)} lines")
