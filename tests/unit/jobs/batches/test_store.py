from dataclasses import replace

import pytest
import redis

from jobs import keys
from jobs.batches import store as module
from jobs.batches.record import NewBatch
from jobs.errors import BatchNotFound, CursorNotFound, FileNotFound, TooManyBatches
from jobs.webhooks.target import Webhook
from tests.fakes.batches import BatchBench, request_line
from tests.fakes.files import put


def new(file_id: str, **changes: object) -> NewBatch:
    return replace(NewBatch(project="default", api_key="key_test", input_file_id=file_id), **changes)  # type: ignore[arg-type]


def test_a_batch_is_kept_with_all_that_was_asked(batches: BatchBench) -> None:
    file = batches.put(b"{}\n")
    hook = Webhook(url="https://hooks.example/", origin="https://hooks.example:443")
    made = batches.batches.create(
        new(
            file.id,
            completion_window="90s",
            window_seconds=90,
            output_expires_after_seconds=3600,
            metadata={"a": "b"},
            options={"priority": 3},
            webhook=hook,
            retry_of="batch_x",
        )
    )
    assert batches.batches.get(made.id, project="default") == made
    assert (made.status, made.input_file_id, made.completion_window) == ("validating", file.id, "90s")
    assert made.expires_at == pytest.approx(made.created_at + 90, abs=0.01)
    assert (made.metadata, made.options, made.retry_of) == ({"a": "b"}, {"priority": 3}, "batch_x")
    assert (made.webhook or {})["url"] == "https://hooks.example/"
    assert (made.output_expires_after_seconds, made.ended) == (3600, False)
    assert batches.files.get(file.id, project="default").batches == 1


def test_a_file_must_be_the_projects_and_for_a_batch(batches: BatchBench) -> None:
    others, plain = batches.put(b"x", project="bob"), put(batches.files, b"x", project="default")
    gone = batches.put(b"x", expires=3600)
    batches.client.hset(keys.file(gone.number), "expires", 1)
    for file_id in (others.id, plain.id, gone.id, "file-" + "0" * 32, "nonsense"):
        with pytest.raises(FileNotFound, match=file_id):
            batches.batches.create(new(file_id))
    assert batches.batches.page(project=None, limit=10, after=None).batches == []


def test_one_number_is_one_batch(batches: BatchBench, store_client: redis.Redis) -> None:
    asked = new(batches.put(b"x").id)
    first = batches.batches.create(asked)
    before = {key: store_client.dump(key) for key in store_client.scan_iter()}
    assert batches.batches.create(asked) == first
    assert {key: store_client.dump(key) for key in store_client.scan_iter()} == before


def test_a_project_makes_so_many_in_an_hour(batches: BatchBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BATCHES_AN_HOUR", 2)
    first, _ = (batches.create([request_line(1)]) for _ in range(2))
    with pytest.raises(TooManyBatches, match="2"):
        batches.create([request_line(1)])
    batches.create([request_line(1)], project="bob")
    batches.client.zadd(keys.batches("default"), {first.number: first.created - 3_600_000_001})
    batches.create([request_line(1)])


def test_anothers_batch_is_as_one_that_does_not_exist(batches: BatchBench) -> None:
    batch = batches.create([request_line(1)])
    for batch_id in (batch.id, "batch_" + "0" * 32, "batch_x", ""):
        with pytest.raises(BatchNotFound):
            batches.batches.get(batch_id, project="bob")
        with pytest.raises(BatchNotFound):
            batches.batches.cancel(batch_id, project="bob")
    assert batches.now(batch).status == "validating"


def test_pages_are_newest_first_and_of_ones_own(batches: BatchBench) -> None:
    made = [batches.create([request_line(1)], project=name) for name in ("default", "bob", "default", "default")]
    own = [batch.id for batch in reversed(made) if batch.project == "default"]
    first = batches.batches.page(project="default", limit=2, after=None)
    rest = batches.batches.page(project="default", limit=2, after=first.batches[-1].id)
    assert ([b.id for b in first.batches], first.has_more) == (own[:2], True)
    assert ([b.id for b in rest.batches], rest.has_more) == (own[2:], False)
    assert [b.id for b in batches.batches.page(project=None, limit=9, after=None).batches] == [
        batch.id for batch in reversed(made)
    ]
    with pytest.raises(CursorNotFound):
        batches.batches.page(project="default", limit=2, after=made[1].id)
