import io
import os
from pathlib import Path
from queue import SimpleQueue

import pytest

from respool import child as child_module
from respool.child import LONGEST_PAUSE_SECONDS, Child, Ended, Surroundings
from respool.lifeline import Lifeline
from respool.log import Log
from respool.processes import Process


def make_child(tmp_path: Path, lifeline: Lifeline, *command: str, lock: int) -> tuple[Child, Surroundings]:
    surroundings = Surroundings(
        environ={"PATH": os.environ["PATH"]},
        folder=tmp_path,
        lock=lock,
        lifeline=lifeline,
        log=Log(io.StringIO()),
        events=SimpleQueue(),
    )
    environ = {"COLOUR": "green"}
    return Child(
        Process(name="it", command=command, rank=0, stop_seconds=1, environ=environ), surroundings
    ), surroundings


def test_it_runs_in_its_folder_with_its_environment_and_tells_its_end(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        lifeline = Lifeline(lock=lock.fileno())
        script = 'echo "$COLOUR" > here; exit 5'
        child, around = make_child(tmp_path, lifeline, "sh", "-c", script, lock=lock.fileno())
        child.start()
        group = child.group
        assert group is not None
        event = around.events.get(timeout=30)
        assert event == Ended(child=child, group=group, code=5)
        assert (tmp_path / "here").read_text() == "green\n"
        lifeline.close()


def test_pauses_double_up_to_a_bound_and_begin_anew_after_a_steady_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "lock").open("w") as lock:
        lifeline = Lifeline(lock=lock.fileno())
        child, _ = make_child(tmp_path, lifeline, "true", lock=lock.fileno())
        child.start()
        assert [child.ended() for _ in range(9)] == [0.5, 1, 2, 4, 8, 16, *[LONGEST_PAUSE_SECONDS] * 3]
        monkeypatch.setattr(child_module, "STEADY_SECONDS", 0)
        assert child.ended() == 0.5
        lifeline.close()
