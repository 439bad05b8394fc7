import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from schemas.media import MAX_URL_CHARACTERS, DataUri, Medium


def refusal(value: object, field: type[Medium | DataUri] = Medium) -> str:
    with pytest.raises(ValidationError) as caught:
        field().deserialize(value)
    (message,) = caught.value.messages
    return str(message)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.png",
        "HTTP://example.com:8080/a?b=c#d",
        "http://127.0.0.1:9/clip.mp4",
        "http://[::1]:80/x",
        "https://user:pass@example.com/%20",
        "https://例え.jp/画像.png",
        "https://h/" + "a" * (MAX_URL_CHARACTERS - 10),
    ],
)
def test_http_urls_with_a_host_are_taken(url: str) -> None:
    assert Medium().deserialize(url) is url


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://h/a", "javascript:alert(1)", "gs://b/o", "C:\\a.png"])
def test_other_schemes_are_refused_by_name(url: str) -> None:
    assert refusal(url) == f"must be an http(s) URL or a base64 data: URI, not {url.split(':')[0].lower()}:"


@pytest.mark.parametrize("text", ["", "a.png", "//host/a", "/a", "://h", "1http://h", " http://h/"])
def test_text_without_a_scheme_is_refused(text: str) -> None:
    assert "no scheme" in refusal(text)


@pytest.mark.parametrize(
    "url", ["http:", "http://", "http:///a", "https:host/a", "http://?q", "http://user@/", "http://:80/"]
)
def test_a_url_without_a_host_is_refused(url: str) -> None:
    assert "host" in refusal(url)


@pytest.mark.parametrize("odd", [" ", "\t", "\n", "\r", "\x00", "\x7f", "\x85", "\u00a0", "\u2028", "\u3000", "\\"])
@pytest.mark.parametrize("frame", ["http://h/{}", "http://h{}/", "http://{}h/", "http://h/x{}"])
def test_a_url_with_whitespace_or_control_characters_is_refused(odd: str, frame: str) -> None:
    assert "character" in refusal(frame.format(odd))


@pytest.mark.parametrize("url", ["http://h:99999/", "http://h:x/", "http://[::1", "http://[zz]/", "http://h\u2100/"])
def test_a_url_that_cannot_be_split_is_refused(url: str) -> None:
    assert "is not a URL" in refusal(url)


def test_a_url_beyond_the_bound_is_refused() -> None:
    message = refusal("https://h/" + "a" * (MAX_URL_CHARACTERS - 9))
    assert message == f"must have at most {MAX_URL_CHARACTERS} characters as a URL, got {MAX_URL_CHARACTERS + 1}"


@given(st.binary(min_size=1))
def test_every_base64_text_is_taken(data: bytes) -> None:
    uri = "data:image/png;base64," + base64.b64encode(data).decode()
    assert Medium().deserialize(uri) is uri
    assert DataUri().deserialize(uri) is uri


@pytest.mark.parametrize(
    "head", ["data:video/mp4", "DATA:Image/SVG+xml", "data:text/plain;charset=utf-8", "data:application/vnd.a-b.c"]
)
def test_media_types_with_their_parameters_are_taken(head: str) -> None:
    assert DataUri().deserialize(head + ";base64,AAAA")


@pytest.mark.parametrize(
    "uri",
    [
        "data:",
        "data:,hello",
        "data:;base64,AAAA",
        "data:image;base64,AAAA",
        "data:image/png,AAAA",
        "data:image/png;base64 ,AAAA",
        "data:image/png;base64;AAAA",
        "data:image/" + "p" * 300 + ";base64,AAAA",
    ],
)
def test_a_data_uri_without_type_and_base64_is_refused(uri: str) -> None:
    assert refusal(uri) == "must begin with data:<type>/<subtype>;base64, if it is a data: URI"


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ("", "without data"),
        ("AAA", "3 characters"),
        ("AAAAA", "5 characters"),
        ("A===", "not base64"),
        ("AA=A", "not base64"),
        ("AA\nAA", "not base64"),
        ("AA_-", "not base64"),
        ("AAA\ud800", "not base64"),
        ("ＡＡＡＡ", "not base64"),
    ],
)
def test_data_that_is_not_base64_is_refused(payload: str, said: str) -> None:
    assert said in refusal("data:image/png;base64," + payload)


def test_no_message_repeats_a_medium() -> None:
    secret = "U0VDUkVU" * 1000
    for value in (
        f"data:{secret}",
        f"data:image/png;base64,{secret}!",
        f"{secret}:x",
        f"http://h:{secret}/",
        f"http://[{secret}/",
    ):
        assert "U0VDUkVU" * 6 not in refusal(value)


def test_where_only_data_will_do_a_url_is_refused() -> None:
    assert "data: URI" in refusal("https://h/a.pdf", DataUri)
    assert "data: URI as a string" in refusal(1, DataUri)


def test_a_large_medium_is_taken_without_being_decoded() -> None:
    uri = "data:video/mp4;base64," + "A" * 20_000_000
    assert Medium().deserialize(uri) is uri
    assert "not base64" in refusal(uri[:-1] + "%")
