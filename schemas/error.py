"""The body of every refusal."""

from collections.abc import Sequence

from schemas.base import Base
from schemas.fields import List, Object, String
from schemas.mistakes import FieldError, flatten

__all__ = [
    "ErrorSchema",
    "FieldError",
    "InvalidJson",
    "error_body",
    "flatten",
    "mistakes_body",
]


class InvalidJson(Exception):
    """The bytes are no JSON text that is taken here.

    `message` says what is wrong and, where it is known, at which place; `param` is the path of the value
    at fault or None.
    """

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


def error_body(
    message: str,
    *,
    type: str,
    param: str | None = None,
    code: str | None = None,
    errors: Sequence[FieldError] | None = None,
) -> dict[str, object]:
    """The protocol's error object; several `errors` stand beside it, each as {message, param, code}."""
    body: dict[str, object] = {"error": {"message": message, "type": type, "param": param, "code": code}}
    if errors and len(errors) > 1:
        body["errors"] = [{"message": e.message, "param": e.path or None, "code": code} for e in errors]
    return body


def mistakes_body(errors: Sequence[FieldError], *, code: str | None = None) -> dict[str, object]:
    """The body of a 400 that tells all mistakes, at least one; the first is also the error's own message."""
    first = errors[0]
    place = f"{first.path}: " if first.path else ""
    more = f" (and {len(errors) - 1} more, see errors)" if len(errors) > 1 else ""
    return error_body(
        f"{place}{first.message}{more}",
        type="invalid_request_error",
        param=first.path or None,
        code=code,
        errors=errors,
    )


class MistakeSchema(Base):
    message = String(required=True)
    param = String(required=True, allow_none=True, metadata={"description": "Where, such as input[0].content[1].fps."})
    code = String(required=True, allow_none=True)


class ProblemSchema(MistakeSchema):
    type = String(required=True)


class ErrorSchema(Base):
    """A refusal; `errors` is there if there are several mistakes."""

    error = Object(ProblemSchema, required=True)
    errors = List(Object(MistakeSchema))
