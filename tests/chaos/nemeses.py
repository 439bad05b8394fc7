"""What goes wrong: each does one thing to a stage, draws by lot how, and heals it."""

import random
from collections.abc import Callable

from tests.chaos import message_troubles, network_troubles, process_troubles, redis_troubles
from tests.chaos.stage import Stage
from tests.chaos.wrong_time import FAKETIME

Nemesis = Callable[[Stage, random.Random], None]

CLOCKS: tuple[Nemesis, ...] = (redis_troubles.jumping_clock,) if FAKETIME else ()
"""None where nothing can make a clock jump."""

ALL: tuple[Nemesis, ...] = (
    *(process_troubles.worker_kill, process_troubles.api_kill, process_troubles.sender_kill),
    *(redis_troubles.redis_kill, process_troubles.restart, process_troubles.stopped_worker),
    *(network_troubles.reset, network_troubles.black_hole, network_troubles.slow_link, network_troubles.cut),
    *(message_troubles.doubled_messages, message_troubles.dropped_messages),
    *(redis_troubles.no_memory, redis_troubles.full_disk, *CLOCKS),
)

LONG_ROUNDS: dict[str, dict[Nemesis, int]] = {
    "workers": {process_troubles.lone_worker_kill: 100},
    "overlapping": {
        process_troubles.worker_kill: 100,
        process_troubles.stopped_worker: 50,
        process_troubles.rolling_restart: 10,
    },
    "api and senders": {process_troubles.api_kill: 100, process_troubles.sender_kill: 50},
    "redis": {
        **{redis_troubles.redis_kill: 50, redis_troubles.no_memory: 20, redis_troubles.full_disk: 20},
        **dict.fromkeys(CLOCKS, 20),
        **{message_troubles.doubled_messages: 50, message_troubles.dropped_messages: 50},
    },
    "network": {
        **{network_troubles.reset: 500, network_troubles.black_hole: 40, network_troubles.slow_link: 40},
        **{network_troubles.cut: 40},
    },
}
"""The parts of the long form, and how often what happens in each."""
