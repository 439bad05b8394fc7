"""The stream of a background response while it is made: to whoever began it, and to whoever asks for it by its id."""

from collections.abc import Iterator

from sandbox.connection import Connection
from sandbox.delivery import HANG_SECONDS
from sandbox.events import DONE
from sandbox.faults import Fault
from sandbox.kept import Kept
from sandbox.payload import STREAM_HEADERS, STREAM_TYPE, Payload, encoder

LOOK_SECONDS = 0.1


def live_payload(kept: Kept, *, after: int, fault: Fault, connection: Connection) -> Payload:
    """The events from behind the one numbered `after`, as they come; `cut=middle` and `stall` hold half-way."""
    return Payload(content_type=STREAM_TYPE, live=_flow(kept, after, fault, connection), headers=STREAM_HEADERS)


def _flow(kept: Kept, after: int, fault: Fault, connection: Connection) -> Iterator[bytes]:
    encode = encoder(kept.fault)
    place = after + 1
    while True:
        if (fault.cut == "middle" or fault.stall) and kept.is_half_told(place):
            if fault.stall:
                connection.wait(HANG_SECONDS)
            connection.cut()
            return
        event = kept.event(place, seconds=LOOK_SECONDS)
        if event is not None:
            yield encode(event)
            place += 1
        elif kept.is_told:
            break
        elif connection.wait(0.001):
            return
    if "no_done" not in kept.fault.stream:
        yield DONE
