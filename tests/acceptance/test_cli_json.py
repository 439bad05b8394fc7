"""What programs read: `--json` of every command there is, against a running service."""

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from respool.cli import COMMANDS, main
from tests.fakes.up import MODEL, Up, respool

REQUEST = {"model": MODEL, "input": "hello"}
LINE = {"custom_id": "a", "method": "POST", "url": "/v1/responses", "body": REQUEST}
LANE = f"default:{MODEL}"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    up = Up(data=tmp_path_factory.mktemp("up") / "data", arguments=("--workers", "1"))
    try:
        yield up.start()
    finally:
        up.clean_up()


def leaves(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for own, one in command.commands.items():
            yield from leaves(one, f"{name} {own}")
    else:
        yield name, command


def with_json() -> set[str]:
    context = click.Context(main)
    found = [leaf for name in COMMANDS if (one := main.get_command(context, name)) for leaf in leaves(one, name)]
    return {name for name, one in found if any(option.name == "as_json" for option in one.params)}


def test_an_export_is_json_without_being_asked(service: Up) -> None:
    job_id = service.submit()
    assert service.ending(job_id) == "completed"
    for what in ("jobs", "usage"):
        rows = [json.loads(line) for line in service.run("export", what).stdout.splitlines()]
        assert rows


def test_each_command_that_has_json_prints_nothing_else(service: Up, tmp_path: Path) -> None:
    request, lines = tmp_path / "request.json", tmp_path / "lines.jsonl"
    request.write_text(json.dumps(REQUEST))
    lines.write_text(json.dumps(LINE) + "\n")
    seen = set()

    def run(name: str, *arguments: str) -> list[dict[str, object]]:
        """What it printed: one document, or one a line."""
        seen.add(name)
        done = service.run(*name.split(), *arguments, "--json")
        assert done.returncode in (0, 1), (name, done.stderr)
        assert done.stdout, (name, done.stderr)
        try:
            return [json.loads(done.stdout)]
        except ValueError:
            return [json.loads(line) for line in done.stdout.splitlines()]

    job_id = str(run("submit", str(request))[0]["id"])
    for name in ("watch", "show", "cancel"):
        assert run(name, job_id)[0]["id"] == job_id
    assert run("retry", service.submit(fault="status=400;code=InvalidParameter;times=1"), "--watch")
    assert job_id in {job["id"] for job in run("jobs")}
    run("usage")
    run("lanes list")
    run("lanes set", LANE, "--in-flight", "5", "--reason", "tea")
    run("lanes pause", LANE)
    run("lanes resume", LANE)
    run("projects list")
    run("projects set", "film", "--weight", "2")
    key_id = str(run("keys create", "--project", "film")[0]["id"])
    run("keys list")
    run("keys revoke", key_id)
    run("keys webhook-secret", "--project", "film")
    endpoint_id = str(run("webhooks add", "https://hooks.example/respool")[0]["id"])
    run("webhooks endpoints")
    delivery_id = str(run("webhooks test", endpoint_id)[0]["id"])
    run("webhooks deliveries")
    run("webhooks replay", "--since", "1h")
    batch_id = str(run("batch submit", str(lines), "--watch")[0]["id"])
    for name in ("batch status", "batch cancel"):
        assert run(name, batch_id)[0]["id"] == batch_id
    failing = {**LINE, "body": {**REQUEST, "metadata": {"sandbox": "status=400;code=X"}}}
    lines.write_text(json.dumps(failing) + "\n")
    failed = str(run("batch submit", str(lines), "--watch")[0]["id"])
    assert run("batch retry", failed)[0]["id"] != failed
    copy = tmp_path / "backup"
    kept = run("backup", str(copy))[0]
    restored = respool("restore", str(copy), "--data", str(tmp_path / "restored"), "--json")
    assert json.loads(restored.stdout) == kept, restored.stderr
    seen.add("restore")
    run("doctor")
    assert delivery_id
    assert seen == with_json()
