"""The work on a background response, and how faults show in it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sandbox.delivery import HANG_SECONDS
from sandbox.errors import Refused
from sandbox.events import events
from sandbox.faults import Fault
from sandbox.kept import Kept
from sandbox.payload import Payload, answer_payload, misshapen_end
from sandbox.shapes import failed, misshape

_RESULT_WAYS = {"float_times", "int_codes"}


def work(kept: Kept, respond: Callable[[], dict[str, Any]]) -> None:
    """Bring the response to its end: queued, in progress, then what `respond` makes or why it cannot.

    The faults `queued`, `delay` and `hang` hold here, and `pace` where it is streamed; `kept.cancel` ends each of these
    at once.
    """
    created, begun, *_ = events(kept.response)
    try:
        kept.tell({**created, "response": kept.response})
        if kept.wait(kept.fault.queued):
            return
        kept.begin()
        kept.tell(begun)
        if not kept.wait(HANG_SECONDS if kept.fault.hang else kept.fault.delay):
            response = respond()
            _tell_items(kept, response)
            kept.end(response)
    except Refused as refusal:
        error = refusal.body()["error"]
        kept.end(failed(kept.response, code=error["code"], message=error["message"]))
    finally:
        # Heeded only where `respond` broke, which must not leave it running for ever.
        kept.end(failed(kept.response, code="server_error", message="The sandbox itself failed."))
        if kept.response["status"] != "cancelled":
            *_, end = events(kept.response)
            kept.tell(misshapen_end([end], _result_fault(kept))[0])
        kept.end_telling()


def _tell_items(kept: Kept, response: dict[str, Any]) -> None:
    """All events between the first two and the last, at the pace that was asked for; none once it is cancelled."""
    _, _, *told, _ = events(response)
    kept.tell_half(len(told) // 2 + 2)
    for event in told if kept.call.stream else ():
        if kept.wait(kept.fault.pace):
            return
        kept.tell(event)


def begun_payload(response: dict[str, Any], fault: Fault) -> Payload:
    """The answer to the call that began it, with the faults of its bytes; its shape is for the result."""
    return answer_payload(response, fault=replace(fault, shape=None, stream=_ways(fault)), is_stream=False)


def found_payload(kept: Kept) -> Payload:
    """The answer to a GET by id. The result of background work has the shape that its fault asks for."""
    return answer_payload(kept.response, fault=_result_fault(kept), is_stream=False)


def _result_fault(kept: Kept) -> Fault:
    fault = Fault(stream=_ways(kept.fault))
    if _is_result(kept):
        fault = replace(fault, shape=kept.fault.shape, code=kept.fault.code, message=kept.fault.message)
    return fault


def status_shown(kept: Kept) -> str:
    """The status that a GET tells, or would tell if its shape had one."""
    shown = misshape(kept.response, kept.fault.shape) if _is_result(kept) else kept.response
    status = shown.get("status") if isinstance(shown, dict) else None
    return status if isinstance(status, str) else str(kept.response["status"])


def _is_result(kept: Kept) -> bool:
    return kept.call.background and kept.response["status"] in ("completed", "incomplete")


def _ways(fault: Fault) -> frozenset[str]:
    return fault.stream & _RESULT_WAYS
