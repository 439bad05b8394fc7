import pytest

from respool.findings import clock


@pytest.mark.parametrize(
    ("skew", "level"), [(0.0, "ok"), (-4.9, "ok"), (5.1, "warn"), (-60.0, "warn"), (300.0, "fail"), (-1e6, "fail")]
)
def test_a_clock_is_judged_by_how_far_it_is_off(skew: float, level: str) -> None:
    found = clock("api clock", skew)
    assert found.level == level
    assert bool(found.advice) == (level != "ok")


def test_the_way_a_clock_is_off_is_told() -> None:
    assert "10.0 s ahead of" in clock("c", 10).told
    assert "10.0 s behind" in clock("c", -10).told
