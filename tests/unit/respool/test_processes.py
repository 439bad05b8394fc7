import sys
from pathlib import Path

from respool import processes
from respool.processes import API_RANK, SERVER_RANK, STOP_SECONDS, WORKER_RANK, installed


def all_of_them() -> list[processes.Process]:
    server = processes.server(["valkey-server", "server.conf"])
    return [processes.api(listener=7), *processes.workers(3), processes.sender(), processes.sandbox(listener=8), server]


def test_the_times_of_all_ranks_add_up_to_less_than_the_time_in_which_all_must_have_stopped() -> None:
    times = {process.rank: process.stop_seconds for process in all_of_them()}
    assert sum(times.values()) <= STOP_SECONDS - 1


def test_the_api_stops_before_the_workers_and_the_server_last() -> None:
    ranks = [process.rank for process in all_of_them()]
    assert API_RANK < WORKER_RANK < SERVER_RANK == max(ranks)


def test_each_worker_is_a_process_with_a_name_of_its_own() -> None:
    names = [process.name for process in processes.workers(3)]
    assert names == ["worker.1", "worker.2", "worker.3"]
    assert [process.command[-1] for process in processes.workers(3)] == [f"{name}@%h" for name in names]


def test_the_sender_stops_beside_the_workers_and_has_a_name_of_its_own() -> None:
    sender = processes.sender()
    assert (sender.rank, sender.name) == (WORKER_RANK, "webhooks.1")
    assert sender.command[-1] == "webhooks.1@%h"
    assert sender.stop_seconds == processes.workers(1)[0].stop_seconds


def test_the_api_inherits_its_listening_socket() -> None:
    process = processes.api(listener=7)
    assert process.descriptors == (7,)
    assert "--bind fd://7" in process.environ["GUNICORN_CMD_ARGS"]


def test_programs_come_from_this_installation_whatever_the_path_holds() -> None:
    program, *arguments = installed(("celery", "-A", "worker.main"))
    assert Path(program).parent == Path(sys.executable).parent
    assert arguments == ["-A", "worker.main"]


def test_a_program_without_a_script_is_run_as_a_module() -> None:
    assert installed(("no_such_script", "x")) == (sys.executable, "-m", "no_such_script", "x")
