from pathlib import Path

import pytest
import redis

from jobs import files as module
from jobs import keys
from jobs.errors import FileNotFound, FilesFull, FileTooLarge, StoreUnavailable, TooManyFiles
from jobs.file_folder import FileFolder
from jobs.file_record import File
from jobs.files import Files
from tests.fakes.files import put, store_at
from tests.fakes.media_files import make_clip, make_tone


@pytest.fixture
def files(store_client: redis.Redis, tmp_path: Path) -> Files:
    return store_at(tmp_path / "files", store_client)


def on_disk(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "files").rglob("*") if path.is_file())


def taken(client: redis.Redis, project: str = "alice") -> tuple[int, int]:
    """Bytes and number of files that count for the project."""
    values = client.hmget(keys.project(project), "file_bytes", "files")
    return tuple(int(value or 0) for value in values)  # type: ignore[return-value]


def test_a_file_is_kept_with_all_that_is_known_of_it(files: Files) -> None:
    file = put(files, b"hello", filename="../Ünï code.txt", expires=7200)
    assert files.get(file.id, project="alice") == file
    assert (file.project, file.purpose, file.filename) == ("alice", "user_data", "../Ünï code.txt")
    assert (file.bytes, file.media_type, file.seconds) == (5, "text/plain", None)
    assert file.expires_at == pytest.approx(file.created / 1_000_000 + 7200, abs=0.01)
    with files.open(file) as content:
        assert content.read() == b"hello"


def test_a_file_without_an_expiry_stays(files: Files, store_client: redis.Redis) -> None:
    file = put(files, b"hello")
    assert file.expires_at is None
    assert store_client.ttl(keys.file(file.number)) == -1


def test_the_length_of_a_medium_is_known_from_then_on(files: Files, tmp_path: Path) -> None:
    clip, tone = make_clip(tmp_path / "a.mp4"), make_tone(tmp_path / "a.wav")
    video, sound = put(files, clip.read_bytes(), filename="x"), put(files, tone.read_bytes(), filename="x")
    assert (video.media_type, video.seconds) == ("video/mp4", pytest.approx(6, abs=0.2))
    assert (sound.media_type, sound.seconds) == ("audio/wav", pytest.approx(2, abs=0.1))


def test_anothers_file_is_as_one_that_does_not_exist(files: Files, tmp_path: Path) -> None:
    file = put(files, b"hello")
    for file_id in (file.id, "file-" + "0" * 32, "file-abc", "job_" + file.number, ""):
        with pytest.raises(FileNotFound):
            files.get(file_id, project="bob")
        with pytest.raises(FileNotFound):
            files.delete(file_id, project="bob")
    assert files.get_all([file.id, "x"], project="bob") == {}
    assert files.get(file.id, project=None) == file
    assert on_disk(tmp_path) == [file.number]


def test_deleting_gives_back_record_bytes_and_room(files: Files, store_client: redis.Redis, tmp_path: Path) -> None:
    file = put(files, b"hello", expires=3600)
    assert taken(store_client) == (5, 1)
    files.delete(file.id, project="alice")
    with pytest.raises(FileNotFound):
        files.delete(file.id, project="alice")
    assert taken(store_client) == (0, 0)
    assert on_disk(tmp_path) == []
    left = {key.decode().removeprefix(keys.PREFIX) for key in store_client.scan_iter()}
    assert left == {"projects", "project:alice"}


def test_one_that_has_expired_is_gone_before_any_sweep(files: Files, store_client: redis.Redis) -> None:
    file = put(files, b"hello", expires=3600)
    store_client.hset(keys.file(file.number), "expires", 1)
    with pytest.raises(FileNotFound):
        files.get(file.id, project="alice")


def test_a_file_that_is_too_large_is_refused_while_it_comes(store_client: redis.Redis, tmp_path: Path) -> None:
    files = store_at(tmp_path / "files", store_client, most_file_bytes=10)
    with pytest.raises(FileTooLarge, match="10"):
        put(files, b"x" * 11)
    assert on_disk(tmp_path) == []
    assert put(files, b"x" * 10).bytes == 10


def test_a_project_holds_so_many_bytes_and_others_are_not_in_its_way(store_client: redis.Redis, tmp_path: Path) -> None:
    files = store_at(tmp_path / "files", store_client, most_bytes=10)
    first = put(files, b"x" * 6)
    with pytest.raises(FilesFull, match="10"):
        put(files, b"x" * 5)
    assert put(files, b"x" * 9, project="bob").bytes == 9
    put(files, b"x" * 4)
    with pytest.raises(FilesFull), files.arriving("alice"):
        pytest.fail("there is no room left")
    files.delete(first.id, project="alice")
    assert put(files, b"x" * 6).bytes == 6


def test_two_that_come_at_once_do_not_fit_where_one_does(store_client: redis.Redis, tmp_path: Path) -> None:
    files = store_at(tmp_path / "files", store_client, most_bytes=10)
    with files.arriving("alice") as slow:
        slow.bytes.write(b"x" * 6)
        put(files, b"x" * 6)
        with pytest.raises(FilesFull):
            files.keep(module.NewFile(project="alice", purpose="batch", filename="f"), slow)
    assert taken(store_client) == (6, 1)
    assert len(on_disk(tmp_path)) == 1


def test_a_project_holds_so_many_files(files: Files, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 2)
    put(files, b"a")
    put(files, b"b")
    with pytest.raises(TooManyFiles, match="2"):
        put(files, b"c")
    assert len(on_disk(tmp_path)) == 2


def test_keeping_the_same_file_twice_counts_it_once(files: Files, store_client: redis.Redis) -> None:
    with files.arriving("alice") as arrival:
        arrival.bytes.write(b"hello")
        new = module.NewFile(project="alice", purpose="user_data", filename="f")
        first = files.keep(new, arrival)
        call = module.scripts.Call(
            name="keep_file",
            keys=[keys.file(first.number)],
            args=[first.number, "alice", "user_data", 5, 0, 2**53, 10, "filename", "g"],
        )
        assert module.scripts.run(store_client, call) == b"kept"
    assert taken(store_client) == (5, 1)
    assert files.get(first.id, project="alice") == first


def test_bytes_stay_where_nobody_knows_whether_their_record_was_written(files: Files, tmp_path: Path) -> None:
    """A sweep tells later."""
    unreachable = Files(redis.Redis(port=1), FileFolder(tmp_path / "files"))
    with files.arriving("alice") as arrival:
        arrival.bytes.write(b"hello")
        with pytest.raises(StoreUnavailable):
            unreachable.keep(module.NewFile(project="alice", purpose="user_data", filename="f"), arrival)
    assert on_disk(tmp_path) == [arrival.number]


def test_many_are_read_at_once(files: Files) -> None:
    made: list[File] = [put(files, b"x") for _ in range(3)]
    assert files.get_all([file.id for file in made], project="alice") == {file.id: file for file in made}
