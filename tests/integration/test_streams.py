"""Streams as they go over sockets: gunicorn with gevent, and Celery workers that are killed."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis
import requests

from jobs import keys
from tests.factories import MODEL
from tests.fakes.bench import Bench, running_bench
from tests.fakes.processes import running_api, running_worker, start_worker
from tests.fakes.redis_server import RedisServer, running_redis
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.small_answer import DONE_ITEM, STREAMED
from tests.fakes.waiting import wait_until
from tests.unit.api.responses import finish, start
from tests.unit.api.streams import RESTARTED, append

KEY = {"Authorization": "Bearer known"}
Event = dict[str, Any]


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    with running_redis(tmp_path) as server:
        yield server


@pytest.fixture
def client(own_redis: RedisServer) -> Iterator[redis.Redis]:
    with redis.Redis(port=own_redis.port) as made:
        yield made


@pytest.fixture
def bench(client: redis.Redis) -> Iterator[Bench]:
    with running_bench(client) as made:
        yield made


@pytest.fixture
def settings(own_redis: RedisServer) -> Iterator[dict[str, str]]:
    with running_sandbox() as sandbox:
        yield {
            "RESPOOL_REDIS_URL": own_redis.url,
            "RESPOOL_API_KEY": "known",
            "RESPOOL_UPSTREAM_URL": f"{sandbox}/v1",
            "RESPOOL_UPSTREAM_API_KEY": "any",
            "WEB_CONCURRENCY": "1",
        }


@pytest.fixture
def base(settings: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """One process of the API."""
    with running_api(tmp_path, settings) as address:
        yield address


def create(base: str) -> str:
    """The id of a new response that is made in the background."""
    body = {"model": MODEL, "input": "hello", "background": True}
    answer = requests.post(f"{base}/v1/responses", json=body, headers=KEY, timeout=30)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


class Reader:
    """Reads the stream of one response on a thread of the pool; `events` grows as they come."""

    def __init__(self, base: str, response_id: str, *, after: int | None = None) -> None:
        query: dict[str, str | int] = {"stream": "true"} | ({} if after is None else {"starting_after": after})
        self._url, self._query = f"{base}/v1/responses/{response_id}", query
        self.events: list[Event] = []
        self.done = False

    def read(self) -> None:
        with requests.get(self._url, params=self._query, headers=KEY, stream=True, timeout=60) as answer:
            for line in answer.iter_lines(chunk_size=None):
                if line == b"data: [DONE]":
                    self.done = True
                elif line.startswith(b"data: "):
                    self.events.append(json.loads(line.removeprefix(b"data: ")))

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    @property
    def valid(self) -> list[Event]:
        """What it was told, without what was declared void."""
        places = [place for place, kind in enumerate(self.types) if kind == RESTARTED]
        return self.events[places[-1] + 1 :] if places else self.events


def text_of(events: list[Event]) -> str:
    return "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")


def unplaced(event: Event) -> Event:
    """Whoever has been told what is void is told what follows at other places."""
    return {name: value for name, value in event.items() if name != "output_index"}


def closed(events: list[Event]) -> list[Event]:
    """Without what only closes items that are void."""
    return [event for event in events if event.get("item", {}).get("status") != "incomplete"]


def begin(base: str, *, pace: float) -> str:
    """A response that is asked for as a stream; whoever asked leaves after its first event."""
    body = {"model": MODEL, "input": "hello", "background": True, "stream": True}
    body |= {"metadata": {"sandbox": f"pace={pace}"}}
    with requests.post(f"{base}/v1/responses", json=body, headers=KEY, stream=True, timeout=30) as answer:
        lines = answer.iter_lines(chunk_size=None)
        assert next(lines) == b"event: response.created"
        return str(json.loads(next(lines).removeprefix(b"data: "))["response"]["id"])


def test_deltas_come_while_the_upstream_still_writes_and_a_second_reader_gets_the_same(
    base: str, settings: dict[str, str], tmp_path: Path
) -> None:
    with running_worker(tmp_path, settings), ThreadPoolExecutor(2) as threads:
        response_id = begin(base, pace=0.05)
        first, second = Reader(base, response_id), Reader(base, response_id, after=4)
        reading = [threads.submit(reader.read) for reader in (first, second)]
        wait_until(lambda: "response.output_text.delta" in first.types)
        status = requests.get(f"{base}/v1/responses/{response_id}", headers=KEY, timeout=10).json()["status"]
        assert status == "in_progress"
        for each in reading:
            each.result(60)
    assert first.done
    assert [event["sequence_number"] for event in first.events] == list(range(len(first.events)))
    assert second.events == first.events[5:]
    last = first.events[-1]
    assert last["type"] == "response.completed"
    assert text_of(first.events) == last["response"]["output"][-1]["content"][0]["text"]
    assert last["response"] == requests.get(f"{base}/v1/responses/{response_id}", headers=KEY, timeout=10).json()


def test_three_readers_see_one_consistent_answer_though_the_worker_is_killed(
    base: str, settings: dict[str, str], tmp_path: Path
) -> None:
    worker = start_worker(tmp_path, settings)
    with ThreadPoolExecutor(3) as threads:
        response_id = begin(base, pace=0.05)
        readers = [Reader(base, response_id) for _ in range(3)]
        reading = [threads.submit(reader.read) for reader in readers]
        wait_until(lambda: all(reader.types.count("response.output_text.delta") > 3 for reader in readers))
        worker.kill()
        with running_worker(tmp_path, settings, name="second"):
            for each in reading:
                each.result(60)
    for reader in readers:
        assert reader.done
        assert reader.types.count(RESTARTED) == 1
        numbers = [event["sequence_number"] for event in reader.events]
        assert numbers == sorted(set(numbers))
        last = reader.events[-1]
        assert last["type"] == "response.completed"
        assert text_of(reader.valid) == last["response"]["output"][-1]["content"][0]["text"]
        assert [attempt["outcome"] for attempt in last["response"]["respool"]["attempts"]] == ["lost", "completed"]
    assert readers[0].events == readers[1].events == readers[2].events
    late = Reader(base, response_id)
    late.read()
    assert RESTARTED not in late.types
    assert [unplaced(event) for event in late.events[3:]] == [unplaced(event) for event in closed(readers[0].valid)]


def test_a_cancel_ends_every_reader(base: str, settings: dict[str, str], tmp_path: Path) -> None:
    with running_worker(tmp_path, settings), ThreadPoolExecutor(2) as threads:
        response_id = begin(base, pace=0.2)
        readers = [Reader(base, response_id) for _ in range(2)]
        reading = [threads.submit(reader.read) for reader in readers]
        wait_until(lambda: all("response.output_text.delta" in reader.types for reader in readers))
        requests.post(f"{base}/v1/responses/{response_id}/cancel", headers=KEY, timeout=10)
        for each in reading:
            each.result(20)
    assert {(reader.types[-1], reader.done) for reader in readers} == {("response.cancelled", True)}


def test_200_readers_in_one_process_are_told_of_each_event_and_ask_redis_for_nothing_meanwhile(
    base: str, client: redis.Redis, bench: Bench
) -> None:
    response_id, count = create(base), 200
    readers = [Reader(base, response_id) for _ in range(count)]
    threads = [threading.Thread(target=reader.read, daemon=True) for reader in readers]
    for thread in threads:
        thread.start()
    wait_until(lambda: all(len(reader.events) == 2 for reader in readers))
    assert client.pubsub_numsub(keys.log(response_id.removeprefix("resp_")))[0][1] == 1
    client.config_resetstat()
    requests.get(f"{base}/v1/jobs/job_{response_id[5:]}", headers=KEY | {"Prefer": "wait=2"}, timeout=10)
    assert looks(client) < count / 10
    claim = start(bench)
    wait_until(lambda: all(len(reader.events) == 3 for reader in readers))
    client.config_resetstat()
    for place, event in enumerate(STREAMED):
        append(bench, claim, [event], before=place, whole=place == len(STREAMED) - 1)
    wait_until(lambda: all(len(reader.events) == 3 + len(STREAMED) for reader in readers))
    assert commands(client) < count * len(STREAMED) * 3
    finish(bench, claim, output=[DONE_ITEM])
    for thread in threads:
        thread.join(30)
    assert all(reader.done and reader.events == readers[0].events for reader in readers)


def looks(client: redis.Redis) -> int:
    """How often the log of a response was looked at since the counters were reset."""
    return int(client.info("commandstats").get("cmdstat_xrange", {"calls": 0})["calls"])


def commands(client: redis.Redis) -> int:
    """How many were run since the counters were reset."""
    return sum(each["calls"] for each in client.info("commandstats").values())
