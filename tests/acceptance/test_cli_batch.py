"""Files of many requests on the command line, against a running service."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.up import MODEL, Up
from tests.fakes.waiting import wait_until

ONCE = "status=400;code=InvalidParameter;times=1"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    up = Up(data=tmp_path_factory.mktemp("up") / "data", arguments=("--workers", "1"))
    try:
        yield up.start()
    finally:
        up.clean_up()


def written(file: Path, faults: Sequence[str]) -> str:
    """A file with a line for each of the faults (empty: none), called a, b, …; its name."""
    lines = []
    for name, fault in zip("abcdef", faults, strict=False):
        body: dict[str, Any] = {"model": MODEL, "input": f"line {name}"}
        body |= {"metadata": {"sandbox": fault}} if fault else {}
        lines.append(json.dumps({"custom_id": name, "method": "POST", "url": "/v1/responses", "body": body}))
    file.write_text("\n".join(lines))
    return str(file)


def rows(file: Path) -> dict[str, int]:
    """The status code of each line."""
    found = [json.loads(line) for line in file.read_text().splitlines()]
    return {line["custom_id"]: line["response"]["status_code"] for line in found}


def test_a_batch_from_its_file_to_its_results_and_what_failed_once_more(service: Up, tmp_path: Path) -> None:
    begun = service.run("batch", "submit", written(tmp_path / "in.jsonl", ["", "", "status=400;code=X"]))
    batch_id = begun.stdout.strip()
    assert f"in.jsonl: {(tmp_path / 'in.jsonl').stat().st_size} B, uploaded as file-" in begun.stderr

    watched = service.run("batch", "status", batch_id, "--watch")
    assert watched.returncode == 1
    assert watched.stderr.splitlines()[-1] == f"{batch_id} completed 3/3 1 failed"
    assert "lines:     2 completed, 1 failed, of 3" in watched.stdout
    assert batch_id in service.run("batch", "status").stdout

    answers, failures = tmp_path / "answers.jsonl", tmp_path / "failures.jsonl"
    fetched = service.run("batch", "results", batch_id, "-o", str(answers), "-e", str(failures))
    assert (fetched.returncode, rows(answers), rows(failures)) == (0, {"a": 200, "b": 200}, {"c": 400})
    piped = service.run("batch", "results", batch_id).stdout
    assert piped == answers.read_text() + failures.read_text()

    again = service.run("batch", "retry", batch_id, "--watch", "--json")
    assert again.returncode == 1
    assert json.loads(again.stdout)["request_counts"] == {"total": 1, "completed": 0, "failed": 1}
    assert json.loads(again.stdout)["respool"]["retry_of"] == batch_id


def test_a_batch_that_runs_tells_its_lines_so_far_and_is_cancelled(service: Up, tmp_path: Path) -> None:
    batch_id = service.run("batch", "submit", written(tmp_path / "in.jsonl", ["", "delay=600"])).stdout.strip()
    so_far = [""]

    def one_has_ended() -> bool:
        so_far[0] = service.run("batch", "results", batch_id).stdout
        return bool(so_far[0])

    wait_until(one_has_ended, seconds=30)
    assert json.loads(so_far[0])["custom_id"] == "a"
    assert service.run("batch", "results", batch_id, "-o", str(tmp_path / "x")).returncode == 2
    assert service.run("batch", "cancel", batch_id).stdout == f"{batch_id} cancelling\n"


def test_the_mistakes_of_a_file_are_told_with_their_lines_and_end_with_1(service: Up, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"custom_id": "a"}\nnonsense\n')
    watched = service.run("batch", "submit", str(tmp_path / "in.jsonl"), "--watch")
    assert watched.returncode == 1
    assert "\nline 2: " in watched.stdout
