import contextlib
import json
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.error import InvalidJson
from schemas.strict_json import MAX_VALUES, parse

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda below: st.lists(below, max_size=5) | st.dictionaries(st.text(), below, max_size=5),
    max_leaves=30,
)


def refusal(body: bytes) -> InvalidJson:
    with pytest.raises(InvalidJson) as caught:
        parse(body)
    return caught.value


@given(json_values, st.booleans())
def test_a_value_comes_back_as_it_was_written(value: object, ascii_only: bool) -> None:
    assert parse(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=200) | st.text(alphabet='[]{}":,\\ud8019eE+-.tfnNI \x00', max_size=200).map(str.encode))
@example(b'"\\')
@example(b'\\"' + b"[" * 10_000)
@settings(max_examples=500)
def test_bytes_of_any_kind_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(InvalidJson):
        json.dumps(parse(body), allow_nan=False).encode()


@pytest.mark.parametrize("body", [b"", b"  \r\n\t "])
def test_an_empty_body_is_refused(body: bytes) -> None:
    assert "empty" in refusal(body).message


def test_other_encodings_are_refused_with_the_place() -> None:
    assert "position 2" in refusal(b'{"\xff": 1}').message
    assert "byte order mark" in refusal('{"a": 1}'.encode("utf-8-sig")).message
    refusal('{"a": 1}'.encode("utf-16"))


def test_a_syntax_error_names_line_and_column() -> None:
    assert "line 2 column 5" in refusal(b'{\n"a" 1}').message


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" * 5000 + ".0"])
def test_numbers_that_are_none_are_refused(number: str) -> None:
    refusal(f'{{"a": {number}}}'.encode())


def test_integers_are_taken_up_to_64_bits_and_no_further() -> None:
    assert parse(b"[18446744073709551615, -9223372036854775808]") == [2**64 - 1, -(2**63)]
    for digits in ("18446744073709551616", "-18446744073709551617", "1" * 100_000):
        assert "64 bits" in refusal(digits.encode()).message


def test_a_key_given_twice_is_named() -> None:
    error = refusal(b'{"a": {"model": 1, "x": 2, "model": 1}}')
    assert '"model"' in error.message
    assert error.param == "model"


def test_depth_counts_lists_and_objects_outside_strings() -> None:
    assert parse(b"[" * 64 + b"]" * 64)
    assert parse(b'{"a":' * 64 + b"1" + b"}" * 64)
    brackets_in_strings = json.dumps(['[[{{"[' * 50, "\\", '"', "[" * 100]).encode()
    assert parse(brackets_in_strings) == json.loads(brackets_in_strings)
    assert "64 levels" in refusal(b"[" * 65 + b"]" * 65).message
    assert "64 levels" in refusal(b'{"a":[' * 33 + b"1" + b"]}" * 33).message
    assert parse(b"[[]]", max_depth=2) == [[]]


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
@pytest.mark.parametrize("times", [10_000, 1_000_000])
def test_a_very_deep_body_is_refused_like_any_other(opening: bytes, times: int) -> None:
    limit = sys.getrecursionlimit()
    assert "64 levels" in refusal(opening * times).message
    assert sys.getrecursionlimit() == limit


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (rb'{"input": [{"text": "\ud800"}]}', "input[0].text"),
        (rb'{"a": {"\uDFFF": 1}}', "a"),
        (rb'["\ude00\ud83d"]', "[0]"),
        (rb'"\ud800"', None),
    ],
)
def test_half_a_surrogate_pair_is_refused_with_its_path(body: bytes, param: str | None) -> None:
    assert refusal(body).param == param


def test_a_whole_surrogate_pair_is_one_character() -> None:
    assert parse(rb'"\ud83d\ude00 \\ud800"') == "😀 \\ud800"


def test_a_raw_surrogate_is_no_utf8() -> None:
    refusal(b'"\xed\xa0\x80"')


def test_a_large_medium_comes_back_whole() -> None:
    uri = "data:video/mp4;base64," + "A" * 20_000_000
    assert parse(json.dumps({"a": [[uri]] * 1}).encode()) == {"a": [[uri]]}


def test_as_many_values_as_anyone_needs_are_taken_and_more_are_refused_before_they_are_built() -> None:
    most = b"[" + b"0," * (MAX_VALUES - 1) + b"0]"
    assert len(parse(most)) == MAX_VALUES
    with pytest.raises(InvalidJson, match=f"more than {MAX_VALUES} values"):
        parse(b"[" + b"0," * MAX_VALUES + b"0]")


def test_commas_in_a_text_are_no_values() -> None:
    text = "," * (2 * MAX_VALUES)
    assert parse(json.dumps({"input": text}).encode()) == {"input": text}
