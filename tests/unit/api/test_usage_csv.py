import csv
import io

import pytest

from api.usage_csv import usage_csv


def read_back(value: object) -> str:
    """The one cell as a reader of CSV gets it."""
    header, (cell,) = csv.reader(io.StringIO(usage_csv([{"x": value}], ["x"]), newline=""))
    assert header == ["x"]
    return cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1"])
def test_text_that_a_spreadsheet_would_run_is_neutralised(text: str) -> None:
    assert read_back(text) == f"'{text}"


@pytest.mark.parametrize("text", ["m", "glm-4.7", 'a "b", c\nd', "é", "", "a=b"])
def test_other_text_comes_as_it_is(text: str) -> None:
    assert read_back(text) == text


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0"), (12, "12"), (0.0, "0"), (1e-09, "0.000000001"), (1.5, "1.5"), (10.0, "10"), (1e16, "1" + "0" * 16)],
)  # fmt: skip
def test_numbers_are_written_out_in_full(number: float, shown: str) -> None:
    assert read_back(number) == shown


def test_a_line_names_the_columns_and_lines_end_as_rfc_4180_says() -> None:
    assert usage_csv([{"b": 2, "a": "x", "c": 3}], ["a", "b"]) == "a,b\r\nx,2\r\n"
    assert usage_csv([], ["a"]) == "a\r\n"
