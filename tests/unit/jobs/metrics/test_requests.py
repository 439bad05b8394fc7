import pytest
import redis

from jobs import keys
from jobs.connection import connect
from jobs.errors import StoreUnavailable
from jobs.metrics.counters import read_counters
from jobs.metrics.family import Distribution, Reading
from jobs.metrics.requests import Answered, RequestCounts
from tests.fakes.metric_load import NOBODY

POLL = Answered(route="/v1/jobs/<job_id>", method="GET", http_status=200, seconds=0.0004)
LABELS = ("/v1/jobs/<job_id>", "GET")


def read(client: redis.Redis) -> dict[str, Reading]:
    readings = read_counters(client.hgetall(keys.METRICS), client.hgetall(keys.COUNTERS))
    return {reading.family.name: reading for reading in readings}


def test_two_processes_count_into_one_number(store_client: redis.Redis) -> None:
    for counts in (RequestCounts(store_client), RequestCounts(store_client)):
        for _ in range(3):
            counts.count(POLL)
        counts.flush()
    assert read(store_client)["respool_http_requests_total"].samples == {(*LABELS, "2xx"): 6}


def test_what_was_flushed_is_not_flushed_again(store_client: redis.Redis) -> None:
    counts = RequestCounts(store_client)
    counts.count(POLL)
    counts.flush()
    counts.flush()
    assert read(store_client)["respool_http_requests_total"].samples == {(*LABELS, "2xx"): 1}


def test_parts_of_a_millisecond_add_up(store_client: redis.Redis) -> None:
    counts = RequestCounts(store_client)
    for _ in range(1000):
        counts.count(POLL)
        if _ % 100 == 0:
            counts.flush()
    counts.flush()
    found = read(store_client)["respool_http_request_seconds"].samples[LABELS]
    assert isinstance(found, Distribution)
    assert found.buckets == {"0.005": 1000}
    assert 0.399 <= found.sum_seconds <= 0.4


def test_what_redis_did_not_take_is_kept_for_the_next_time(store_client: redis.Redis) -> None:
    counts = RequestCounts(connect(NOBODY))
    counts.count(POLL)
    with pytest.raises(StoreUnavailable):
        counts.flush()
    counts._client = store_client
    counts.flush()
    assert read(store_client)["respool_http_requests_total"].samples == {(*LABELS, "2xx"): 1}


def test_while_redis_takes_no_writes_it_is_kept_for_the_next_time(store_client: redis.Redis) -> None:
    counts = RequestCounts(store_client)
    counts.count(POLL)
    store_client.config_set("min-replicas-to-write", 1)
    try:
        with pytest.raises(StoreUnavailable):
            counts.flush()
    finally:
        store_client.config_set("min-replicas-to-write", 0)
    counts.flush()
    assert read(store_client)["respool_http_requests_total"].samples == {(*LABELS, "2xx"): 1}


def test_a_request_that_takes_longer_than_any_bound_is_in_the_last_bucket(store_client: redis.Redis) -> None:
    counts = RequestCounts(store_client)
    counts.count(Answered(route="/r", method="GET", http_status=500, seconds=61.0))
    counts.flush()
    assert read(store_client)["respool_http_request_seconds"].samples["/r", "GET"] == Distribution(
        buckets={"+Inf": 1}, sum_seconds=61.0
    )
