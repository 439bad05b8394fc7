import pytest

from jobs.estimate import OUTPUT_TOKENS, TOKENS_PER_MEDIUM, estimate_tokens


@pytest.mark.parametrize(
    ("request_body", "tokens"),
    [
        ({}, 0),
        ({"input": "abc"}, 1),
        ({"input": "abcd"}, 2),
        ({"input": "", "instructions": "abc"}, 1),
        ({"input": [{"role": "user", "content": "abcdef"}]}, 2),
        ({"input": [{"role": "user", "content": [{"type": "input_text", "text": "abc"}]}] * 3}, 3),
        ({"input": [{"type": "function_call", "arguments": "abcdef"}]}, 2),
        ({"input": [{"type": "function_call_output", "output": [{"type": "input_image"}]}]}, 1300),
        ({"input": [{"content": [{"type": name} for name in TOKENS_PER_MEDIUM]}]}, sum(TOKENS_PER_MEDIUM.values())),
        ({"input": [{"type": "item_reference", "id": "abc"}, None, 5]}, 0),
    ],
)
def test_input_counts_by_the_length_of_texts_and_the_kind_of_media(request_body: dict, tokens: int) -> None:
    assert estimate_tokens(request_body) == tokens + OUTPUT_TOKENS


def test_output_counts_as_the_most_that_is_asked_for() -> None:
    assert estimate_tokens({"input": "abc", "max_output_tokens": 2}) == 3
    assert estimate_tokens({"input": "abc", "max_output_tokens": None}) == 1 + OUTPUT_TOKENS
