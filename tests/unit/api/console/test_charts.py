import pytest

from api.console import charts, words
from api.console.charts import HEIGHT, WIDTH, Line


def test_bars_of_one_moment_stand_on_one_another_and_reach_their_sum() -> None:
    lines = [Line(name="good", kind="a", values=[3, 0]), Line(name="bad", kind="b", values=[1, 5])]
    chart = charts.stacked("Ends", ["12:00", "12:01"], lines, told=words.count)
    assert chart.top == "5"
    first, on_it, alone = chart.bars
    assert (first.kind, first.y + first.height) == ("a", HEIGHT)
    assert on_it.y + on_it.height == pytest.approx(first.y)
    assert (alone.kind, alone.y, alone.height) == ("b", 0, HEIGHT)
    assert alone.x == WIDTH / 2
    assert chart.columns[0].title == "12:00\ngood: 3\nbad: 1"


def test_a_curve_has_a_gap_where_nothing_was_measured() -> None:
    chart = charts.curves("Times", ["a", "b", "c", "d"], [Line(name="p50", kind="a", values=[1, None, 2, 1])], told=str)
    ((_, path),) = chart.paths
    assert path == "M75 60h2M375 0h2L525 60"


@pytest.mark.parametrize(("highest", "top"), [(0, "1"), (1, "1"), (1.01, "2"), (4, "5"), (51, "100"), (0.003, "0.0")])
def test_the_scale_ends_at_a_round_number(highest: float, top: str) -> None:
    line = Line(name="n", kind="a", values=[highest])
    assert charts.stacked("T", ["x"], [line], told=words.count).top == top


def test_a_chart_of_nothing_says_so() -> None:
    assert charts.stacked("T", ["x"], [Line(name="n", kind="a", values=[0])], told=words.count).empty
    assert charts.curves("T", [], [], told=words.count).empty
