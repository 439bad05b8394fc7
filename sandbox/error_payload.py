"""The answer to a call that is to fail with a status or with a body that is no Response."""

import json
import time
from email.utils import formatdate

from sandbox.errors import error_body
from sandbox.faults import Fault
from sandbox.payload import JSON_TYPE, Payload
from sandbox.shapes import with_int_codes

_BODILESS = (204, 304)


def error_payload(fault: Fault) -> Payload:
    """An error as `fault` wants it: status, code, message, Retry-After and kind of body."""
    status = fault.status or 200
    content_type, data = _body(fault, status)
    if status in _BODILESS:
        data = b""
    headers = () if fault.retry_after is None else (("Retry-After", _retry_after(fault.retry_after)),)
    return Payload(content_type=content_type, pieces=(data,), status=status, headers=headers, byte_count=len(data))


def _body(fault: Fault, status: int) -> tuple[str, bytes]:
    message = fault.message or f"The sandbox was asked to answer {status}."
    match fault.body:
        case "html":
            page = f"<html><head><title>{status}</title></head><body><h1>{message}</h1></body></html>"
            return "text/html; charset=utf-8", page.encode()
        case "text":
            return "text/plain; charset=utf-8", message.encode()
        case "empty":
            return "text/plain; charset=utf-8", b""
        case _:
            body = error_body(message, status=status if status >= 400 else 500, code=fault.code)
            return JSON_TYPE, json.dumps(with_int_codes(body) if "int_codes" in fault.stream else body).encode()


def _retry_after(asked: str) -> str:
    kind, _, seconds = asked.partition(":")
    if kind == "date" and seconds.removeprefix("-").isdigit():
        return formatdate(time.time() + int(seconds), usegmt=True)
    return asked
