import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from respool.lifeline import Lifeline, announced
from tests.fakes.waiting import wait_until


@pytest.fixture
def lifeline(tmp_path: Path) -> Iterator[Lifeline]:
    with (tmp_path / "lock").open("w") as lock:
        yield Lifeline(lock=lock.fileno())


def started(lifeline: Lifeline) -> subprocess.Popen[bytes]:
    command = announced(("sleep", "60"), rank=1)
    return subprocess.Popen(command, stdin=lifeline.descriptor, start_new_session=True)


def test_what_was_announced_ends_with_the_lifeline(lifeline: Lifeline) -> None:
    with started(lifeline) as process:
        wait_until(lambda: psutil.Process(process.pid).name() == "sleep")
        lifeline.close()
        assert process.wait() == -signal.SIGTERM


def test_what_was_forgotten_is_left_alone(lifeline: Lifeline) -> None:
    with started(lifeline) as process:
        wait_until(lambda: psutil.Process(process.pid).name() == "sleep")
        lifeline.forget(process.pid)
        lifeline.close()
        assert process.poll() is None
        process.kill()


def test_the_process_does_not_hold_the_pipe_so_that_its_own_life_cannot_hide_a_death(lifeline: Lifeline) -> None:
    command = announced((sys.executable, "-c", "import sys; print(repr(sys.stdin.read()))"), rank=0)
    done = subprocess.run(command, stdin=lifeline.descriptor, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "''\n"
    lifeline.close()


def test_a_mended_lifeline_knows_what_the_broken_one_knew(lifeline: Lifeline) -> None:
    with started(lifeline) as process:
        wait_until(lambda: psutil.Process(process.pid).name() == "sleep")
        lifeline._guard.kill()
        wait_until(lambda: lifeline.broken)
        lifeline.mend({process.pid: 1})
        assert not lifeline.broken
        lifeline.close()
        assert process.wait() == -signal.SIGTERM


def test_forgetting_is_harmless_while_the_guard_is_dead(lifeline: Lifeline) -> None:
    lifeline._guard.kill()
    lifeline._guard.wait()
    lifeline.forget(1)
    assert lifeline.broken
    lifeline.close()
