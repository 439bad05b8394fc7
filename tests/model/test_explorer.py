"""All interleavings of a small world, each step against the real scripts; `make fuzz` looks further."""

import os
from collections.abc import Mapping

import pytest
import redis

from tests.model.actors import Actors
from tests.model.explorer import Explorer, Found, Violation
from tests.model.frozen import Mutant, frozen_scripts
from tests.model.world import World

pytestmark = pytest.mark.timeout(3600)

LONG = os.environ.get("RESPOOL_FUZZ") == "long"

MUTANTS = {
    "a message that was taken back starts its job": Mutant(script="claim", old=" and job.dispatch == ARGV[3]", new=""),
    "a job is claimed twice": Mutant(
        script="claim",
        old="if job.stage == 'dispatched' then start(n, job) end",
        new="start(n, job)",
    ),
    "a claim leaves its release open": Mutant(
        script="claim",
        old="  redis.call('ZREM', prefix .. 'dispatched', n)\n  redis.call('ZREM', prefix .. 'deadl",
        new="  redis.call('ZREM', prefix .. 'deadl",
    ),
    "whoever lost a job may send it": Mutant(
        script="mark_sent", old="held[1] ~= ARGV[2] or held[2] ~= ARGV[3] or ", new=""
    ),
    "an end is no end": Mutant(
        script="finish", old="if ended(job.status) then\n  if current", new="if false then\n  if current"
    ),
    "a slot leaks": Mutant(
        script="finish",
        old="  if job.lane and redis.call('SREM', slots_key(job.lane), n) == 1 then",
        new="  if job.lane and redis.call('SISMEMBER', slots_key(job.lane), n) == 1 then",
    ),
    "a dead worker is forgotten with its jobs": Mutant(
        script="sweep",
        old="  recovered = recovered + recover_from(worker, most - recovered)\n",
        new="  redis.call('DEL', worker_jobs_key(worker))\n",
    ),
    "an attempt is put back twice": Mutant(
        script="put_back", old="if job.stage ~= 'running' or not news then return 0 end", new=""
    ),
}


def explore(client: redis.Redis, *, most: int = 10**9, mutant: Mutant | None = None, **world: int) -> Found:
    changed: Mapping[str, Mutant] = {mutant.script: mutant} if mutant else {}
    jobs = world.pop("jobs", 1)
    with frozen_scripts(changed):
        return Explorer(Actors(client, jobs=jobs, slots=jobs), most=most).run(World(**world))


@pytest.mark.parametrize("what", MUTANTS if LONG else list(MUTANTS)[:2])
def test_a_script_without_one_of_its_checks_is_found_out(what: str, store_client: redis.Redis) -> None:
    with pytest.raises(Violation):
        explore(store_client, faults=1, mutant=MUTANTS[what])


WORLDS = [
    pytest.param({"jobs": 1, "faults": 0, "cancels": 1}, 100, id="one job, cancelled at any moment"),
    pytest.param({"jobs": 1, "faults": 1, "cancels": 0}, 10**9, id="one job and one fault"),
]
FURTHER = [
    pytest.param({"jobs": 1, "faults": 1, "cancels": 1}, 10**9, id="one job, a cancel and a fault"),
    pytest.param({"jobs": 2, "faults": 0, "cancels": 1}, 10**9, id="two jobs and a cancel"),
    pytest.param({"jobs": 1, "faults": 2, "cancels": 0}, 60_000, id="one job and two faults"),
    pytest.param({"jobs": 2, "faults": 1, "cancels": 0}, 60_000, id="two jobs and a fault"),
]


@pytest.mark.parametrize(("world", "most"), WORLDS + FURTHER if LONG else WORLDS)
def test_no_order_of_steps_breaks_a_rule_and_from_everywhere_all_jobs_end(
    world: dict[str, int], most: int, store_client: redis.Redis
) -> None:
    found = explore(store_client, most=most, **world)
    print(f"\n{world}: {found}")
    assert found.whole or found.states >= most
    assert {"claims", "marks"} <= set(found.steps)
