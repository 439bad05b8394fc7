"""One service for all these tests of a process."""

from collections.abc import Iterator

import pytest

from tests.fakes.drop_in import DropIn, running_drop_in


@pytest.fixture(scope="session")
def drop_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DropIn]:
    with running_drop_in(tmp_path_factory.mktemp("drop_in")) as service:
        yield service
