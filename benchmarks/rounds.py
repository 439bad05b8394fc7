"""Contestants by turns: every round measures each once, so that what disturbs the machine disturbs all alike."""

from __future__ import annotations

import random
import statistics
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.found import Values

Measure = Callable[[], Values]


@dataclass(slots=True)
class Samples:
    """One list a contestant, one measurement a round."""

    of: dict[str, list[Values]] = field(default_factory=dict)

    def median(self, name: str, key: str) -> float | None:
        found = [values[key] for values in self.of.get(name, ()) if key in values]
        return statistics.median(found) if found else None

    def ratio(self, name: str, other: str, key: str) -> float | None:
        """The median of the ratios of each round: a round's noise is in both of its numbers."""
        pairs = zip(self.of.get(name, ()), self.of.get(other, ()), strict=False)
        found = [one[key] / two[key] for one, two in pairs if key in one and two.get(key)]
        return statistics.median(found) if found else None


def by_turns(contestants: Mapping[str, Measure], *, rounds: int) -> Samples:
    """The order is another one in every round. Who fails is said to have, and is left out from then on."""
    samples, failed = Samples({name: [] for name in contestants}), set[str]()
    for number in range(1, rounds + 1):
        for name in random.sample(list(contestants), len(contestants)):
            if name in failed:
                continue
            try:
                values = contestants[name]()
            except (RuntimeError, TimeoutError, AssertionError, OSError) as error:
                failed.add(name)
                tell(f"{name}: left out ({error})")
                continue
            samples.of[name].append(values)
            tell(f"round {number}: {name}: {', '.join(f'{key} {value:.4g}' for key, value in values.items())}")
    return samples


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
