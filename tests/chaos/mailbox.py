"""What a receiver of webhooks took."""

import random
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from tests.fakes.receiver import Received, Reply


@dataclass(slots=True)
class Mailbox:
    """What the receiver took, by the id of the event; one of eight deliveries is answered with a 500."""

    dice: random.Random
    taken: Counter[str] = field(default_factory=Counter)
    bodies: dict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, received: Received) -> Reply:
        event = received.headers["webhook-id"]
        with self.lock:
            self.bodies[event].add(received.body)
            if self.dice.random() < 0.125:
                return Reply(status=500)
            self.taken[event] += 1
            return Reply()
