import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.tokens import (
    FRAME_TOKENS_MAX,
    FRAME_TOKENS_MIN,
    IMAGE_TOKENS_MAX,
    MEDIUM_TOKENS_MAX,
    count_bytes,
    count_image,
    count_text,
    count_video,
    cut_text,
)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("视频", 2), ("ab视频cd", 4), ("한국어 x", 4), ("\n\n\n\n\n", 2)],
)
def test_text_costs_a_quarter_token_a_letter_and_one_a_wide_character(text: str, tokens: int) -> None:
    assert count_text(text) == tokens


@given(st.text(), st.integers(0, 20))
def test_a_cut_text_is_a_prefix_that_costs_no_more_than_was_left(text: str, tokens: int) -> None:
    cut = cut_text(text, tokens=tokens)
    assert text.startswith(cut)
    assert count_text(cut) == min(tokens, count_text(text))


def test_a_picture_costs_by_its_area_up_to_a_bound() -> None:
    assert count_image(width=28, height=28) == 1
    assert count_image(width=29, height=28) == 2
    assert count_image(width=20_000, height=20_000) == IMAGE_TOKENS_MAX


def test_each_sampled_frame_costs_between_its_bounds() -> None:
    assert count_video(width=8, height=8, frames=3) == 3 * FRAME_TOKENS_MIN
    assert count_video(width=8_000, height=8_000, frames=3) == 3 * FRAME_TOKENS_MAX
    assert count_video(width=280, height=280, frames=2) == 200
    assert count_video(width=8_000, height=8_000, frames=10_000) == MEDIUM_TOKENS_MAX


def test_a_file_costs_by_its_length_up_to_a_bound() -> None:
    assert [count_bytes(0), count_bytes(1), count_bytes(64), count_bytes(65)] == [0, 1, 1, 2]
    assert count_bytes(10**10) == MEDIUM_TOKENS_MAX
