"""As many open files as the machine allows."""

import subprocess
import sys

from jobs.open_files import MOST_OPEN_FILES


def test_processes_may_open_as_many_files_as_the_machine_allows() -> None:
    code = "import resource as r; from jobs.open_files import allow_open_files; allow_open_files(); "
    code += "print(*r.getrlimit(r.RLIMIT_NOFILE))"
    lowered = ["sh", "-c", 'ulimit -S -n 64 && exec "$@"', "sh", sys.executable, "-c", code]
    done = subprocess.run(lowered, capture_output=True, text=True, check=True)
    soft, hard = map(int, done.stdout.split())
    assert soft == min(hard, MOST_OPEN_FILES)
