import logging
from pathlib import Path

import pytest
import redis

from jobs import keys
from jobs.errors import SettingsError
from jobs.file_folder import FileFolder
from jobs.file_sweep import SWEEP_SECONDS, FileSweep
from jobs.settings import Settings
from tests.fakes.files import put, store_at
from worker.file_sweeper import FileSweeper
from worker.file_work import open_file_work

BODY = b'{"input":[{"content":[{"type":"input_image","file_id":"%s"}]}]}'


def test_without_a_folder_requests_go_as_they_are_and_nothing_is_swept(store_client: redis.Redis) -> None:
    work = open_file_work(Settings(), store_client)
    body = BODY % (b"file-" + b"0" * 32)
    with work.fill(body, 60) as sent:
        assert sent is body
    assert work.loops == ()


@pytest.mark.parametrize(("delivery", "begins"), [("data", "data:"), ("url", "https://jobs.example/v1/files/file-")])
def test_files_go_out_as_it_is_set(delivery: str, begins: str, store_client: redis.Redis, tmp_path: Path) -> None:
    settings = Settings(files_folder=tmp_path, file_delivery=delivery, public_url="https://jobs.example")  # type: ignore[arg-type]
    work = open_file_work(settings, store_client)
    file = put(store_at(tmp_path, store_client), b"x")
    with work.fill(BODY % file.id.encode(), 60) as sent:
        assert f'"image_url":"{begins}'.encode() in b"".join(sent if not isinstance(sent, bytes) else [sent])
    assert len(work.loops) == 1


def test_a_folder_that_cannot_be_used_stops_the_process(store_client: redis.Redis, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="RESPOOL_FILES_FOLDER"):
        open_file_work(Settings(files_folder=tmp_path / "file" / "below"), store_client)


def test_a_sweep_removes_what_has_expired_and_tells(
    store_client: redis.Redis, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = put(store_at(tmp_path, store_client), b"x", expires=3600)
    store_client.zadd(keys.PREFIX + "expiring_files", {file.number: 1})
    sweeper = FileSweeper(FileSweep(store_client, FileFolder(tmp_path)))
    with caplog.at_level(logging.INFO):
        assert sweeper.step() == SWEEP_SECONDS
        assert sweeper.step() == SWEEP_SECONDS
    assert caplog.text.count("removed 1 files") == 1
