"""What must hold in every state, whoever died when: each broken rule is a sentence."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.model.store_state import Contents
from tests.model.world import NUMBERS, World

ENDS = ("completed", "failed", "incomplete", "cancelled")
MAX_ATTEMPTS = 2


def broken(world: World, contents: Contents) -> Iterator[str]:
    """The rules that the state breaks."""
    jobs = {number: contents[f"job:{number}"] for number in NUMBERS if f"job:{number}" in contents}
    for number in NUMBERS[: world.submitted]:
        if number not in jobs:
            yield f"{number[-1]}: an acknowledged job is gone"
    yield from _places(jobs, contents)
    yield from _sums(jobs, contents)
    for number, job in jobs.items():
        entries = [json.loads(entry) for entry in contents.get(f"attempts:{number}", ())]
        for told in _attempts(job, entries, world.calls[NUMBERS.index(number)]):
            yield f"{number[-1]}: {told}"


def _places(jobs: dict[str, Any], contents: Contents) -> Iterator[str]:
    """Each job is in the places of its stage, and nowhere else."""
    places = _census(contents)
    for number, job in jobs.items():
        found = sorted(places.pop(number, []))
        held = [place for place in found if place.startswith("held ")]
        own = [f"held {job['worker']}"] if "worker" in job else []
        expected = {
            "waiting": ["queue"],
            "delayed": ["delayed"],
            "dispatched": ["dispatched", *own, "slot"],
            "running": [*own, "slot"],
            "ended": [*own, "slot"] if own else [],
        }[job["stage"]]
        if found != sorted(expected) or len(held) > 1:
            yield f"{number[-1]}: {job['stage']}, but found in {found}"
        if job["stage"] in ("dispatched", "running") and not own:
            yield f"{number[-1]}: {job['stage']} at nobody"
    if places:
        yield f"found without a record: {places}"


def _census(contents: Contents) -> dict[str, list[str]]:
    places: dict[str, list[str]] = {}
    for key, held in contents.items():
        kind, _, name = key.partition(":")
        label = {"backlog_jobs": "queue", "delayed": "delayed", "dispatched": "dispatched", "lane_slots": "slot"}.get(
            kind
        )
        if kind == "worker_jobs":
            label = f"held {name}"
        for number in held if label else ():
            places.setdefault(number, []).append(str(label))
    return places


def _sums(jobs: dict[str, Any], contents: Contents) -> Iterator[str]:
    """Each job is listed once, counted once, weighed once; one end is one event."""
    listed = Counter((key.rpartition(":")[2], n) for key in contents if key.startswith("index:") for n in contents[key])
    if listed != Counter((job["status"], number) for number, job in jobs.items()):
        yield f"listed as {listed}"
    alive = [job for job in jobs.values() if job["status"] not in ENDS]
    weight = sum(int(job["request_bytes"]) for job in alive)
    if int(contents.get("counters", {}).get("queued_bytes", 0)) != weight:
        yield f"the queue weighs {contents['counters']['queued_bytes']} bytes, its jobs {weight}"
    held = sum(int(job["tokens"]) for job in alive)
    if int(contents.get("project:default", {}).get("held_tokens", 0)) != held:
        yield f"{contents['project:default']} is held, {held} by jobs"
    slots = contents.get("lane_slots:default:m", frozenset())
    if contents.get("project_slots:default", frozenset()) != slots:
        yield "the project's slots are not the lane's"
    ended = [job["status"] for job in jobs.values() if job["status"] in ENDS]
    usage = [contents[key] for key in contents if key.startswith("usage:")]
    booked = Counter({status: sum(int(day.get(f"m\nkey_test\n{status}", 0)) for day in usage) for status in ENDS})
    if +booked != Counter(ended):
        yield f"ends {Counter(ended)} are booked as {booked}"
    told = {status: int(contents.get("metrics", {}).get(f"events\nresponse.{status}", 0)) for status in ENDS}
    if +Counter(told) != Counter(ended):
        yield f"ends {Counter(ended)} are told as {told}"


def _attempts(job: dict[str, str], entries: list[dict[str, Any]], calls: int) -> Iterator[str]:
    """Every call of the endpoint is told of by an attempt; only the one that is under way runs."""
    if [entry["number"] for entry in entries] != list(range(1, int(job.get("attempt", 0)) + 1)):
        yield f"attempts {[entry['number'] for entry in entries]}, of {job.get('attempt')}"
    running = [entry["number"] for entry in entries if entry["outcome"] == "running"]
    # One that is called off runs on until its worker has hung up.
    known = {"running": [[int(job.get("attempt", 0))]], "ended": [[], [int(job.get("attempt", 0))]]}.get(
        job["stage"], [[]]
    )
    if running not in (known if "worker" in job else [[]]):
        yield f"attempts {running} run, the job is {job['stage']}"
    if int(job["spent"]) > MAX_ATTEMPTS:
        yield f"spent {job['spent']} attempts"
    told = sum(_may_have_called(entry, job) for entry in entries)
    if int(job["spent"]) > len(entries):
        yield f"spent {job['spent']} of {len(entries)} attempts"
    if calls > told:
        yield f"{calls} calls, and attempts tell of {told}"


def _may_have_called(entry: dict[str, Any], job: dict[str, str]) -> bool:
    return entry["delivery"] != "not_sent" or (entry["outcome"] == "running" and job.get("sent") == job["attempt"])


def changed_end(before: Contents, after: Contents) -> Iterator[str]:
    """A terminal status is final."""
    for number in NUMBERS:
        old, new = before.get(f"job:{number}"), after.get(f"job:{number}")
        if old and old["status"] in ENDS and (not new or new["status"] != old["status"]):
            yield f"{number[-1]}: {old['status']} became {new and new['status']}"
