import threading

from jobs.log_context import about, begin, said


def test_a_block_adds_to_what_is_said_and_takes_it_back() -> None:
    with about(request_id="r", project=""), about(job_id="j", attempt=0):
        assert said() == {"request_id": "r", "job_id": "j", "attempt": 0}
    assert "job_id" not in said()


def test_what_begins_says_nothing_of_what_was_before() -> None:
    with about(job_id="j"):
        begin(request_id="r", trace_id=None)
        assert said() == {"request_id": "r"}


def test_each_thread_says_its_own() -> None:
    found: list[dict[str, str | int]] = []

    def look() -> None:
        with about(request_id="theirs"):
            found.append(dict(said()))

    with about(job_id="mine"):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert found == [{"request_id": "theirs"}]
