"""What lies between two parts breaks, stalls or slows down."""

import random
import time

from tests.chaos.stage import Stage
from tests.fakes.fault_proxy import FaultProxy, Trouble


def reset(stage: Stage, dice: random.Random) -> None:
    """All connections between two parts."""
    _drawn(stage, dice).reset()


def black_hole(stage: Stage, dice: random.Random) -> None:
    """Between two parts, in one direction or both; longer than a command to Redis is waited for."""
    hole = Trouble(black_hole=True)
    up, down = dice.choice([(True, False), (False, True), (True, True)])
    proxy = _drawn(stage, dice)
    proxy.trouble(**({"up": hole} if up else {}), **({"down": hole} if down else {}))
    time.sleep(dice.uniform(1, 3))  # how long it lasts is what is drawn
    proxy.heal()


def slow_link(stage: Stage, dice: random.Random) -> None:
    """Latency with jitter, or little bandwidth."""
    slow = dice.choice([Trouble(delay_seconds=0.05, jitter_seconds=0.1), Trouble(bytes_per_second=50_000)])
    proxy = _drawn(stage, dice)
    proxy.trouble(up=slow, down=slow)
    time.sleep(dice.uniform(0.5, 2))  # how long it lasts is what is drawn
    proxy.heal()


def cut(stage: Stage, dice: random.Random) -> None:
    """Connections end in the middle of what is said."""
    proxy = _drawn(stage, dice)
    proxy.trouble(**{dice.choice(["up", "down"]): Trouble(cut_after_bytes=dice.randrange(1, 3000))})
    time.sleep(dice.uniform(0.2, 1))  # how long it lasts is what is drawn
    proxy.heal()


def _drawn(stage: Stage, dice: random.Random) -> FaultProxy:
    return stage.between[dice.choice(sorted(stage.between))]
