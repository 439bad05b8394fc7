"""Answers over HTTP that no server should give, each drawn by lot: right ones bent, broken off, swollen or made up."""

import contextlib
import gzip
import json
import random
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

from tests.fakes.raw_server import Handler, chunked_answer, http_answer

MIB = 1024 * 1024
MOST_BYTES = 64 * MIB
"""What an answer without an end comes to, should nobody hang up."""

MESSAGE = {
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "hello", "annotations": []}],
}
RESPONSE: dict[str, Any] = {
    "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "m", "output": [MESSAGE],
    "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}, "error": None,
}  # fmt: skip
STRANGE: list[Any] = [
    None, True, -1, 0, 10**400, 1e308, float("nan"), float("inf"), "", "\ud800", "\x00", "x" * 100_000, [], {},
    [[[[]]]], {"": {"": None}}, "completed", "failed", "in_progress", "2026-01-01", -(2**63), 2**64,
]  # fmt: skip
KINDS = ("application/json", "text/event-stream", "text/html", "", "application/json; charset=utf-16", "\xff/\xff")
STATUSES = (
    "200 OK",
    "201 Created",
    "204 No Content",
    "400 Bad",
    "408 Late",
    "422 No",
    "500 Oh",
    "502 Bad",
    "504 Late",
    "599 ?",
    "999 ?",
)

Dice = random.Random


def good() -> bytes:
    return http_answer(json.dumps(RESPONSE).encode())


def bad(dice: Dice, *, pauses: str = "long") -> Handler:
    """One of the kinds below; with `short` pauses none that has a lane paused for half a minute."""
    return dice.choice(_ANSWERS if pauses == "long" else _ANSWERS[:-2])(dice)


def bent(value: Any, dice: Dice, *, share: float = 0.15) -> Any:
    """The value with some of its parts replaced by strange ones."""
    if dice.random() < share:
        return dice.choice(STRANGE)
    if isinstance(value, dict):
        return {name if dice.random() > share / 3 else "\ud800": bent(entry, dice) for name, entry in value.items()}
    return [bent(entry, dice) for entry in value] if isinstance(value, list) else value


def _text(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


def _sending(data: bytes) -> Handler:
    return lambda connection: connection.sendall(data)


def _random_bytes(dice: Dice) -> Handler:
    return _sending(dice.randbytes(dice.randrange(2000)))


def _bent_json(dice: Dice) -> Handler:
    return _sending(http_answer(_text(bent(RESPONSE, dice)), status=dice.choice(("200 OK", *STATUSES))))


def _cut(dice: Dice) -> Handler:
    whole = good()
    return _sending(whole[: dice.randrange(len(whole))])


def _deep(dice: Dice) -> Handler:
    depth = dice.choice((100, 2000, 200_000))
    return _sending(http_answer(b'{"output":' + b"[" * depth + b"]" * dice.choice((0, depth)) + b"}"))


def _status(dice: Dice) -> Handler:
    body = dice.choice(
        (b"", b"<html>no</html>", _text({"error": bent({"code": "x", "message": "y"}, dice)}), dice.randbytes(50))
    )
    return _sending(http_answer(body, status=dice.choice(STATUSES), kind=dice.choice(KINDS).encode().decode("latin-1")))


def _wrong_length(dice: Dice) -> Handler:
    told = dice.choice((b"-1", b"99999999999999999999", b"x", b"5, 6", b"1", b"", b"0x10"))
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + told
    return _sending(head + b"\r\nConnection: close\r\n\r\n" + _text(RESPONSE))


def _bad_chunks(dice: Dice) -> Handler:
    whole = chunked_answer(_text(RESPONSE)[:40], _text(RESPONSE)[40:])
    place = dice.randrange(80, len(whole))
    return _sending(whole[:place] + dice.randbytes(5) + whole[place + dice.randrange(6) :])


def _bomb(dice: Dice) -> Handler:
    packed = gzip.compress(b'{"x":"' + b"0" * (16 * MIB), mtime=0)
    body = dice.choice(
        (packed, packed[: len(packed) // 2], gzip.compress(packed, mtime=0), b"\x1f\x8b" + dice.randbytes(99))
    )
    return _sending(http_answer(body, f"Content-Encoding: {dice.choice(('gzip', 'deflate', 'br', 'gzip, gzip'))}"))


def _events(dice: Dice) -> Iterator[bytes]:
    kinds = [
        "response.created",
        "response.output_text.delta",
        "response.completed",
        "response.failed",
        "error",
        "\ud800",
        "",
    ]
    for _ in range(dice.randrange(30)):
        event = {
            "type": dice.choice(kinds),
            "response": bent(RESPONSE, dice),
            "delta": "x",
            "sequence_number": dice.choice(STRANGE),
        }
        line = dice.choice((_text(bent(event, dice, share=0.05)), dice.randbytes(60), b"[DONE]", b"{", b""))
        yield (
            dice.choice((b"data: ", b"data:", b"event: ", b": ", b"id: ", b"retry: ", b"\xef\xbb\xbfdata: ", b""))
            + line
        )
        yield dice.choice((b"\n\n", b"\r\n\r\n", b"\n", b"\r\r", b""))


def _stream(dice: Dice) -> Handler:
    data = b"".join(_events(dice))
    if dice.random() < 0.5:
        return _sending(
            chunked_answer(*filter(None, (data[i : i + 77] for i in range(0, len(data), 77))), kind="text/event-stream")
        )
    return _sending(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + data)


def _endless(dice: Dice) -> Handler:
    """Headers, a header, a body, a line of a stream, or events: as many as are taken."""
    events = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    begin, piece = dice.choice(
        (
            (b"HTTP/1.1 200 OK\r\n", b"X-More: again\r\n" * 1000),
            (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 65536),
            (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", b" " * 65536),
            (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
            (events + b"data: ", b"x" * 65536),
            (events, b'data: {"type":"response.output_text.delta","delta":"x"}\n\n' * 500),
            (events, b": nothing\n" * 5000),
        )
    )

    def send(connection: socket.socket) -> None:
        connection.sendall(begin)
        for _ in range(MOST_BYTES // len(piece)):
            connection.sendall(piece)

    return send


def _reset(dice: Dice) -> Handler:
    first = good()[: dice.choice((0, 20, 90))]

    def send(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.sendall(first)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return send


def _missing(dice: Dice) -> Handler:
    return _sending(http_answer(dice.choice((b"", b"{}", b"<html>no</html>")), status="404 No"))


def _elsewhere(dice: Dice) -> Handler:
    place = dice.choice(("http://127.0.0.1:1/", "//", "file:///etc/passwd", "http://[::1", "\x00", "/v1/responses"))
    return _sending(http_answer(b"", f"Location: {place}", status=dice.choice(("301 Moved", "307 Moved", "308 Moved"))))


_ANSWERS: tuple[Callable[[Dice], Handler], ...] = (
    _random_bytes, _bent_json, _bent_json, _bent_json, _cut, _deep, _status, _wrong_length, _bad_chunks, _bomb, _stream,
    _stream, _endless, _reset, _missing, _elsewhere,
)  # fmt: skip
