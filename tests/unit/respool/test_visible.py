import json

import pytest

from respool.visible import in_one_line, print_document, print_lines, shown

STEERING = "\x1b[2J\x9b31m\r\x7f\u202e\u2066\ud800"


def test_text_from_elsewhere_cannot_steer_the_terminal() -> None:
    assert shown("a\tb\nc" + STEERING) == "a\tb\nc\ufffd[2J\ufffd31m\ufffd\ufffd\ufffd\ufffd\ufffd"


@pytest.mark.parametrize("text", ["Grüße 你好 👩‍👩‍👧", "שלום"])
def test_what_people_write_stays(text: str) -> None:
    assert shown(text) == text


def test_a_cell_has_one_line() -> None:
    assert in_one_line("two\nlines\x1b\tand more") == "two lines\ufffd and more"


def test_json_is_the_same_after_it_was_made_visible(capsys: pytest.CaptureFixture[str]) -> None:
    document = {"text": STEERING + "你", "list": [1.5, None]}
    print_document(document)
    whole = capsys.readouterr().out
    assert json.loads(whole) == document
    assert "你" in whole
    assert shown(whole) == whole


def test_json_lines_are_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    print_lines({"number": number, "text": "a\nb"} for number in range(3))
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["number"] for line in lines] == [0, 1, 2]
