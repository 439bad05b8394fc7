"""A load that moves every metric, one step at a time, and what the metrics say after each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

from prometheus_client.parser import text_string_to_metric_families

from api.metrics_text import exposed
from jobs import keys
from jobs.batches.record import NewBatch
from jobs.claims import Claim
from jobs.connection import connect
from jobs.errors import QueueFull
from jobs.file_record import File
from jobs.metrics.reader import MetricsReader
from jobs.metrics.requests import Answered, RequestCounts
from jobs.new_job import NewJob
from jobs.store import JobStore
from jobs.vault import Vault
from jobs.webhooks.deliveries import DeliveryClaim
from jobs.webhooks.endpoints import Endpoints
from schemas.webhook_url import WebhookUrl
from tests.factories import new_job, unique
from tests.fakes.batches import BatchBench, as_file, request_line
from tests.fakes.bench import COMPLETED, FAILED, FAILURE, Bench, answered
from tests.fakes.post_office import HOOK, TRIED, PostOffice, retrying

NOBODY = "redis://127.0.0.1:1/0"
LANE = "default:m"
RECEIVER = WebhookUrl(url=HOOK.url, scheme="https", host="hooks.example.com", port=443, origin=HOOK.origin)
FAULTS = 10
"""In a row, they open a breaker."""
BODY = b'{"model":"m","input":"' + b"x" * 2**20 + b'"}'
USAGE = {
    "input_tokens": 3,
    "input_tokens_details": {"cached_tokens": 1},
    "output_tokens": 4,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 7,
}
Seen = dict[tuple[str, tuple[tuple[str, str], ...]], float]
"""Samples by name and labels."""


@dataclass(slots=True)
class Load:
    bench: Bench
    office: PostOffice
    batches: BatchBench
    claims: list[Claim] = field(default_factory=list)
    deliveries: list[DeliveryClaim] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)

    def see(self, url: str = "") -> Seen:
        """What a new API process would answer; that of `url`, if given."""
        client = connect(url) if url else self.bench.client
        reader = MetricsReader(client, self.bench.limits, max_queued_bytes=10**9)
        found = text_string_to_metric_families(exposed(reader.read()).decode())
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in found
            for sample in family.samples
        }

    def steps(self) -> Iterator[tuple[str, Callable[[], object]]]:
        """In the words of docs/metrics.md; a name that comes again adds to what its step does."""
        bench, office = self.bench, self.office
        yield "worker", lambda: (bench.beat("w1", slots=3), bench.beat("w2", slots=4))
        yield "submit", lambda: [self._submit() for _ in range(6)]
        yield "refused submit", self._refused
        yield "dispatch", bench.dispatch
        yield "claim", lambda: self.claims.extend([*bench.claim("w1"), *bench.claim("w2")])
        yield "answer", self._answer
        yield "delay", self._delay
        yield "give up", self._give_up
        yield "retry by hand", lambda: bench.store.retry(self.numbers[2], project=None)
        yield "cancel", lambda: bench.store.cancel(self.numbers[2], project=None)
        yield "lost worker", self._lose_worker
        yield "dispatch", bench.dispatch
        yield "throttle", lambda: bench.runs().throttle(self.claims[0], pause_seconds=60, reason="r", cut="pause")
        yield "submit", lambda: bench.submit(model="m", queue_deadline_seconds=3600)
        yield "deadline", self._overdue
        yield "lane change", self._change_lane
        yield "sender", lambda: office.beat()
        yield "release", lambda: office.release()
        yield "delivery", self._deliver
        yield "receiver fails", self._fail_receiver
        yield "lost sender", self._lose_sender
        yield "endpoint", self._register
        yield "request", self._request
        yield "no sweep", lambda: bench.client.hincrby(keys.COUNTERS, "swept", -60_000)
        yield "upload", self._upload
        yield "batch", lambda: self._batch(self.files[0])
        yield "batch end", lambda: self.batches.work()
        yield "batch", lambda: self._batch(self.files[1])
        yield "line", lambda: self.batches.work()
        yield "maxmemory", lambda: bench.client.config_set("maxmemory", 2**30)

    def _job(self) -> NewJob:
        return new_job(model="m", body=BODY, webhook=HOOK)

    def _submit(self) -> None:
        self.numbers.append(self.bench.store.submit(self._job(), unique()).number)

    def _refused(self) -> None:
        with suppress(QueueFull):
            JobStore(self.bench.client, max_queued_bytes=1).submit(self._job(), unique())

    def _claim(self, place: int) -> Claim:
        return next(claim for claim in self.claims if claim.number == self.numbers[place])

    def _answer(self) -> None:
        claim = self._claim(0)
        done = replace(answered(7, nano=5, http_status=200), usage=USAGE)
        self.bench.runs(self._worker_of(claim)).finish(claim, COMPLETED, done)

    def _delay(self) -> None:
        claim, refused = self._claim(1), replace(FAILED, delivery="answered", http_status=429, kind="rate")
        self.bench.runs(self._worker_of(claim)).snooze(claim, refused, delay_seconds=60, reason="rate")

    def _give_up(self) -> None:
        claim, refused = self._claim(2), replace(FAILED, delivery="answered", http_status=400, kind="permanent")
        self.bench.runs(self._worker_of(claim)).finish(claim, FAILURE, refused)

    def _worker_of(self, claim: Claim) -> str:
        worker = self.bench.client.hget(keys.job(claim.number), "worker")
        return (worker or b"").decode()

    def _lose_worker(self) -> None:
        self.bench.kill(self._worker_of(self._claim(3)))
        self.bench.sweep()

    def _change_lane(self) -> None:
        changes = {"requests_per_minute": 60, "tokens_per_minute": 600, "in_flight": 5}
        self.bench.lanes.change(LANE, changes, reason="", by="test")

    def _overdue(self) -> None:
        self.bench.make_due("deadlines")
        self.bench.sweep()

    def _deliver(self) -> None:
        self.deliveries = self.office.claim()
        for claim in self.deliveries[2:]:
            self.office.settle(claim)

    def _lose_sender(self) -> None:
        self.office.kill("s1")
        self.office.sweep()

    def _register(self) -> None:
        endpoints = Endpoints(self.bench.client, Vault(self.bench.client, secret="s"), retention_seconds=60.0)
        endpoints.create("default", url=RECEIVER)

    def _fail_receiver(self) -> None:
        claim = self.deliveries[1]
        for _ in range(FAULTS):
            self.office.settle(claim, retrying(), replace(TRIED, http_status=500))
            (claim,) = self.office.take() or [claim]

    def _request(self) -> None:
        counts = RequestCounts(self.bench.client)
        counts.count(Answered(route="/v1/jobs", method="POST", http_status=202, seconds=0.02))
        counts.flush()

    def _upload(self) -> None:
        self.files = [self.batches.put(b"no line of a batch\n"), self.batches.put(as_file([request_line(1)]))]

    def _batch(self, file: File) -> None:
        values = {"api_key": "key_test", "input_file_id": file.id, "project": "default"}
        self.batches.batches.create(NewBatch(**values))
