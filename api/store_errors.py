"""The store's errors as answers."""

from __future__ import annotations

import math

from api.file_errors import file_refusal_of
from api.rate_headers import duration, rate_headers, retry_headers
from api.refusal import (
    Refusal,
    delivery_not_found,
    endpoint_not_found,
    job_not_found,
    lane_not_found,
    project_not_found,
)
from jobs import errors as store


def refusal_of(error: store.StoreError) -> Refusal:
    """What the caller is told; an error that no caller can cause is raised again."""
    match error:
        case store.StoreUnavailable():
            return _unavailable(error)
        case store.RequestRefused():
            refusal = Refusal(error.status, str(error))
            refusal.body = error.body
            return refusal
        case store.OverLimit() | store.QueueFull():
            return _full(error)
        case store.IdempotencyConflict() | store.IdempotencyGone():
            return _key_used(error)
        case store.JobNotFound():
            return job_not_found(f"job_{error}")
        case store.LaneNotFound():
            return lane_not_found(str(error))
        case store.ProjectNotFound():
            return project_not_found(str(error))
        case store.JobNotEnded():
            return Refusal(
                400,
                "The job has not ended; cancel it first. Of one that was cancelled, the call is still hung up.",
                param="job_id",
                code="job_not_ended",
            )
        case store.JobNotFailed():
            message = f"Only a job that failed can be retried; this one is {error}."
            return Refusal(400, message, param="job_id", code="job_not_failed")
        case store.CursorNotFound():
            return Refusal(400, "There is nothing with this id to go on after.", param="after", code="invalid_value")
        case _:
            return _webhook_refusal_of(error)


def _webhook_refusal_of(error: store.StoreError) -> Refusal:
    match error:
        case store.EndpointNotFound():
            return endpoint_not_found(str(error))
        case store.DeliveryNotFound():
            return delivery_not_found(f"dlv_{error}")
        case store.EndpointDisabled():
            message = "The webhook endpoint is disabled; enable it first: PATCH its status."
            return Refusal(400, message, param="endpoint_id", code="endpoint_disabled")
        case store.EndpointDeleted():
            message = "The webhook endpoint that this was owed to is deleted."
            return Refusal(400, message, param="endpoint_id", code="endpoint_deleted")
        case store.TooManyEndpoints():
            message = f"A project may have {error} webhook endpoints, and this one has them; delete one first."
            return Refusal(400, message, code="too_many_endpoints")
        case store.DeliveryOpen():
            message = f"The delivery has not ended, it is {error}; only one that has can be replayed."
            return Refusal(400, message, param="delivery_id", code="delivery_open")
        case store.TooManySecrets():
            wait = duration(max(1, math.ceil(error.retry_after_seconds)))
            message = f"{error} secrets sign at present, as many as may; the oldest of them stops in {wait}."
            headers = retry_headers(error.retry_after_seconds)
            return Refusal(429, message, type="rate_limit_error", code="too_many_secrets", headers=headers)
        case store.CursorExpired():
            message = (
                "The feed no longer holds all that came after this cursor, so events may have been missed; "
                "start again without `after`, or look at the jobs themselves."
            )
            return Refusal(410, message, param="after", code="cursor_expired")
        case store.CursorMalformed():
            return Refusal(400, "This is no cursor of the feed.", param="after", code="invalid_value")
        case _:
            return file_refusal_of(error)


def _unavailable(error: store.StoreUnavailable) -> Refusal:
    message, code = "The store cannot be reached at present.", "store_unavailable"
    if isinstance(error, store.DurabilityUnconfirmed):
        message = "The job could not be confirmed durable in time; the same Idempotency-Key is safe to send again."
        code = "durability_unconfirmed"
    if isinstance(error, store.RecordTooNew):
        message = f"A newer release wrote the record of {error.job_id}; this one does not know its form."
        code = "record_too_new"
    if isinstance(error, store.FolderUnavailable):
        message, code = "The files cannot be reached at present.", "files_unavailable"
    return Refusal(503, message, type="server_error", code=code, headers={"Retry-After": "1"})


def _full(error: store.OverLimit | store.QueueFull) -> Refusal:
    if isinstance(error, store.QueueFull):
        message = f"The queued jobs already hold as many bytes as they may (RESPOOL_MAX_QUEUED_BYTES = {error})."
        headers = {"Retry-After": "30", "x-should-retry": "false"}
        return Refusal(429, message, type="rate_limit_error", code="queue_full", headers=headers)
    if error.retry_after_seconds is None:
        message = f"This alone is estimated to take more than the project's {error.limit} of {error.bound}."
        headers = {"x-should-retry": "false"} | rate_headers(error.headroom)
        return Refusal(429, message, type="rate_limit_error", code=error.limit, headers=headers)
    wait = duration(max(1, math.ceil(error.retry_after_seconds)))
    message = f"This would take the project beyond its {error.limit} of {error.bound}; try again in {wait}."
    headers = retry_headers(error.retry_after_seconds) | rate_headers(error.headroom)
    return Refusal(429, message, type="rate_limit_error", code=error.limit, headers=headers)


def _key_used(error: store.IdempotencyConflict | store.IdempotencyGone) -> Refusal:
    how, code = f"with another body, for {error.job_id}", "idempotency_key_reused"
    if isinstance(error, store.IdempotencyGone):
        how, code = f"for {error.job_id}, which is no longer kept", "idempotency_job_gone"
    return Refusal(422, f"The Idempotency-Key was already used {how}.", param="Idempotency-Key", code=code)
