import redis

from jobs import keys, scripts
from jobs.connection import connect
from jobs.limits import Limits
from jobs.metrics.family import Reading
from jobs.metrics.reader import MetricsReader
from jobs.vault import Vault
from jobs.webhooks.endpoint_record import EndpointChange
from jobs.webhooks.endpoints import Endpoints
from tests.fakes.bench import Bench
from tests.fakes.metric_load import FAULTS, NOBODY, RECEIVER
from tests.fakes.post_office import PostOffice, retrying


def read(client: redis.Redis) -> dict[str, Reading]:
    reader = MetricsReader(client, Limits(), max_queued_bytes=5)
    return {reading.family.name: reading for reading in reader.read()}


def test_what_waits_counts_whatever_its_project_may(bench: Bench) -> None:
    """A project that is parked, and one that is not."""
    bench.client.hset(keys.project("full"), "max_in_flight", 1)
    bench.fill(2, project="full")
    bench.dispatch()
    bench.submit(model="m", project="other")
    found = read(bench.client)
    assert bench.client.hget(keys.project("full"), "blocked")
    assert found["respool_jobs"].samples["waiting",] == 2
    assert found["respool_jobs"].samples["dispatched",] == 1
    assert found["respool_backlog_jobs"].samples["*", "m"] == 2


def test_a_backlog_that_became_empty_is_told_as_zero(bench: Bench) -> None:
    bench.run_all()
    assert read(bench.client)["respool_backlog_jobs"].samples["*", "m"] == 0


def test_the_stages_of_jobs_are_told_apart(bench: Bench) -> None:
    first, _ = bench.run_all(2)
    bench.submit(model="m")
    bench.dispatch()
    bench.submit(model="m")
    found = read(bench.client)["respool_jobs"].samples
    assert found == {("waiting",): 1, ("delayed",): 0, ("dispatched",): 1, ("running",): 2}
    assert first.lane == "default:m"


def test_a_worker_whose_lease_is_over_offers_no_slots_but_still_holds_its_jobs(bench: Bench) -> None:
    bench.run_all()
    bench.kill("w1")
    found = read(bench.client)
    assert found["respool_workers"].samples == {(): 0}
    assert found["respool_worker_slots"].samples == {(): 0}
    assert found["respool_worker_jobs"].samples == {(): 1}


def test_what_a_bound_leaves_out_is_told(bench: Bench) -> None:
    for place in range(3):
        bench.submit(model="m", project=f"p{place}")
    call = scripts.Call(name="measure", keys=[keys.DISPATCHER, keys.DELIVERY_LEADER], args=[10, 2])
    complete, *rows = scripts.run(bench.client, call)
    assert complete == 0
    assert [b"backlog_jobs", b"2", b"*:m"] in rows
    assert read(bench.client)["respool_metrics_complete"].samples == {(): 1}


def test_endpoints_are_told_by_whether_they_take_events(bench: Bench) -> None:
    endpoints = Endpoints(bench.client, Vault(bench.client, secret="s"), retention_seconds=60.0)
    first, _ = (endpoints.create(project, url=RECEIVER)[1] for project in ("one", "two"))
    endpoints.change(first.id, EndpointChange(status="disabled"), project="one")
    found = read(bench.client)["respool_webhook_endpoints"].samples
    assert found == {("enabled",): 1, ("disabled",): 1}


def test_a_breaker_is_told_while_it_holds_something_back(bench: Bench) -> None:
    office = PostOffice(bench)
    office.end_job()
    (claim,) = office.take()
    for _ in range(FAULTS):
        assert read(bench.client)["respool_delivery_breakers_open"].samples == {(): 0}
        office.settle(claim, retrying())
        (claim,) = office.take() or [claim]
    assert read(bench.client)["respool_delivery_breakers_open"].samples == {(): 1}


def test_within_a_second_the_store_is_read_once(bench: Bench) -> None:
    reader = MetricsReader(bench.client, Limits(), max_queued_bytes=5)
    assert reader.read() is reader.read()


def test_without_redis_that_alone_is_told() -> None:
    client = connect(NOBODY)
    (reading,) = MetricsReader(client, Limits(), max_queued_bytes=5).read()
    assert (reading.family.name, reading.samples) == ("respool_redis_up", {(): 0.0})


def test_reading_changes_nothing(bench: Bench) -> None:
    bench.run_all()
    before = {key: bench.client.dump(key) for key in bench.all_keys()}
    read(bench.client)
    assert {key: bench.client.dump(key) for key in bench.all_keys()} == before


def test_metrics_are_read_also_when_memory_is_short(bench: Bench) -> None:
    bench.submit(model="m")
    bench.client.config_set("maxmemory", 1)
    try:
        assert read(bench.client)["respool_jobs"].samples["waiting",] == 1
    finally:
        bench.client.config_set("maxmemory", 0)
