import gc
import subprocess
import sys

SPARED = """
import gc
from jobs import collector
kept = [[] for _ in range(1000)]
collector.spare()
print(gc.get_freeze_count() >= 1000, gc.get_threshold() == collector.THRESHOLDS)
loop = []
loop.append(loop)
del loop
print(gc.collect() >= 1)
"""


def test_what_is_there_at_the_start_is_looked_at_no_more_and_garbage_still_is() -> None:
    """In a process of its own: it is set for good."""
    found = subprocess.run([sys.executable, "-c", SPARED], capture_output=True, text=True, timeout=60, check=True)
    assert found.stdout.split() == ["True", "True", "True"]
    assert gc.get_freeze_count() == 0
