import os
import socket

from tests.unit.worker.conftest import Shop
from worker.heartbeat import Heartbeat
from worker.missing import CHECK_BEATS
from worker.orphans import Orphanage


def heartbeat(shop: Shop) -> Heartbeat:
    return Heartbeat(shop.bench.workers, shop.crew, Orphanage(endpoints={}), worker="w1")


def test_a_beat_tells_who_lives_where_with_how_many_slots(shop: Shop) -> None:
    heartbeat(shop).step()
    (live,) = shop.bench.workers.live()
    assert (live.id, live.slots, live.jobs) == ("w1", 16, 0)
    assert (live.host, live.pid) == (socket.gethostname(), os.getpid())


def test_a_worker_that_drains_offers_no_slot_with_its_next_beat(shop: Shop) -> None:
    beats = heartbeat(shop)
    beats.step()
    shop.crew.drain()
    beats.step()
    (live,) = shop.bench.workers.live()
    assert live.slots == 0
    shop.bench.submit()
    assert shop.bench.dispatch("w1").released == 0


def test_a_cancelled_call_is_hung_up_with_the_next_beat(shop: Shop) -> None:
    beats = heartbeat(shop)
    number = shop.submit("delay=1000")
    shop.take()
    shop.bench.store.cancel(number, project=None)
    while shop.crew.held:  # the call may not be in its place yet at the first beat
        beats.step()
        shop.bench.client.sadd("{respool}:worker_cancels:w1", number)
    assert shop.bench.job(number).status == "cancelled"


def test_a_job_that_no_thread_holds_is_given_back_at_the_second_look(shop: Shop) -> None:
    beats = heartbeat(shop)
    claim = shop.bench.run_one("w1")
    for _ in range(2 * CHECK_BEATS - 1):
        beats.step()
    assert shop.bench.job(claim.number).status == "in_progress"
    beats.step()
    assert shop.bench.job(claim.number).status == "queued"


def test_a_job_that_a_thread_holds_is_never_given_back(shop: Shop) -> None:
    beats = heartbeat(shop)
    number = shop.submit("delay=0.4")
    shop.take()
    for _ in range(3 * CHECK_BEATS):
        beats.step()
    shop.rest()
    assert len(shop.bench.job(number).attempts) == 1
