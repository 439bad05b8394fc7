"""Why the sandbox refuses a call, in the upstream's words."""

from typing import Any

# HTTP status → (code, type): what a caller of the real endpoint would see for it.
_WORDS = {
    400: ("InvalidParameter", "BadRequest"),
    401: ("AuthenticationError", "Unauthorized"),
    403: ("AccessDenied", "Forbidden"),
    404: ("NotFound", "NotFound"),
    405: ("MethodNotAllowed", "MethodNotAllowed"),
    408: ("RequestTimeout", "RequestTimeout"),
    409: ("Conflict", "Conflict"),
    413: ("RequestTooLarge", "RequestTooLarge"),
    429: ("RateLimitExceeded.EndpointRPMExceeded", "TooManyRequests"),
    503: ("ServiceUnavailable", "ServiceUnavailable"),
}


class Refused(Exception):
    """The call is answered with an HTTP error.

    `status`: HTTP status; `code`, `kind`: the upstream's code and type, by default the usual ones of the status;
    `param`: path of the field at fault, such as `input[0].content[1].fps`;
    `retry_after_seconds`: sent as Retry-After where set.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        code: str | None = None,
        kind: str | None = None,
        param: str | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.kind = kind
        self.param = param
        self.retry_after_seconds = retry_after_seconds

    def body(self) -> dict[str, Any]:
        """The error as the upstream shapes it: `{"error": {code, message, param, type}}`."""
        return error_body(self.message, status=self.status, code=self.code, kind=self.kind, param=self.param)


class ClientLeft(Exception):
    """The caller closed the connection before it was answered."""


class Unseen(Exception):
    """A medium could not be reached or not be looked into; the text says why."""


def error_body(
    message: str, *, status: int, code: str | None = None, kind: str | None = None, param: str | None = None
) -> dict[str, Any]:
    """The upstream's error object for an HTTP status; a `code` or `kind` (its type) given wins over the usual one."""
    fallback = ("InternalServiceError", "InternalServerError") if status >= 500 else _WORDS[400]
    usual_code, usual_kind = _WORDS.get(status, fallback)
    return {"error": {"code": code or usual_code, "message": message, "param": param, "type": kind or usual_kind}}
