"""Where a call is answered: from the bytes of a request to the payload of its answer."""

import hmac
import time
from collections.abc import Mapping
from typing import Any

from sandbox.answer import write_answer
from sandbox.calls import Call, CallLog, Counter
from sandbox.checks import check_body, parse_body
from sandbox.connection import Connection
from sandbox.delivery import HANG_SECONDS
from sandbox.error_payload import error_payload
from sandbox.errors import ClientLeft, Refused
from sandbox.faults import Fault, fault_text, parse_fault
from sandbox.limiter import Limiter
from sandbox.media import look_at_all, refuse_unseen
from sandbox.payload import Payload, answer_payload
from sandbox.prompt import read_prompt
from sandbox.response import build_response
from sandbox.settings import SandboxSettings


class Desk:
    """What one sandbox keeps between calls, and the steps that each call takes."""

    def __init__(self, *, settings: SandboxSettings) -> None:
        self.settings = settings
        self.log = CallLog(kept=settings.kept_requests)
        self.limiter = Limiter(per_minute=settings.requests_per_minute)
        self._fault_calls = Counter()

    def authorise(self, authorization: str) -> None:
        """Raise Refused (401) unless an `Authorization` header is `Bearer KEY` with a key that is let in."""
        scheme, _, key = authorization.partition(" ")
        wanted = self.settings.api_key
        is_known = bool(key.strip()) if wanted is None else _is_same(key.strip(), wanted)
        if scheme.lower() != "bearer" or not is_known:
            raise Refused("The API key is missing or not valid.", status=401)

    def due_fault(self, call: Call, body: Mapping[str, Any], *, header: str | None) -> Fault:
        """The fault for this call: the one it asks for, or none where that one's turns are over."""
        call.fault = fault_text(header, body)
        fault = parse_fault(call.fault)
        if not call.fault:
            return fault
        by_key = fault.times is not None and call.idempotency_key is not None
        calls = self._fault_calls.add(f"key {call.idempotency_key}" if by_key else f"list {call.fault}")
        call.is_fault_applied = fault.is_due(calls=calls)
        return fault if call.is_fault_applied else Fault()

    def answer(
        self, call: Call, raw: bytes, *, fault_header: str | None, connection: Connection
    ) -> tuple[Payload, Fault]:
        """The answer to a call and the fault that its delivery is to show.

        Raises Refused for a call that is not answered, ClientLeft when nobody waits for the answer any more.
        """
        body = parse_body(raw)
        _note(call, body, raw)
        fault = self.due_fault(call, body, header=fault_header)
        created_at = int(time.time())
        if connection.wait(HANG_SECONDS if fault.hang else fault.delay) or fault.hang:
            raise ClientLeft
        if fault.replaces_answer:
            return error_payload(fault), fault
        response = self._respond(body, fault, created_at=created_at)
        return answer_payload(response, fault=fault, is_stream=body.get("stream") is True), fault

    def forget(self) -> None:
        """Forget what calls came, and begin counting faults anew."""
        self.log.clear()
        self._fault_calls.clear()

    def _respond(self, body: Mapping[str, Any], fault: Fault, *, created_at: int) -> dict[str, Any]:
        check_body(body)
        prompt = read_prompt(body)
        media = look_at_all(prompt.media, settings=self.settings)
        if fault.media == "strict":
            refuse_unseen(media)
        return build_response(
            body,
            answer=write_answer(body, prompt, media),
            prompt=prompt,
            media=media,
            created_at=created_at,
            completed_at=int(time.time()),
        )


def _note(call: Call, body: Mapping[str, Any], raw: bytes) -> None:
    call.model = body.get("model") if isinstance(body.get("model"), str) else None
    call.stream = body.get("stream") if isinstance(body.get("stream"), bool) else None
    call.body_keys = tuple(body)
    call.body_bytes = len(raw)


def _is_same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode("utf-8", "replace"))
