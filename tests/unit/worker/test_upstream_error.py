from typing import Any

import pytest

from worker.upstream_error import read_error, shown_code, shown_message


@pytest.mark.parametrize(
    ("upstream", "code", "message", "param"),
    [
        ({"error": {"code": "c", "message": "m", "param": "p", "type": "t"}}, "c", "m", "p"),
        ({"error": {"type": "t"}}, "t", "", ""),
        ({"error": {"code": 500}}, "500", "", ""),
        ({"error": "it broke"}, "", "it broke", ""),
        ({"code": "c", "message": "m"}, "c", "m", ""),
        ({"error": None}, "", "", ""),
        ({"error": []}, "", "", ""),
        (None, "", "", ""),
    ],
)
def test_an_error_is_found_wherever_it_stands(upstream: Any, code: str, message: str, param: str) -> None:
    found = read_error(upstream)
    assert (found.code, found.message, found.param) == (code, message, param)


def test_a_code_is_short_printable_ascii() -> None:
    assert shown_code("a\nb\x1b[31mcé" + "x" * 1000) == "a?b?[31mc?" + "x" * 118


def test_a_message_is_short_and_on_one_line() -> None:
    assert shown_message("a\r\nb\x00c 你好\u2028" + "x" * 1000) == "a  b c 你好 " + "x" * 490


@pytest.mark.parametrize("value", [None, "", {}, [], 0])
def test_nothing_is_shown_as_nothing(value: object) -> None:
    assert shown_code(value) == shown_message(value) == ""


def test_a_code_that_is_no_text_is_shown_as_what_it_is() -> None:
    assert shown_code({"a": 1}) == "{'a': 1}"
