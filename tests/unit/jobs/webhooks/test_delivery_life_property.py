"""Random walks through the life of deliveries; after each step the store must be of one mind with itself."""

from collections import defaultdict
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from jobs import keys
from jobs.connection import connect
from jobs.vault import Vault
from jobs.webhooks.delivery_lists import CLASSES
from jobs.webhooks.delivery_log import DeliveryLog
from jobs.webhooks.endpoint_record import EndpointChange
from jobs.webhooks.endpoints import Endpoints
from jobs.webhooks.replays import Replays
from schemas.allow import Allow
from schemas.webhook_url import parse_webhook_url
from tests.fakes.bench import running_bench
from tests.fakes.clock import stopped_clock
from tests.fakes.post_office import DELIVERED, GONE, HOOK, TRIED, PostOffice, retrying

PROJECTS = ("p", "q")
SENDERS = ("s1", "s2", "s3")
URLS = [parse_webhook_url(f"https://h{n}.example.com/in", allow=Allow()) for n in range(3)]
VERDICTS = (
    DELIVERED, DELIVERED, GONE, retrying(0.0), retrying(5.0), retrying(90_000.0),
    retrying(spends=False, origin="unmoved"), retrying(origin="throttled", pause_seconds=60.0),
    replace(GONE, status="exhausted"), replace(GONE, status="blocked", origin="unmoved"),
)  # fmt: skip
CLASS_OF = {status: name for name, statuses in CLASSES.items() for status in statuses}

projects, senders = st.sampled_from(PROJECTS), st.sampled_from(SENDERS)


class DeliveryLife(RuleBasedStateMachine):
    claims, endpoints = Bundle("claims"), Bundle("endpoints")
    url: str

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        client = self.stack.enter_context(connect(self.url))
        client.flushall()
        self.clock = stopped_clock(client, self.stack.enter_context(pytest.MonkeyPatch.context()))
        self.office = PostOffice(self.stack.enter_context(running_bench(client)))
        self.registry = Endpoints(client, Vault(client, secret="s"))
        self.replays = Replays(client, DeliveryLog(client))
        self.nonce = 0

    def teardown(self) -> None:
        try:
            self.deliver_all()
        finally:
            self.stack.close()

    def deliver_all(self) -> None:
        """Once all failures stop, nothing stays owed or held."""
        for sender in SENDERS:
            self.office.kill(sender)
        for _ in range(60):
            if not self.records("waiting", "released", "sending"):
                break
            self.clock.forward(2000)  # the longest wait is over before the last round
            self.office.sweep()
            self.beat("last", slots=100)
            for claim in self.claimed("last"):
                self.office.deliveries("last").settle(claim, DELIVERED, TRIED)
        assert not self.records("waiting", "released", "sending")
        self.one_place_each()
        # Where nothing waits any more, an origin is forgotten when it is next looked at.
        self.clock.forward(200_000)
        self.beat("last", slots=100)
        self.office.release()
        self.office.senders.leave("last")
        kinds = ("origin_due", "origin_slots", "sender_deliveries", "project_sending", "project_origins")
        left = [key for kind in kinds for key in self.office.client.scan_iter(f"{keys.PREFIX}{kind}:*")]
        assert left == []
        assert self.office.client.zcard(keys.PREFIX + "deliveries_released") == 0

    @rule(project=projects, own=st.sampled_from([*URLS, None]))
    def end_job(self, project: str, own: Any) -> None:
        webhook = replace(HOOK, url=own.url, origin=own.origin) if own else None
        self.office.end_job(webhook, project=project)

    @rule(target=endpoints, project=projects, url=st.sampled_from(URLS))
    def register(self, project: str, url: Any) -> str:
        return self.registry.create(project, url=url)[1].id

    @rule(endpoint=endpoints, url=st.sampled_from([*URLS, None]), status=st.sampled_from(["enabled", "disabled"]))
    def change(self, endpoint: str, url: Any, status: str) -> None:
        if self.known(endpoint):
            change = EndpointChange(status=status, **({"url": url} if url else {}))
            self.registry.change(endpoint, change, project=None)

    @rule(endpoint=endpoints)
    def delete(self, endpoint: str) -> None:
        if self.known(endpoint):
            self.registry.delete(endpoint, project=None)

    def known(self, endpoint: str) -> bool:
        return bool(self.office.client.exists(keys.webhook_endpoint(endpoint)))

    @rule(sender=senders, slots=st.sampled_from([0, 2, 5, 20]))
    def beat(self, sender: str, slots: int) -> None:
        self.office.beat(sender, slots=slots)

    @rule(target=claims, sender=senders, lost=st.booleans())
    def release(self, sender: str, lost: bool) -> Any:
        found = self.claimed(sender)
        if lost:
            self.office.release()
            self.office.messages(sender)
        return multiple(*found)

    def claimed(self, sender: str) -> list[Any]:
        self.office.release()
        self.nonce += 1
        return self.office.claim(sender, nonce=str(self.nonce))

    @rule(claim=claims, verdict=st.sampled_from(VERDICTS))
    def settle(self, claim: Any, verdict: Any) -> None:
        self.office.settle(claim, verdict)

    @rule(seconds=st.sampled_from([1, 11, 70, 400, 100_000]))
    def wait(self, seconds: int) -> None:
        for sender in SENDERS:  # those that live go on beating
            if self.office.client.zscore(keys.SENDERS, sender) not in (None, 1.0):
                self.office.client.zincrby(keys.SENDERS, seconds * 1000, sender)
        self.clock.forward(seconds)

    @rule(sender=senders)
    def kill(self, sender: str) -> None:
        if self.office.client.zscore(keys.SENDERS, sender) is not None:
            self.office.kill(sender)

    @rule()
    def sweep(self) -> None:
        self.office.sweep()

    @rule(sender=senders)
    def leave(self, sender: str) -> None:
        self.office.senders.leave(sender)

    @rule(sender=senders)
    def give_back(self, sender: str) -> None:
        held = sorted(self.office.senders.held_by(sender))
        if held:
            self.office.senders.give_back(sender, held[:2])

    @rule(project=projects)
    def replay(self, project: str) -> None:
        self.replays.replay_failed(project, since=0, endpoint=None)

    @invariant()
    def one_place_each(self) -> None:
        due, slots, held = self.census("origin_due"), self.census("origin_slots"), self.census("sender_deliveries")
        busy = self.census("project_sending")
        released = {d.decode() for d in self.office.client.zrange(keys.PREFIX + "deliveries_released", 0, -1)}
        records = self.records()
        assert {*due, *slots, *held, *busy, *released} <= records.keys()
        for d, record in records.items():
            handed = record["stage"] in ("released", "sending")
            assert due.get(d, []) == ([record["origin"]] if record["stage"] == "waiting" else [])
            assert slots.get(d, []) == ([record["origin"]] if handed else [])
            assert busy.get(d, []) == ([record["project"]] if handed else [])
            assert held.get(d, []) == ([record["sender"]] if handed else [])
            assert (d in released) == (record["stage"] == "released")
            ended = CLASS_OF[record["status"]] != "open"
            assert ended == (record["stage"] == "ended")
            assert ended == (self.office.client.pttl(keys.delivery(d)) > 0)

    @invariant()
    def listed_by_class(self) -> None:
        listed: dict[str, list[str]] = defaultdict(list)
        for name in CLASSES:
            for project in PROJECTS:
                for d in self.office.client.zrange(keys.project_deliveries(name, project), 0, -1):
                    listed[d.decode()].append(name)
        assert listed == {d: [CLASS_OF[record["status"]]] for d, record in self.records().items()}

    @invariant()
    def whatever_is_due_will_be_looked_at(self) -> None:
        client = self.office.client
        for key in client.scan_iter(keys.PREFIX + "origin_due:*"):
            origin = key.decode().removeprefix(keys.PREFIX + "origin_due:")
            project = origin.partition("|")[0]
            look = client.zscore(f"{keys.PREFIX}project_origins:{project}", origin)
            assert look is not None
            assert client.zscore(keys.PREFIX + "delivery_projects", project) is not None

    def records(self, *stages: str) -> dict[str, dict[str, str]]:
        names = [
            key.decode().rpartition(":")[2] for key in self.office.client.scan_iter(keys.delivery("*"), count=1000)
        ]
        found = {name: self.office.record(name) for name in names}
        return {name: record for name, record in found.items() if not stages or record["stage"] in stages}

    def census(self, kind: str) -> dict[str, list[str]]:
        """The names of the places of a kind that hold each delivery."""
        found: dict[str, list[str]] = defaultdict(list)
        prefix = f"{keys.PREFIX}{kind}:"
        for key in self.office.client.scan_iter(prefix + "*", count=1000):
            read = self.office.client.zrange if kind == "origin_due" else self.office.client.sscan_iter
            for d in read(key, 0, -1) if kind == "origin_due" else read(key):
                found[d.decode()].append(key.decode().removeprefix(prefix))
        return found


@pytest.fixture
def life(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> type[DeliveryLife]:
    monkeypatch.setattr(DeliveryLife, "url", redis_url, raising=False)
    return DeliveryLife


def test_whatever_happens_every_delivery_is_in_one_place_and_arrives_in_the_end(life: type[DeliveryLife]) -> None:
    run_state_machine_as_test(
        life,
        settings=settings(
            max_examples=20, stateful_step_count=40, phases=(Phase.generate,), deadline=None, derandomize=False,
            database=None, suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
