import signal
import subprocess
import sys
import threading

from respool import guard

PATIENT = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "60"], start_new_session=True)


def test_what_was_announced_and_not_taken_back_is_left_with_its_rank() -> None:
    assert guard.follow([b"+ 0 11\n", b"+ 3 12\n", b"+ 1 13\n", b"- 13\n"]) == {11: 0, 12: 3}


def test_a_line_that_was_cut_off_by_a_death_is_passed_over() -> None:
    assert guard.follow([b"+ 0 11\n", b"+ 1"]) == {11: 0}


def test_who_hears_sigterm_is_not_killed() -> None:
    with sleeper() as process:
        # Reaped at once, or the group would seem to live on as a zombie.
        threading.Thread(target=process.wait).start()
        guard.end([process.pid], grace_seconds=30)
        assert process.wait() == -signal.SIGTERM


def test_who_does_not_hear_sigterm_is_killed_when_the_grace_is_over() -> None:
    command = [sys.executable, "-c", PATIENT]
    with subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        guard.end([process.pid], grace_seconds=0.1)
        assert process.wait() == -signal.SIGKILL


def test_a_group_that_is_gone_is_no_mistake() -> None:
    with sleeper() as process:
        process.kill()
    assert guard.send(process.pid, signal.SIGTERM) is False
    guard.end([process.pid], grace_seconds=1)


def test_the_program_ends_what_it_was_told_of_when_its_input_ends() -> None:
    with sleeper() as process:
        subprocess.run(
            [sys.executable, "-I", "-S", guard.__file__], input=f"+ 1 {process.pid}\n".encode(), timeout=30, check=True
        )
        assert process.wait() == -signal.SIGTERM
