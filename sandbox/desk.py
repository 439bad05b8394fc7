"""Where a call is answered: from the bytes of a request to the payload of its answer."""

import threading
import time
from collections.abc import Mapping
from typing import Any

from sandbox.answer import write_answer
from sandbox.background import begun_payload, status_shown, work
from sandbox.calls import Call, CallLog
from sandbox.checks import check_body, parse_body
from sandbox.connection import Connection
from sandbox.counter import Counter
from sandbox.delivery import HANG_SECONDS
from sandbox.error_payload import error_payload
from sandbox.errors import ClientLeft, Refused
from sandbox.faults import Fault, fault_text, parse_fault
from sandbox.kept import Kept, KeptResponses
from sandbox.keys import end_of, key_of
from sandbox.limiter import Limiter
from sandbox.live import live_payload
from sandbox.media import look_at_all, refuse_unseen
from sandbox.outages import Outages
from sandbox.payload import Payload, answer_payload
from sandbox.prompt import read_prompt
from sandbox.response import answered, new_response
from sandbox.settings import SandboxSettings


class Desk:
    """What one sandbox keeps between calls, and the steps that each call takes."""

    def __init__(self, *, settings: SandboxSettings) -> None:
        self.settings = settings
        self.log = CallLog(kept=settings.kept_requests)
        self.limiter = Limiter(limits=settings.limits)
        self.outages = Outages()
        self.kept = KeptResponses(kept=settings.kept_responses)
        self._fault_calls = Counter()

    def authorise(self, authorization: str) -> str:
        """The key in an `Authorization` header. Raises Refused (401) unless it is one that is let in."""
        return key_of(authorization, wanted=self.settings.api_key)

    def read(self, call: Call, raw: bytes) -> dict[str, Any]:
        """The JSON object in the bytes of a request. Raises Refused (400)."""
        body = parse_body(raw)
        call.model = body.get("model") if isinstance(body.get("model"), str) else None
        call.stream = body.get("stream") if isinstance(body.get("stream"), bool) else None
        call.body_keys = tuple(body)
        call.body_bytes = len(raw)
        return body

    def admit(self, call: Call, *, api_key: str) -> str:
        """Let the call in, or raise Refused (429). In an outage limits do not hold: the fault list of it, else ""."""
        call.api_key_end = end_of(api_key)
        outage = self.outages.fault_for(api_key)
        if not outage:
            self.limiter.admit()
            call.is_admitted = True
        return outage

    def end(self, call: Call) -> None:
        """The call is over, and its work too."""
        if call.is_admitted:
            self.limiter.release()
        self.log.end(call)

    def due_fault(self, call: Call, asked: str) -> Fault:
        """The fault for this call: the one that is asked for, or none where that one's turns are over."""
        call.fault = asked
        fault = parse_fault(asked)
        if not asked:
            return fault
        by_key = fault.times is not None and call.idempotency_key is not None
        calls = self._fault_calls.add(f"key {call.idempotency_key}" if by_key else f"list {asked}")
        call.is_fault_applied = fault.is_due(calls=calls)
        return fault if call.is_fault_applied else Fault()

    def answer(
        self, call: Call, body: Mapping[str, Any], *, fault_header: str | None, connection: Connection, outage: str = ""
    ) -> tuple[Payload, Fault]:
        """The answer to a call and the fault that its delivery is to show; the fault of an `outage` goes first.

        Raises Refused for a call that is not answered, ClientLeft when nobody waits for the answer any more.
        """
        fault = self.due_fault(call, outage or fault_text(fault_header, body))
        is_stream = body.get("stream") is True
        if body.get("background") is True and not fault.replaces_answer:
            return self._begin(call, body, fault, connection), fault
        created_at = int(time.time())
        if connection.wait(HANG_SECONDS if fault.hang else fault.delay) or fault.hang:
            raise ClientLeft
        if fault.replaces_answer:
            return error_payload(fault), fault
        response = self._at_once(call, body, fault, created_at=created_at)
        return answer_payload(response, fault=fault, is_stream=is_stream), fault

    def forget(self) -> None:
        """Forget what calls came, and begin counting faults anew."""
        self.log.clear()
        self._fault_calls.clear()

    def _at_once(self, call: Call, body: Mapping[str, Any], fault: Fault, *, created_at: int) -> dict[str, Any]:
        """The whole Response, kept by its id unless the call wants it otherwise."""
        check_body(body)
        response = self._respond(call, body, new_response(body, created_at=created_at), fault)
        call.response_id, call.response_status = response["id"], response["status"]
        if body.get("store") is not False and not fault.lost:
            kept = Kept(response, call=call, fault=fault)
            self.kept.add(kept)
            self.kept.settle(kept)
        return response

    def _begin(self, call: Call, body: Mapping[str, Any], fault: Fault, connection: Connection) -> Payload:
        """The queued Response, or its stream, while the work on it goes on."""
        check_body(body)
        response = new_response(body, created_at=int(time.time()))
        kept = Kept(response, call=call, fault=fault)
        if not fault.lost:
            self.kept.add(kept)
        call.response_id, call.background = response["id"], True
        try:
            threading.Thread(target=self._work, args=(kept, body), daemon=True).start()
        except RuntimeError as error:
            call.background = False
            raise Refused("The sandbox can begin no more work.", status=503) from error
        if call.stream and "never" not in fault.stream:
            return live_payload(kept, after=-1, fault=fault, connection=connection)
        return begun_payload(response, fault)

    def _work(self, kept: Kept, body: Mapping[str, Any]) -> None:
        try:
            work(kept, lambda: self._respond(kept.call, body, kept.response, kept.fault))
        finally:
            kept.call.response_status = status_shown(kept)
            self.kept.settle(kept)
            self.end(kept.call)

    def _respond(
        self, call: Call, body: Mapping[str, Any], response: Mapping[str, Any], fault: Fault
    ) -> dict[str, Any]:
        """The Response with its answer, which costs tokens. `body` has been checked."""
        prompt = read_prompt(body)
        media = look_at_all(prompt.media, settings=self.settings)
        if fault.media == "strict":
            refuse_unseen(media)
        answer = write_answer(body, prompt, media)
        whole = answered(response, answer=answer, prompt=prompt, media=media, completed_at=int(time.time()))
        call.total_tokens = whole["usage"]["total_tokens"]
        self.limiter.spend(whole["usage"]["total_tokens"])
        return whole
