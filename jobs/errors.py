"""What can go wrong in the store; the rooms above translate these at their doors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from schemas.error import FieldError, error_body, mistakes_body

if TYPE_CHECKING:
    from jobs.headroom import Headroom


class SettingsError(ValueError):
    """A setting or the limits file is wrong; the process must not start."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name = name


class StoreError(Exception):
    """Root of the store's errors."""


class StoreUnavailable(StoreError):
    """Redis is away, loading, read-only or out of memory. The same call may succeed later."""


class DurabilityUnconfirmed(StoreUnavailable):
    """The job was written, but the promised durability was not confirmed in time."""


class RequestRefused(StoreError):
    """The request cannot become a job; its caller is told `status` and `body`, the protocol's error object."""

    status = 400

    def __init__(self, message: str, *, param: str, code: str) -> None:
        super().__init__(message)
        self.body = error_body(message, type="invalid_request_error", param=param, code=code)


class RequestTooLarge(RequestRefused):
    status = 413


class RequestMistaken(RequestRefused):
    """It has these mistakes, at least one."""

    def __init__(self, mistakes: Sequence[FieldError]) -> None:
        super().__init__(mistakes[0].message, param=mistakes[0].path, code="invalid_value")
        self.body = mistakes_body(mistakes, code="invalid_value")


class QueueFull(StoreError):
    """The waiting jobs already hold as many bytes as they may."""


class OverLimit(StoreError):
    """The project may not submit this now. `limit` names which of its limits is in the way, `bound` what that is.

    `headroom` is what it may still take; `retry_after_seconds` None: never, since this alone is more than the limit.
    """

    def __init__(self, limit: str, bound: str, *, retry_after_seconds: float | None, headroom: Headroom) -> None:
        super().__init__(f"{limit} is {bound}")
        self.limit = limit
        self.bound = bound
        self.retry_after_seconds = retry_after_seconds
        self.headroom = headroom


class JobNotFound(StoreError):
    """No such job in this project."""


class JobNotEnded(StoreError):
    """The job is still queued or in progress, so it cannot be deleted."""


class JobNotFailed(StoreError):
    """Only a failed job can be tried again; the text is the status of this one."""


class CursorNotFound(StoreError):
    """A list was asked to go on after something that does not exist."""


class IdempotencyConflict(StoreError):
    """The Idempotency-Key was already used with another body, for the job `job_id`."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"the key belongs to {job_id}")
        self.job_id = job_id


class IdempotencyGone(StoreError):
    """The Idempotency-Key was already used, for the job `job_id`, which is no longer kept."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"the key belonged to {job_id}")
        self.job_id = job_id


class KeyNotFound(StoreError):
    """No such API key."""


class ProjectNotFound(StoreError):
    """No such project."""


class LaneNotFound(StoreError):
    """No lane can have this name: none of the accounts has such a model, or no account is called so."""


class EndpointNotFound(StoreError):
    """No such webhook endpoint in this project."""


class EndpointDisabled(StoreError):
    """The webhook endpoint is disabled, so nothing is delivered to it."""


class EndpointDeleted(StoreError):
    """The webhook endpoint that the delivery was owed to is deleted."""


class TooManyEndpoints(StoreError):
    """The project has as many webhook endpoints as it may; the text is how many that are."""


class DeliveryNotFound(StoreError):
    """No such delivery in this project."""


class DeliveryOpen(StoreError):
    """The delivery has not ended, so it cannot be replayed; the text is its status."""


class CursorExpired(StoreError):
    """The feed no longer holds all that came after this cursor."""


class CursorMalformed(StoreError):
    """This is no cursor of the feed."""


class Unsealable(StoreError):
    """What the vault was given cannot be opened with this service's secret."""


class TooManySecrets(StoreError):
    """As many secrets as may sign at a time (the text is how many) do so; one stops in `retry_after_seconds`."""

    def __init__(self, most: int, *, retry_after_seconds: float) -> None:
        super().__init__(str(most))
        self.retry_after_seconds = retry_after_seconds


class FileNotFound(StoreError):
    """No such file in this project, or its bytes are lost; the text is its id."""


class FileTooLarge(StoreError):
    """A file is larger than any may be; the text is how many bytes that are."""


class FilesFull(StoreError):
    """The files of the project take as many bytes as they may (the text), or would with this one."""


class TooManyFiles(StoreError):
    """The project has as many files as it may; the text is how many that are."""


class RecordTooNew(StoreUnavailable):
    """A newer release wrote the record of the job `job_id`, in a form that this one does not know."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"the record of {job_id} is of a newer release")
        self.job_id = job_id


class FolderUnavailable(StoreUnavailable):
    """The disk that holds the files cannot be used. The same call may succeed later."""


class FileInUse(StoreError):
    """A batch that has not ended reads the file, so it cannot be deleted; the text is the file's id."""


class BatchNotFound(StoreError):
    """No such batch in this project; the text is its id."""


class BatchNotEnded(StoreError):
    """The batch has not ended, so this cannot be done yet; the text is its status."""


class TooManyBatches(StoreError):
    """The project has made as many batches in the last hour as it may; the text is how many that are."""


class BatchLost(StoreError):
    """The batch is no longer this runner's, or no longer in the status that it had."""
