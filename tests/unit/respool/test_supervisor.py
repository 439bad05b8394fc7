import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue

import psutil
import pytest

from respool.child import Surroundings
from respool.errors import CannotRun
from respool.lifeline import Lifeline
from respool.log import Log
from respool.processes import Process
from respool.supervisor import Supervisor
from tests.fakes.waiting import wait_until

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
)
WITH_CHILD = "import subprocess, sys, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
TELLS_ITS_END = (
    "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('NAME ends', flush=True)))"
)


def process(name: str, *command: str, rank: int = 0, stop_seconds: float = 5.0) -> Process:
    return Process(name=name, command=command, rank=rank, stop_seconds=stop_seconds)


def python(name: str, code: str, *, rank: int = 0, stop_seconds: float = 5.0) -> Process:
    return process(name, sys.executable, "-c", code, rank=rank, stop_seconds=stop_seconds)


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def surroundings(tmp_path: Path, output: io.StringIO) -> Iterator[Surroundings]:
    with (tmp_path / "lock").open("w") as lock, closing(Lifeline(lock=lock.fileno())) as lifeline:
        yield Surroundings(
            environ=os.environ,
            folder=tmp_path,
            lock=lock.fileno(),
            lifeline=lifeline,
            log=Log(output),
            events=SimpleQueue(),
        )


@pytest.fixture
def supervisor(surroundings: Surroundings) -> Iterator[Supervisor]:
    with Supervisor(surroundings).supervising() as supervisor:
        yield supervisor


def test_a_process_that_ends_is_started_again_with_longer_and_longer_pauses(
    supervisor: Supervisor, output: io.StringIO
) -> None:
    supervisor.start(process("brief", "sh", "-c", "echo started; exit 7"))
    with pytest.raises(CannotRun, match="brief ended 3 times"):
        supervisor.keep_until(lambda: False, what="nothing", seconds=30)
    told = [line for line in output.getvalue().splitlines() if "ended" in line]
    assert told == [f"brief    | ended (exit code 7); starts again in {pause} s" for pause in ("0.5", "1", "2")]


def test_what_takes_too_long_is_named(supervisor: Supervisor) -> None:
    supervisor.start(process("idle", "sleep", "60"))
    with pytest.raises(CannotRun, match="the moon did not answer within 0"):
        supervisor.keep_until(lambda: False, what="the moon", seconds=0)


def test_ranks_are_stopped_one_after_the_other(supervisor: Supervisor, output: io.StringIO) -> None:
    for name, rank in (("last", 3), ("first", 0), ("middle", 1)):
        code = TELLS_ITS_END.replace("NAME", name) + f"; print('{name} runs', flush=True); time.sleep(60)"
        supervisor.start(python(name, code, rank=rank))
    supervisor.keep_until(lambda: output.getvalue().count(" runs") == 3, what="start", seconds=30)
    supervisor.stop()
    wait_until(lambda: output.getvalue().count(" ends") == 3)
    ends = [line.split()[0] for line in output.getvalue().splitlines() if line.endswith(" ends")]
    assert ends == ["first", "middle", "last"]


def test_who_does_not_stop_in_its_time_is_killed(supervisor: Supervisor, output: io.StringIO) -> None:
    supervisor.start(python("stubborn", STUBBORN, stop_seconds=0.1))
    supervisor.keep_until(lambda: "deaf" in output.getvalue(), what="start", seconds=30)
    (group,) = supervisor.groups(rank=0)
    supervisor.stop()
    assert not psutil.pid_exists(group)


def test_what_a_process_leaves_behind_when_it_dies_is_ended_too(supervisor: Supervisor, output: io.StringIO) -> None:
    supervisor.start(python("parent", WITH_CHILD))
    supervisor.keep_until(lambda: "|" in output.getvalue(), what="start", seconds=30)
    child = psutil.Process(int(output.getvalue().split("|")[1]))
    (group,) = supervisor.groups(rank=0)
    os.kill(group, signal.SIGKILL)
    wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_sigterm_ends_the_keeping_and_the_second_one_all_grace(supervisor: Supervisor, output: io.StringIO) -> None:
    supervisor.start(python("stubborn", STUBBORN, stop_seconds=600))
    supervisor.keep_until(lambda: "deaf" in output.getvalue(), what="start", seconds=30)
    (group,) = supervisor.groups(rank=0)
    os.kill(os.getpid(), signal.SIGTERM)
    supervisor.keep()
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
    supervisor.stop()
    assert not psutil.pid_exists(group)


def test_a_dead_guard_is_replaced_while_nothing_else_happens(
    supervisor: Supervisor, surroundings: Surroundings, output: io.StringIO
) -> None:
    supervisor.start(process("idle", "sleep", "60"))
    surroundings.lifeline._guard.kill()

    def end_when_replaced() -> None:
        try:
            wait_until(lambda: "guard" in output.getvalue())
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    watcher = threading.Thread(target=end_when_replaced)
    watcher.start()
    supervisor.keep()
    watcher.join()
    assert not surroundings.lifeline.broken


def test_waiting_for_readiness_ends_when_the_end_is_asked_for(supervisor: Supervisor) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    assert supervisor.keep_until(lambda: False, what="nothing", seconds=30) is False


@pytest.fixture
def idle(surroundings: Surroundings) -> Supervisor:
    """One that has not begun."""
    return Supervisor(surroundings)


def test_the_handlers_of_signals_are_as_before_afterwards(idle: Supervisor) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with idle.supervising():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_hang_up_that_nohup_had_ignored_stays_ignored(idle: Supervisor) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with idle.supervising():
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
