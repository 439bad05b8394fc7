"""The errors of batches as answers."""

from __future__ import annotations

from api.refusal import Refusal, batch_not_found
from jobs import errors as store

RETRY_SECONDS = 60


def batch_refusal_of(error: store.StoreError) -> Refusal:
    """What the caller is told; an error that no caller can cause is raised again."""
    match error:
        case store.BatchNotFound():
            return batch_not_found(str(error))
        case store.BatchNotEnded():
            message = f"The batch has not ended, it is {error}; what failed can be sent again once it has."
            return Refusal(400, message, param="batch_id", code="batch_not_ended")
        case store.TooManyBatches():
            message = f"A project may make {error} batches an hour, and this one has."
            headers = {"Retry-After": str(RETRY_SECONDS), "x-should-retry": "false"}
            return Refusal(429, message, type="rate_limit_error", code="too_many_batches", headers=headers)
        case store.FileInUse():
            message = f"A batch that has not ended reads {error}; cancel it, or wait for its end."
            return Refusal(400, message, param="id", code="file_in_use")
        case _:
            raise error
