"""What was promised against what became of it, once everything is healed and has ended."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from jobs.record import Job
from jobs.store import JobStore
from schemas.job import TERMINAL
from tests.chaos import witnesses
from tests.chaos.asked import Asked
from tests.chaos.leaks import leaks, nothing_is_left, nothing_is_owed, owed
from tests.chaos.stage import Stage
from tests.chaos.verdict import Verdict
from tests.chaos.workload import Workload

MOST_LOST = 3
"""Workers that may be lost in a row with one job."""


def judge(stage: Stage, load: Workload, *, seconds: float) -> Verdict:
    """Waits for all that was acknowledged to end, `seconds` at most for each part, and compares."""
    verdict = Verdict(answers=dict(load.answers), surprises=load.surprises)
    known = [asked for asked in load.asked if asked.id]
    jobs = {asked.number: asked for asked in known if asked.kind != "batch"}
    verdict.acknowledged, verdict.unknown = len(known), len(load.asked) - len(known)
    found = _ended(stage, list(jobs), verdict, seconds)
    witnesses.wait(lambda: nothing_is_left(stage.client) and nothing_is_owed(stage.client), seconds)
    verdict.leaked = leaks(stage.client) + owed(stage.client)
    verdict.endings = Counter(job.status for job in found)
    for job in found:
        _judge_job(job, jobs[job.number], verdict)
    witnesses.judge_calls(stage, found, verdict)
    witnesses.judge_webhooks(stage, [job for job in found if jobs[job.number].kind == "webhook"], verdict)
    witnesses.judge_ends(stage, load, found, verdict)
    witnesses.judge_streams(stage, [job for job in found if jobs[job.number].kind == "stream"][:20], verdict)
    witnesses.judge_batches(stage, [asked for asked in known if asked.kind == "batch"], verdict)
    verdict.recovery_seconds = [seconds for job in found for seconds in recoveries(job, stage.killed)]
    return verdict


def _ended(stage: Stage, numbers: Sequence[str], verdict: Verdict, seconds: float) -> list[Job]:
    """Those of the jobs that are there and have ended; the others are lost."""
    store, left = JobStore(stage.client, max_queued_bytes=2**40), set(numbers)

    def ended() -> bool:
        left.difference_update(
            [job.number for job in store.get_all(sorted(left)) if job is not None and job.status in TERMINAL]
        )
        return not left

    witnesses.wait(ended, seconds)
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
    and is recorded so then; a worker that had only stood still says that it hung up."""
    code = (job.error or {}).get("code")
    lost = [entry for entry in job.attempts if entry["outcome"] == "lost" or _called_off(entry)]
    return (code == "worker_lost" and len(lost) >= MOST_LOST) or (
        job.on_unknown == "fail" and (bool(unknown) or (code == "outcome_unknown" and len(sent) == 1))
    )


def _called_off(entry: Mapping[str, Any]) -> bool:
    return (entry.get("error") or {}).get("code") == "called_off"


def recoveries(job: Job, killed: Mapping[int, float]) -> list[float]:
    """How long after the kill of its worker each lost attempt was followed by another, in seconds."""
    found = []
    for entry, after in zip(job.attempts, job.attempts[1:], strict=False):
        pid = int(str(entry["worker"]).rsplit("-", 2)[1])
        if entry["outcome"] == "lost" and pid in killed:
            found.append(after["started_at"] / 1000 - killed[pid])
    return found
