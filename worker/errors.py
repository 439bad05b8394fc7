"""What can happen to a call before there is an answer to judge."""

from __future__ import annotations


class CallError(Exception):
    """No whole answer came. `sent` tells whether the request may have reached the upstream; `code` names the cause."""

    code = "connection_error"

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class Unreachable(CallError):
    """No connection came about, so nothing was sent."""

    code = "upstream_unreachable"


class FileGone(CallError):
    """The request names a file that there is no more, so nothing was sent, and nothing can be."""

    code = "file_not_found"


class FilesAway(CallError):
    """The files that the request names cannot be read at present, so nothing was sent."""

    code = "files_unavailable"


class Cut(CallError):
    """The connection ended before the answer did."""

    code = "connection_cut"


class Stalled(CallError):
    """Nothing came for longer than the read timeout."""

    code = "upstream_timeout"


class TooLarge(CallError):
    """The answer is larger than it may be."""

    code = "upstream_answer_too_large"


class BrokenAnswer(CallError):
    """What came is no answer of the protocol."""

    code = "upstream_answer_invalid"


class UpstreamLost(CallError):
    """The upstream no longer knows the response that it had begun."""

    code = "upstream_lost"


class HungUp(CallError):
    """We ended the call ourselves: it was cancelled, ran out of time, or the worker stops. `why` says which;
    `goes_on`: the upstream works on, for another attempt to ask after.
    """

    code = "hung_up"

    def __init__(self, why: str, *, sent: bool, goes_on: bool = False) -> None:
        super().__init__(why, sent=sent)
        self.why = why
        self.goes_on = goes_on
