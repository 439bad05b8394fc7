import fcntl
import os
import threading
from pathlib import Path

import pytest

from jobs.webhooks.secrets import check_secret
from respool import data_folder
from respool.data_folder import DataFolder, Service
from respool.errors import CannotRun

SERVICE = Service(url="http://127.0.0.1:1", redis_url="redis://127.0.0.1:2", api_key="rsp_x", secret="s", pid=3)


def test_a_published_service_is_found_as_long_as_the_folder_is_claimed(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    with folder.claimed():
        folder.publish(SERVICE)
        assert DataFolder(tmp_path / "data").service() == SERVICE
    assert folder.service() is None


def test_what_a_dead_one_published_is_not_taken_for_living(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.publish(SERVICE)
    assert folder.service() is None


def test_no_folder_is_no_service_and_looking_makes_none(tmp_path: Path) -> None:
    assert DataFolder(tmp_path / "none").service() is None
    assert not (tmp_path / "none").exists()


def test_a_second_claim_is_refused_and_names_the_process_that_has_it(tmp_path: Path) -> None:
    refused = pytest.raises(CannotRun, match=rf"process {os.getpid()}\)")
    with DataFolder(tmp_path).claimed(), refused, DataFolder(tmp_path).claimed():
        pass


def test_a_claim_waits_for_the_processes_of_an_earlier_one(tmp_path: Path) -> None:
    with (tmp_path / "processes.lock").open("w") as earlier:
        fcntl.flock(earlier, fcntl.LOCK_EX)
        threading.Timer(0.2, fcntl.flock, (earlier, fcntl.LOCK_UN)).start()
        with DataFolder(tmp_path).claimed() as descriptor:
            assert os.fstat(descriptor).st_ino == (tmp_path / "processes.lock").stat().st_ino


def test_processes_that_do_not_go_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_folder, "LEFTOVER_SECONDS", 0.1)
    with (tmp_path / "processes.lock").open("w") as earlier:
        fcntl.flock(earlier, fcntl.LOCK_EX)
        with pytest.raises(CannotRun, match="still running"), DataFolder(tmp_path).claimed():
            pass


def test_the_key_is_made_once(tmp_path: Path) -> None:
    key = DataFolder(tmp_path).api_key()
    assert key.startswith("rsp_")
    assert len(key) > 40
    assert DataFolder(tmp_path).api_key() == key


def test_the_webhook_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    secret = folder.webhook_secret()
    check_secret(secret)
    assert DataFolder(tmp_path).webhook_secret() == secret
    assert folder.webhook_secret_file.read_text() == secret + "\n"
    assert folder.webhook_secret_file.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotRun, match="cannot keep data"), DataFolder(tmp_path / "file").claimed():
        pass
