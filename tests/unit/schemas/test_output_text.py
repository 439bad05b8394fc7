from typing import Any

import pytest

from schemas.output_text import complete_parts, complete_texts

whole = {"type": "output_text", "text": "hi", "annotations": [], "logprobs": []}


@pytest.mark.parametrize(
    "content",
    [
        "hi",
        ["hi"],
        [{"text": "hi"}],
        [{"type": "text", "text": "hi"}],
        [{"type": "output_text", "text": "hi", "annotations": None}],
    ],
)
def test_text_in_any_dress_becomes_a_whole_part(content: Any) -> None:
    assert complete_parts(content) == [whole]


@pytest.mark.parametrize("content", [None, 1, {}, [], [None, 1, {}, [], {"type": 5}]])
def test_what_is_no_part_is_left_out(content: Any) -> None:
    assert complete_parts(content) == []


def test_text_of_another_type_is_empty_and_fields_of_the_endpoint_are_kept() -> None:
    assert complete_parts([{"type": "output_text", "text": 5, "x": 1}]) == [{**whole, "text": "", "x": 1}]


def test_a_refusal_is_text_and_a_part_of_an_unknown_type_is_kept() -> None:
    assert complete_parts([{"type": "refusal", "refusal": None}]) == [{"type": "refusal", "refusal": ""}]
    assert complete_parts([{"type": "output_smell", "x": 1}]) == [{"type": "output_smell", "x": 1}]


def test_annotations_get_what_they_lack() -> None:
    annotations = [
        {"type": "url_citation", "url": "https://h", "start_index": "a", "logo": "l"},
        {"type": "acme", "x": 1},
        {"x": 1},
        "no",
    ]
    (part,) = complete_parts([{"type": "output_text", "text": "", "annotations": annotations}])
    assert part["annotations"] == [
        {"type": "url_citation", "url": "https://h", "logo": "l", "title": "", "start_index": 0, "end_index": 0},
        {"type": "acme", "x": 1},
    ]


def test_log_probabilities_get_what_they_lack_and_broken_ones_are_left_out() -> None:
    logprobs = [
        {"token": "é", "logprob": -0.5, "bytes": None, "top_logprobs": [{"token": "a", "logprob": -1}, {}]},
        {"token": 1},
        3,
    ]
    (part,) = complete_parts([{"type": "output_text", "text": "", "logprobs": logprobs}])
    assert part["logprobs"] == [
        {
            "token": "é",
            "logprob": -0.5,
            "bytes": [195, 169],
            "top_logprobs": [{"token": "a", "logprob": -1, "bytes": [97]}],
        }
    ]


def test_texts_of_one_type_are_read_from_strings_and_objects() -> None:
    assert complete_texts(["a", {"text": "b", "x": 1}, {"text": 1}, 5], type="summary_text") == [
        {"type": "summary_text", "text": "a"},
        {"type": "summary_text", "text": "b", "x": 1},
    ]
    assert complete_texts("a", type="t") == [{"type": "t", "text": "a"}]
