import dataclasses

import pytest

from jobs.record import FIELDS, Stage, new_number, number_of, read_job
from tests.factories import new_job


def test_a_number_has_128_random_bits_and_is_read_back_from_both_public_ids() -> None:
    numbers = {new_number() for _ in range(1000)}
    assert len(numbers) == 1000
    number = numbers.pop()
    assert (number_of("job_" + number), number_of("resp_" + number, "resp_")) == (number, number)


@pytest.mark.parametrize(
    "text", ["", "job_", "job_" + "a" * 31, "job_" + "a" * 33, "job_" + "A" * 32, "resp_" + "a" * 32, "a" * 32,
             "job_job_" + "a" * 28, "job_" + "٣" * 32, "job_" + "a" * 31 + "\n"],
)  # fmt: skip
def test_what_cannot_be_an_id_of_ours_is_none(text: str) -> None:
    assert number_of(text) is None


def test_seconds_are_kept_as_milliseconds_and_none_as_zero() -> None:
    fields = new_job(run_timeout_seconds=0.25, queue_deadline_seconds=None, retention_seconds=60.0).fields()
    assert (fields["run_timeout"], fields["queue_deadline"], fields["retention"]) == (250, 0, 60_000)
    assert new_job(queue_deadline_seconds=0.0001).fields()["queue_deadline"] == 1


def test_a_record_reads_as_a_job_with_its_times_in_seconds() -> None:
    values = {
        "project": b"p", "status": b"completed", "stage": b"ended", "created": b"1700000000123456",
        "started": b"1700000001500", "finished": b"1700000002500", "response": b'{"a":[]}', "spent": b"2",
        "max_attempts": b"3", "run_timeout": b"1500", "queue_deadline": b"0",
    }  # fmt: skip
    job = read_job("ab", [values.get(name) for name in FIELDS], [b'{"number":1,"outcome":"lost"}'])
    assert (job.id, job.response_id, job.stage) == ("job_ab", "resp_ab", Stage.ENDED)
    assert (job.created_at, job.started_at, job.finished_at) == (1700000000.123456, 1700000001.5, 1700000002.5)
    assert (job.response, job.usage, job.error, job.due_at) == ({"a": []}, None, None, None)
    assert (job.attempts_spent, job.max_attempts, job.run_timeout_seconds) == (2, 3, 1.5)
    assert job.queue_deadline_seconds is None
    assert job.attempts == [{"number": 1, "outcome": "lost"}]
    with pytest.raises(dataclasses.FrozenInstanceError):
        job.status = "queued"  # type: ignore[misc]
