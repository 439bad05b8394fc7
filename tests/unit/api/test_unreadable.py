import json
from http import HTTPStatus

import pytest

from api.unreadable import answer_of


@pytest.mark.parametrize(("status", "kind"), [(400, "invalid_request_error"), (500, "server_error")])
def test_the_answer_is_an_error_as_all_others(status: int, kind: str) -> None:
    head, _, body = answer_of(HTTPStatus(status)).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert f"Content-Length: {len(body)}".encode() in head.split(b"\r\n")
    assert json.loads(body)["error"]["type"] == kind
