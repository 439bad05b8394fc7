from schemas.event_frames import frame


def test_an_event_has_its_name_and_its_number_and_no_id() -> None:
    told = frame("response.x", b'{"type":"response.x","a":1}', number=7)
    assert told == b'event: response.x\ndata: {"type":"response.x","a":1,"sequence_number":7}\n\n'
