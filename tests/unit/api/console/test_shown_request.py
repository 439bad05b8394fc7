import base64

from api.console.shown_request import decoded, media, turns

FILE = "file-" + "a" * 32


def said(*parts: dict) -> dict:
    return {"input": [{"role": "user", "content": list(parts)}]}


def test_a_plain_text_is_one_turn_of_the_user() -> None:
    ((turn),) = turns({"input": "hello"})
    assert (turn.role, turn.parts[0].text) == ("user", "hello")


def test_a_medium_is_a_file_of_ours_an_address_or_what_the_request_carries() -> None:
    data = "data:image/png;base64," + base64.b64encode(b"png").decode()
    request = said(
        {"type": "input_video", "file_id": FILE, "fps": 2},
        {"type": "input_image", "image_url": "https://example.com/a.png"},
        {"type": "input_image", "image_url": data},
        {"type": "input_text", "text": "?"},
    )
    film, far, own = media(request)
    assert (film.kind, film.file_id, film.settings, film.url) == ("video", FILE, "fps 2", None)
    assert (far.url, far.origin, far.data) == ("https://example.com/a.png", "https://example.com", None)
    assert (own.number, own.media_type, decoded(own), own.url) == (2, "image/png", b"png", None)


def test_what_is_not_known_is_shown_as_json() -> None:
    request = {"input": [{"type": "function_call", "name": "f"}, {"role": "user", "content": [{"type": "new"}, 3]}]}
    call, turn = turns(request)
    assert (call.role, '"name": "f"' in (call.parts[0].other or "")) == ("function_call", True)
    assert [part.other is not None for part in turn.parts] == [True, True]


def test_a_broken_data_uri_has_no_bytes() -> None:
    (medium,) = media(said({"type": "input_image", "image_url": "data:image/png;base64,A"}))
    assert decoded(medium) == b""
