import click
import pytest

from respool.pairs import read_pairs


def test_a_value_may_hold_anything_and_be_empty() -> None:
    assert read_pairs(["a=b=c", "d="], option="--metadata") == {"a": "b=c", "d": ""}


@pytest.mark.parametrize("text", ["a", "=b", ""])
def test_what_is_no_pair_is_wrong_usage(text: str) -> None:
    with pytest.raises(click.BadParameter, match="KEY=VALUE"):
        read_pairs([text], option="--metadata")
