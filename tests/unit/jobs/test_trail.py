import pytest

from jobs.trail import Trail, read_traceparent, read_trail

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (GOOD, GOOD),
        (f" {GOOD.upper()} ", GOOD),
        (f"cc-{TRACE}-{SPAN}-01-more", GOOD),
        (f"{GOOD}-more", ""),
        (f"ff-{TRACE}-{SPAN}-01", ""),
        (f"00-{'0' * 32}-{SPAN}-01", ""),
        (f"00-{TRACE}-{'0' * 16}-01", ""),
        (f"00-{TRACE}-{SPAN}", ""),
        (f"00-{TRACE[1:]}-{SPAN}-01", ""),
        (f"{GOOD}\r\nx: y", ""),
        ("", ""),
        ("x" * 10_000, ""),
    ],
)
def test_a_traceparent_is_taken_if_it_is_one(text: str, found: str) -> None:
    assert read_traceparent(text) == found


def test_a_record_keeps_what_there_is() -> None:
    trail = Trail(request_id="req_1", traceparent=GOOD)
    assert trail.fields() == {"request_id": "req_1", "traceparent": GOOD}
    assert Trail(request_id="req_1").fields() == {"request_id": "req_1"}
    assert read_trail(b"req_1", GOOD.encode()) == trail
    assert read_trail(None, None) == Trail()
    assert trail.said == {"request_id": "req_1", "trace_id": TRACE}
