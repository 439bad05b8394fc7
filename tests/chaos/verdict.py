"""What was promised against what became of it, once everything is healed and has ended."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

from jobs import keys
from jobs.batches.store import Batches
from jobs.record import Job
from jobs.store import JobStore
from schemas.job import TERMINAL
from tests.chaos.leaks import leaks, nothing_is_left, nothing_is_owed, owed
from tests.chaos.stage import KEY, Stage
from tests.chaos.workload import BATCH_LINES, Asked, Workload
from tests.fakes.waiting import wait_until

MOST_LOST = 3
"""Workers that may be lost in a row with one job."""


@dataclass(slots=True, kw_only=True)
class Verdict:
    """Everything but the first four and `recovery_seconds` is a list of what must not be: the ids it happened to."""

    acknowledged: int = 0
    unknown: int = 0
    answers: Mapping[str, int] = field(default_factory=dict)
    endings: Mapping[str, int] = field(default_factory=dict)
    recovery_seconds: list[float] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    changed_after_the_end: list[str] = field(default_factory=list)
    failed_without_reason: list[str] = field(default_factory=list)
    finished_twice: list[str] = field(default_factory=list)
    webhooks_lost: list[str] = field(default_factory=list)
    webhooks_changed: list[str] = field(default_factory=list)
    calls_unrecorded: list[str] = field(default_factory=list)
    calls_beyond_policy: list[str] = field(default_factory=list)
    streams_wrong: list[str] = field(default_factory=list)
    batches_wrong: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)

    @property
    def faults(self) -> dict[str, list[str]]:
        told = ("acknowledged", "unknown", "answers", "endings", "recovery_seconds")
        found = {name: getattr(self, name) for name in self.__slots__ if name not in told}
        return {name: ids for name, ids in found.items() if ids}

    def recovery(self, share: float) -> float:
        """The time that this share of what a killed worker held did not exceed until its next start; 0 for nothing."""
        times = sorted(self.recovery_seconds)
        return times[min(len(times) - 1, int(share * len(times)))] if times else 0.0


def judge(stage: Stage, load: Workload, *, seconds: float) -> Verdict:
    """Waits for all that was acknowledged to end, `seconds` at most for each part, and compares."""
    verdict = Verdict(answers=dict(load.answers), surprises=load.surprises)
    known = [asked for asked in load.asked if asked.id]
    jobs = {asked.number: asked for asked in known if asked.kind != "batch"}
    verdict.acknowledged, verdict.unknown = len(known), len(load.asked) - len(known)
    found = _ended(stage, list(jobs), verdict, seconds)
    _wait(lambda: nothing_is_left(stage.client) and nothing_is_owed(stage.client), seconds)
    verdict.leaked = leaks(stage.client) + owed(stage.client)
    verdict.endings = Counter(job.status for job in found)
    for job in found:
        _judge_job(job, jobs[job.number], verdict)
    _judge_calls(stage, found, verdict)
    _judge_webhooks(stage, [job for job in found if jobs[job.number].kind == "webhook"], verdict)
    _judge_ends(stage, load, found, verdict)
    _judge_streams(stage, [job for job in found if jobs[job.number].kind == "stream"][:20], verdict)
    _judge_batches(stage, [asked for asked in known if asked.kind == "batch"], verdict)
    verdict.recovery_seconds = [seconds for job in found for seconds in recoveries(job, stage.killed)]
    return verdict


def _wait(is_true: Callable[[], bool], seconds: float) -> None:
    """What does not come true shows in the verdict."""
    try:
        wait_until(is_true, seconds=seconds)
    except AssertionError:
        return


def _ended(stage: Stage, numbers: Sequence[str], verdict: Verdict, seconds: float) -> list[Job]:
    """Those of the jobs that are there and have ended; the others are lost."""
    store, left = JobStore(stage.client, max_queued_bytes=2**40), set(numbers)

    def ended() -> bool:
        left.difference_update(
            [job.number for job in store.get_all(sorted(left)) if job is not None and job.status in TERMINAL]
        )
        return not left

    _wait(ended, seconds)
    verdict.lost = sorted(left)
    return [job for job in store.get_all([n for n in numbers if n not in left]) if job is not None]


def _judge_job(job: Job, asked: Asked, verdict: Verdict) -> None:
    if asked.cancelled in TERMINAL and asked.cancelled != job.status:
        verdict.changed_after_the_end.append(job.id)
    sent = [entry for entry in job.attempts if entry["delivery"] != "not_sent"]
    unknown = [entry for entry in sent if entry["delivery"] == "sent" and entry["outcome"] in ("lost", "failed")]
    if job.attempts_spent > job.max_attempts:
        verdict.calls_beyond_policy.append(job.id)
    if job.on_unknown == "fail" and unknown and unknown[0] is not sent[-1]:
        verdict.calls_beyond_policy.append(job.id)
    if job.status not in ("completed", "cancelled") and not _may_fail(job, sent, unknown):
        verdict.failed_without_reason.append(f"{job.id} {job.error}")


def _may_fail(job: Job, sent: Sequence[Mapping[str, Any]], unknown: Sequence[Mapping[str, Any]]) -> bool:
    """Three workers were lost with it, or it was not to be called again. A call that was given up may be answered yet,
    and is recorded so then."""
    code = (job.error or {}).get("code")
    lost = [entry for entry in job.attempts if entry["outcome"] == "lost"]
    return (code == "worker_lost" and len(lost) >= MOST_LOST) or (
        job.on_unknown == "fail" and (bool(unknown) or (code == "outcome_unknown" and len(sent) == 1))
    )


def _judge_calls(stage: Stage, jobs: Sequence[Job], verdict: Verdict) -> None:
    """No call of the endpoint that no attempt tells of."""
    calls = Counter(requests.get(f"{stage.sandbox}/sandbox/keys?at_least=1", timeout=30).json())
    for job in jobs:
        if calls[job.id] > len([entry for entry in job.attempts if entry["delivery"] != "not_sent"]):
            verdict.calls_unrecorded.append(job.id)


def _judge_webhooks(stage: Stage, jobs: Sequence[Job], verdict: Verdict) -> None:
    for job in jobs:
        if not stage.mailbox.taken[f"evt_{job.number}01"]:
            verdict.webhooks_lost.append(job.id)
    verdict.webhooks_changed = [event for event, bodies in stage.mailbox.bodies.items() if len(bodies) > 1]


def _judge_ends(stage: Stage, load: Workload, jobs: Sequence[Job], verdict: Verdict) -> None:
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


def _judge_streams(stage: Stage, jobs: Sequence[Job], verdict: Verdict) -> None:
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


def _judge_batches(stage: Stage, batches: Sequence[Asked], verdict: Verdict) -> None:
    """Each line is answered once."""
    for asked in batches:
        assert asked.id is not None
        store, id_ = Batches(stage.client), asked.id
        _wait(lambda store=store, id_=id_: store.get(id_, project=None).ended, 120)
        batch = store.get(id_, project=None)
        lines = []
        with requests.Session() as session:
            for file in filter(None, (batch.output_file_id, batch.error_file_id)):
                content = session.get(f"{stage.base}/v1/files/{file}/content", headers=KEY, timeout=30).text
                lines += [json.loads(line)["custom_id"] for line in content.splitlines()]
        if sorted(lines) != sorted(f"line {n}" for n in range(1, BATCH_LINES + 1)):
            verdict.batches_wrong.append(f"{asked.id} {batch.status} {len(lines)} lines")


def recoveries(job: Job, killed: Mapping[int, float]) -> list[float]:
    """How long after the kill of its worker each lost attempt was followed by another, in seconds."""
    found = []
    for entry, after in zip(job.attempts, job.attempts[1:], strict=False):
        pid = int(str(entry["worker"]).rsplit("-", 2)[1])
        if entry["outcome"] == "lost" and pid in killed:
            found.append(after["started_at"] / 1000 - killed[pid])
    return found
