"""How a medium is written: an http(s) URL, or a base64 `data:` URI. Judged by its text alone."""

import re
import string
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError
from marshmallow.types import UnknownOption

from schemas.fields import String
from schemas.mistakes import cut

MAX_URL_CHARACTERS = 8192

# A header longer than this is no media type; looking no further keeps a large medium cheap.
_longest_header = 256
_header = re.compile(r"data:[\w.+-]+/[\w.+-]+(;[\w.+-]+=[\w.+-]+)*;base64", re.IGNORECASE | re.ASCII)
_scheme = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_never_in_url = re.compile(r"[\s\x00-\x20\x7f-\x9f\\]")
_base64_alphabet = (string.ascii_letters + string.digits + "+/").encode()


class Medium(String):
    """An http(s) URL or a base64 `data:` URI."""

    noun = "an http(s) URL or a base64 data: URI as a string"

    def check_inside(self, value: Any, unknown: UnknownOption) -> None:
        scheme = _scheme_of(value)
        if scheme == "data":
            check_data_uri(value)
        elif scheme in ("http", "https"):
            check_url(value)
        elif scheme:
            raise ValidationError(f"must be an http(s) URL or a base64 data: URI, not {cut(scheme)}:")
        else:
            raise ValidationError("must be an http(s) URL or a base64 data: URI; it has no scheme")


class DataUri(String):
    """A base64 `data:` URI."""

    noun = "a base64 data: URI as a string"

    def check_inside(self, value: Any, unknown: UnknownOption) -> None:
        if _scheme_of(value) != "data":
            raise ValidationError("must be a base64 data: URI (data:<type>/<subtype>;base64,…)")
        check_data_uri(value)


def check_url(url: str) -> None:
    """Raise ValidationError unless the http(s) URL names a host and nothing in it can be read in two ways."""
    if len(url) > MAX_URL_CHARACTERS:
        raise ValidationError(f"must have at most {MAX_URL_CHARACTERS} characters as a URL, got {len(url)}")
    if odd := _never_in_url.search(url):
        raise ValidationError(f"must not contain the character {odd[0]!r} (at position {odd.start()})")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValidationError(f"is not a URL: {cut(str(error))}") from error
    if not host:
        raise ValidationError("must name a host, as in https://host/path")


def check_data_uri(uri: str) -> None:
    """Raise ValidationError unless it is `data:<type>/<subtype>;base64,` and well-formed base64, by counting only."""
    comma = uri.find(",", 0, _longest_header)
    if comma < 0 or not _header.fullmatch(uri, 0, comma):
        raise ValidationError("must begin with data:<type>/<subtype>;base64, if it is a data: URI")
    payload = uri[comma + 1 :]
    if not payload:
        raise ValidationError("is a data: URI without data")
    padding = len(payload) - len(payload.rstrip("="))
    strangers = payload.encode(errors="replace").translate(None, _base64_alphabet)
    if padding > 2 or len(strangers) > padding:
        raise ValidationError("holds characters that are not base64 (A-Z a-z 0-9 + / and = at the end)")
    if len(payload) % 4:
        raise ValidationError(f"is not whole base64: {len(payload)} characters are no multiple of 4")


def _scheme_of(text: str) -> str:
    found = _scheme.match(text)
    return found[1].lower() if found else ""
