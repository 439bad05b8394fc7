import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.usage import UsageListSchema, UsageSchema, complete_usage


def test_every_count_of_the_protocol_is_there() -> None:
    sample = {
        "input_tokens": 1355,
        "output_tokens": 87,
        "total_tokens": 1442,
        "output_tokens_details": {"reasoning_tokens": 53},
    }
    assert complete_usage(sample) == {
        "input_tokens": 1355,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 87,
        "output_tokens_details": {"reasoning_tokens": 53},
        "total_tokens": 1442,
    }


@pytest.mark.parametrize(
    "value", [None, "x", 1, [], {}, {"input_tokens": "5"}, {"total_tokens": -1}, {"input_tokens": True}]
)
def test_usage_that_tells_nothing_is_none(value: object) -> None:
    assert complete_usage(value) is None


def test_a_missing_total_is_summed_and_whole_floats_are_counts() -> None:
    usage = complete_usage({"input_tokens": 3.0, "output_tokens": 4})
    assert usage is not None
    assert (usage["input_tokens"], usage["total_tokens"]) == (3, 7)
    assert type(usage["input_tokens"]) is int


def test_counts_under_the_names_of_chat_completions_are_read() -> None:
    usage = complete_usage({"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}})
    assert usage is not None
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (5, 2, 7)
    assert usage["input_tokens_details"]["cached_tokens"] == 4


def test_fields_of_the_endpoint_are_kept() -> None:
    usage = complete_usage({"input_tokens": 1, "tool_usage": {"x": 1}, "input_tokens_details": {"text_tokens": 1}})
    assert usage is not None
    assert usage["tool_usage"] == {"x": 1}
    assert usage["input_tokens_details"] == {"text_tokens": 1, "cached_tokens": 0, "cache_write_tokens": 0}


values = st.none() | st.integers() | st.floats() | st.text() | st.booleans()


@given(
    st.dictionaries(
        st.sampled_from(
            ["input_tokens", "output_tokens", "total_tokens", "input_tokens_details", "output_tokens_details"]
        ),
        values | st.dictionaries(st.sampled_from(["cached_tokens", "reasoning_tokens"]), values),
    )
)
def test_completed_usage_fits_its_description(value: dict[str, object]) -> None:
    usage = complete_usage(value)
    if usage is not None:
        assert UsageSchema().load(usage) is usage
        assert complete_usage(usage) == usage


def test_usage_by_day_fits_its_description() -> None:
    row = {
        "day": "2026-01-02",
        "project": "default",
        "model": "m",
        "api_key": "k",
        "completed": 1,
        "failed": 0,
        "incomplete": 0,
        "cancelled": 0,
    }
    row |= {"input_tokens": 1, "cached_tokens": 0, "output_tokens": 2, "reasoning_tokens": 0, "total_tokens": 3}
    row |= {"cost": 0.25, "currency": "USD"}
    assert UsageListSchema().load({"object": "list", "data": [row]})
