import pytest

from sandbox.colour import mean_colour
from tests.fakes.media_files import plain_frame


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (64, 48), (333, 77), (2_000, 10)])
def test_a_plain_picture_of_any_size_has_its_own_colour(size: tuple[int, int]) -> None:
    assert mean_colour(plain_frame((18, 52, 86), width=size[0], height=size[1])) == "#123456"


def test_half_black_and_half_white_is_grey() -> None:
    frame = plain_frame((0, 0, 0), width=64, height=64)
    plane = frame.planes[0]
    plane.update(bytes(plane.line_size * 32) + b"\xff" * (plane.line_size * 32))
    assert mean_colour(frame) in ("#7f7f7f", "#808080")
