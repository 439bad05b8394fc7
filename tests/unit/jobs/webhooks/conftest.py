"""A post office over the empty database for each test."""

import pytest

from tests.fakes.bench import Bench
from tests.fakes.clock import Clock
from tests.fakes.post_office import PostOffice


@pytest.fixture
def office(bench: Bench) -> PostOffice:
    return PostOffice(bench)


@pytest.fixture
def timed_office(clock: Clock, bench: Bench) -> PostOffice:
    """One whose time stands still until the test moves it on."""
    return PostOffice(bench)
