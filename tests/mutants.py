"""What mutmut found, as a table by module: `python -m tests.mutants`. Fails where a part is below nine in ten.

mutmut changes one thing in one function at a time and runs the tests of it; what no test notices has survived.
"""

import json
import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path

PARTS = {
    "retry rules": ("worker/retry.py", "worker/retry_after.py", "worker/holds.py", "worker/webhooks/schedule.py"),
    "classification": ("worker/judgement.py", "worker/refusals.py", "worker/outcome.py"),
    "signer": ("worker/webhooks/signing.py",),
    "address guard": (
        *("schemas/addresses.py", "schemas/allow.py", "schemas/hosts.py", "schemas/webhook_url.py"),
        "worker/webhooks/guard.py",
    ),
}  # fmt: skip
LEAST_PERCENT = 90.0
KILLED = 1
"""What pytest answers where a test failed. A mutant whose tests ran out of time counts as one that survived."""


def counted(module: str) -> Counter[str]:
    """How many mutants of the module there were, and how many survived. Exits where one was not run."""
    found = json.loads((Path("mutants") / f"{module}.meta").read_text())["exit_code_by_key"]
    if None in found.values():
        sys.exit(f"{module}: not all mutants were run")
    return Counter(mutants=len(found), survived=sum(code != KILLED for code in found.values()))


def percent(counts: Counter[str]) -> float:
    return 100 * (1 - counts["survived"] / counts["mutants"])


def print_row(name: str, counts: Counter[str]) -> None:
    print(f"{name:32}{counts['mutants']:>9}{counts['survived']:>10}{percent(counts):>9.1f} %")


def main() -> None:
    print(f"mutmut {version('mutmut')}, Python {sys.version.split()[0]}")
    print(f"{'':32}{'mutants':>9}{'survived':>10}{'killed':>11}")
    low = []
    for part, modules in PARTS.items():
        counts = {module: counted(module) for module in modules}
        whole = sum(counts.values(), Counter())
        print_row(part, whole)
        for module, of_module in counts.items():
            print_row(f"  {module}", of_module)
        if percent(whole) < LEAST_PERCENT:
            low.append(part)
    if low:
        sys.exit(f"below {LEAST_PERCENT:g} %: {', '.join(low)}")


if __name__ == "__main__":
    main()
