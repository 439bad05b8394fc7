import pytest

from api.event_frames import PIECE_BYTES, frames


def test_an_event_is_one_write_with_its_name_and_its_number_and_no_id() -> None:
    (frame,) = frames("response.x", b'{"type":"response.x","a":1}', number=7)
    assert frame == b'event: response.x\ndata: {"type":"response.x","a":1,"sequence_number":7}\n\n'


@pytest.mark.parametrize("size", [PIECE_BYTES, 3 * PIECE_BYTES])
def test_a_large_event_goes_in_pieces(size: int) -> None:
    event = b'{"type":"x","a":"%s"}' % (b"a" * size)
    pieces = list(frames("x", event, number=1))
    assert len(pieces) == size // PIECE_BYTES + 1
    assert max(map(len, pieces)) == PIECE_BYTES
    assert b"".join(pieces) == b'event: x\ndata: %s,"sequence_number":1}\n\n' % event[:-1]
