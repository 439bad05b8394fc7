import re
import time
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
import redis

from jobs import keys, scripts
from jobs.connection import connect
from jobs.errors import StoreUnavailable
from jobs.record import new_number
from jobs.store import JobStore
from tests.factories import new_job, unique
from tests.fakes.bench import ANSWERED, COMPLETED, FAILED, FAILURE, UNSENT, Bench
from tests.fakes.redis_server import RedisServer, free_port, running_redis

NAMES = sorted(
    path.name.removesuffix(".lua") for path in (resources.files("jobs") / "lua").iterdir() if path.name.endswith(".lua")
)
ADDING = {"submit", "retry_failed", "append_events", "keep_file", "create_batch", "advance_batch"}
BEAT = scripts.Call(name="heartbeat", args=["w1", 1000, 1, "{}"])
NOTHING: list[object] = [[], []]


def own_text(name: str) -> tuple[str, str]:
    """The script's header and its body, without what is put before it."""
    lines = (resources.files("jobs") / "lua" / f"{name}.lua").read_text(encoding="utf-8").splitlines()[1:]
    end = next(place for place, line in enumerate(lines) if not line.startswith("--"))
    return "\n".join(lines[:end]), "\n".join(lines[end:])


@pytest.mark.parametrize("name", NAMES)
def test_a_script_says_what_it_takes_returns_and_does_when_run_twice(name: str) -> None:
    header, _ = own_text(name)
    for word in ("ARGV:", "1 prefix", "Returns ", "Twice"):
        assert word in header, f"{name} does not say {word!r}"


@pytest.mark.parametrize("name", NAMES)
def test_every_key_and_word_that_a_script_reads_is_listed_in_its_header(name: str) -> None:
    header, body = own_text(name)
    listed_keys, listed_words = header.partition("KEYS:")[2].partition("ARGV:")[0], header.partition("ARGV:")[2]
    for place in set(re.findall(r"KEYS\[(\d+)\]", body)):
        assert re.search(rf"\b{place} ", listed_keys), f"{name} does not list KEYS {place}"
    for place in set(re.findall(r"ARGV\[(\d+)\]", body)) | set(re.findall(r"unpack\(ARGV, (\d+)\)", body)):
        assert re.search(rf"\b{place}(…| )", listed_words), f"{name} does not list ARGV {place}"


@pytest.mark.parametrize("name", NAMES)
def test_only_what_adds_to_what_is_kept_is_refused_when_memory_is_short(name: str) -> None:
    flags = scripts.script(name).source.partition("\n")[0]
    assert flags == ("#!lua" if name in ADDING else "#!lua flags=allow-oom")


def test_a_script_is_loaded_where_the_server_lacks_it(store_client: redis.Redis) -> None:
    store_client.script_flush()
    assert scripts.run(store_client, BEAT) == NOTHING
    assert store_client.script_exists(scripts.script("heartbeat").digest) == [True]


def test_of_several_calls_each_has_its_answer_also_when_some_had_to_be_loaded(store_client: redis.Redis) -> None:
    number, absent = new_number(), new_number()
    cancel = [scripts.Call(name="cancel", keys=[keys.job(n)], args=[n, ""]) for n in (number, absent)]
    scripts.run(store_client, BEAT)
    JobStore(store_client, max_queued_bytes=10**6).submit(new_job(number=number), unique())
    store_client.script_flush()
    store_client.script_load(scripts.script("heartbeat").source)
    assert scripts.run_all(store_client, [BEAT, *cancel, BEAT]) == [NOTHING, b"cancelled", b"missing", NOTHING]


def test_a_script_that_fails_fails_alone(store_client: redis.Redis) -> None:
    wrong = scripts.Call(name="heartbeat", args=["w1", "no number", 1, "{}"])
    first, failed, last = scripts.run_all(store_client, [BEAT, wrong, BEAT])
    assert (first, last) == (NOTHING, NOTHING)
    assert isinstance(failed, redis.ResponseError)
    with pytest.raises(redis.ResponseError):
        scripts.run(store_client, wrong)


def submit(client: redis.Redis) -> None:
    JobStore(client, max_queued_bytes=10**6).submit(new_job(), unique())


def seconds_to_be_refused(client: redis.Redis) -> float:
    start = time.monotonic()
    with pytest.raises(StoreUnavailable):
        submit(client)
    return time.monotonic() - start


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RedisServer]:
    with running_redis(tmp_path) as server:
        yield server


def test_a_server_out_of_memory_takes_no_job_but_lets_those_it_has_end(own_server: RedisServer) -> None:
    with connect(own_server.url) as client:
        submit(client)
        (key,) = client.scan_iter(match=keys.job("*"))
        number = key.decode().removeprefix(keys.job(""))
        client.config_set("maxmemory", "1")
        seconds_to_be_refused(client)
        store = JobStore(client, max_queued_bytes=10**6)
        with pytest.raises(StoreUnavailable):
            store.takes_writes()
        assert store.cancel(number, project=None).status == "cancelled"


def test_a_read_only_server_is_unavailable(own_server: RedisServer) -> None:
    with connect(own_server.url) as client:
        submit(client)
        client.replicaof("127.0.0.1", str(free_port()))
        seconds_to_be_refused(client)
        with pytest.raises(StoreUnavailable):
            JobStore(client, max_queued_bytes=10**6).takes_writes()


def test_a_server_without_its_replicas_is_unavailable(own_server: RedisServer) -> None:
    with connect(own_server.url) as client:
        client.config_set("min-replicas-to-write", "1")
        seconds_to_be_refused(client)


def test_a_server_that_went_away_is_unavailable_and_found_again(own_server: RedisServer) -> None:
    with connect(own_server.url) as client:
        submit(client)
        own_server.kill()
        assert seconds_to_be_refused(client) < 2
        own_server.start()
        submit(client)


def test_a_server_that_does_not_answer_is_known_within_two_seconds(own_server: RedisServer) -> None:
    with connect(own_server.url) as client, redis.Redis(port=own_server.port) as other:
        submit(client)
        other.execute_command("CLIENT", "PAUSE", 60_000, "ALL")
        assert seconds_to_be_refused(client) < 2


def snapshot(bench: Bench) -> dict[str, bytes | None]:
    """All that is kept but the clocks that a second call may move on."""
    return {key: bench.client.dump(key) for key in bench.all_keys()}


def test_what_a_run_writes_is_written_once_however_often_it_is_sent(bench: Bench) -> None:
    claim = bench.run_one()
    runs = bench.runs()
    assert [runs.mark_sent(claim), runs.mark_sent(claim)] == [True, True]
    assert runs.finish(claim, COMPLETED, ANSWERED) == "finished"
    before = snapshot(bench)
    assert runs.finish(claim, COMPLETED, ANSWERED) == "already"
    assert runs.retry(claim, FAILED, delay_seconds=5) == "gone"
    assert runs.mark_sent(claim) is False
    assert snapshot(bench) == before


@pytest.mark.parametrize("way", ["retry", "snooze"])
def test_a_job_is_put_back_once_however_often_it_is_sent(bench: Bench, way: str) -> None:
    claim, runs = bench.run_one(), bench.runs()
    both = []
    for _ in range(2):
        if way == "retry":
            both.append(runs.retry(claim, FAILED, delay_seconds=60))
        else:
            both.append(runs.snooze(claim, UNSENT, delay_seconds=60, reason="rate_limited"))
    assert both == (["put_back", "gone"] if way == "retry" else [True, False])
    assert bench.job(claim.number).attempts_spent == (1 if way == "retry" else 0)


def test_cancel_and_delete_twice_change_nothing_more(bench: Bench) -> None:
    number = bench.submit()
    assert bench.store.cancel(number, project=None).status == "cancelled"
    before = snapshot(bench)
    assert bench.store.cancel(number, project=None).status == "cancelled"
    assert snapshot(bench) == before
    forget = scripts.Call(name="forget", keys=[keys.job(number)], args=[number, ""])
    assert [scripts.run(bench.client, forget) for _ in range(2)] == [b"forgotten", b"missing"]


def test_the_same_submit_twice_is_one_job(bench: Bench) -> None:
    job, same = new_job(), unique()
    first = bench.store.submit(job, same)
    before = snapshot(bench)
    assert bench.store.submit(job, same) == first
    assert snapshot(bench) == before


def test_what_an_operator_sets_twice_is_set_once(bench: Bench) -> None:
    bench.submit()
    for _ in range(2):
        bench.lanes.change("default:m", {"in_flight": 3}, reason="r", by="me")
        bench.lanes.pause("default:m", seconds=None, reason="r", by="me")
        bench.projects.change("p", {"max_queued": 5, "weight": 2.0})
        settings = {name: bench.client.hgetall(name) for name in (keys.lane_settings("default:m"), keys.project("p"))}
    assert settings == {
        keys.lane_settings("default:m"): {b"in_flight": b"3", b"paused_until": b"resumed", b"pause_reason": b"r"},
        keys.project("p"): {b"max_queued": b"5", b"weight": b"2.0"},
    }


def test_an_id_of_a_response_is_kept_once_however_often_it_is_sent(bench: Bench) -> None:
    claim, runs = bench.run_one(), bench.runs()
    assert runs.keep_upstream(claim, "up") is True
    before = snapshot(bench)
    assert runs.keep_upstream(claim, "up") is True
    assert snapshot(bench) == before


def test_a_retry_by_hand_that_is_sent_twice_is_one(bench: Bench) -> None:
    claim = bench.run_one(project="p", tokens=50)
    bench.runs().finish(claim, FAILURE, FAILED)
    args = [claim.number, "", 10**6, 60_000_000, "nonce"]
    call = scripts.Call(name="retry_failed", keys=[keys.job(claim.number)], args=args)
    assert [scripts.run(bench.client, call)[0] for _ in range(2)] == [b"again", b"again"]
    assert bench.projects.get("p").held_tokens == 50
    assert bench.client.hget(keys.job(claim.number), "series") == b"2"
    bench.beat("w1")
    bench.dispatch()
    bench.claim()
    assert scripts.run(bench.client, call)[0] == b"again"
    assert bench.job(claim.number).status == "in_progress"


def test_leaving_giving_back_sweeping_and_scanning_twice_move_nothing_more(bench: Bench) -> None:
    claim = bench.run_one()
    assert [bench.workers.give_back("w1", [claim.number]) for _ in range(2)] == [1, 0]
    bench.beat("w2")
    bench.dispatch()
    assert [bench.workers.leave("w1") + bench.workers.leave("w2") for _ in range(2)] == [1, 0]
    bench.client.zrem(keys.BACKLOGS, bench.job(claim.number).backlog)
    assert [sum(bench.workers.scan()) for _ in range(2)] == [1, 0]
    bench.sweep()
    before = snapshot(bench)
    assert (bench.sweep().recovered, bench.workers.sweep()) == (0, None)
    assert snapshot(bench).keys() == before.keys() | {keys.PREFIX + "sweep"}


@pytest.mark.parametrize("name", NAMES)
def test_a_script_names_the_parts_it_uses_after_those_that_they_use(name: str) -> None:
    folder = resources.files("jobs") / "lua" / "parts"
    known = {
        function
        for part in folder.iterdir()
        for function in re.findall(r"^local function (\w+)", part.read_text(encoding="utf-8"), re.MULTILINE)
    }
    defined: set[str] = set()
    for line in scripts.script(name).source.splitlines():
        code = line.partition("--")[0]
        defined |= set(re.findall(r"local function (\w+)", code))
        used = set(re.findall(r"(?<![\w.:'])(\w+)\(", code)) & known
        assert used <= defined, line
