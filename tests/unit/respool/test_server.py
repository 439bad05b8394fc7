import subprocess
from pathlib import Path

import pytest
import redis

from respool import server
from respool.errors import CannotRun
from respool.readiness import redis_answers
from tests.fakes.waiting import wait_until


def program(folder: Path, name: str) -> Path:
    file = folder / name
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


def test_a_valkey_server_of_the_path_goes_before_a_redis_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    redis_server = program(tmp_path, "redis-server")
    assert server.find_program() == redis_server
    valkey_server = program(tmp_path, "valkey-server")
    assert server.find_program() == valkey_server


def test_without_one_on_the_path_it_is_the_one_in_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = server.find_program()
    told = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    assert "Valkey server" in told


def test_without_any_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(server, "files", lambda _: None)
    with pytest.raises(CannotRun, match="RESPOOL_REDIS_URL"):
        server.find_program()


def test_a_prepared_server_wants_its_password_and_keeps_everything_in_a_folder_with_an_odd_name(tmp_path: Path) -> None:
    folder = tmp_path / 'data "of" mine'
    prepared = server.prepare(folder)
    with subprocess.Popen(prepared.command, stdout=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: redis_answers(prepared.url))
            with redis.Redis.from_url(prepared.url) as client:
                client.set("x", "1")
                assert client.config_get("appendonly")["appendonly"] == "yes"
                assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
                assert client.config_get("appendfsync")["appendfsync"] == "everysec"
                assert client.config_get("hash-max-listpack-value")["hash-max-listpack-value"] == "4096"
                assert client.config_get("bind")["bind"] == "127.0.0.1"
            assert (folder / "appendonlydir").is_dir()
            port = int(prepared.url.rsplit(":", 1)[1].split("/")[0])
            with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
                stranger.get("x")
        finally:
            process.terminate()


def test_the_password_stands_in_no_command_line(tmp_path: Path) -> None:
    prepared = server.prepare(tmp_path)
    password = prepared.url.split(":")[2].split("@")[0]
    assert len(password) >= 32
    assert password not in " ".join(prepared.command)
