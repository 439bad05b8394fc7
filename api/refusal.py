"""A refusal: an answer of 4xx or 5xx, and those that several doors give."""

from __future__ import annotations

import math
from collections.abc import Mapping

from schemas.error import error_body


class Refusal(Exception):
    """An answer of 4xx or 5xx; `param` names what is at fault."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = error_body(message, type=type, param=param, code=code)
        self.headers = dict(headers or {})


def unauthorized() -> Refusal:
    """One answer for an absent, unknown and revoked key alike."""
    message = "A valid API key is required: Authorization: Bearer rsp_…"
    return Refusal(
        401, message, type="authentication_error", code="invalid_api_key", headers={"WWW-Authenticate": "Bearer"}
    )


def too_many_wrong_keys(seconds: float) -> Refusal:
    """Instead of a 401. `seconds` is when another one would be told."""
    message = "Too many invalid keys came from this address; try again later, or use a valid one now."
    headers = {"Retry-After": str(math.ceil(seconds)), "x-should-retry": "false"}
    return Refusal(429, message, type="rate_limit_error", code="too_many_invalid_keys", headers=headers)


def metrics_token_required() -> Refusal:
    message = "The token of RESPOOL_METRICS_TOKEN is required: Authorization: Bearer …"
    return Refusal(
        401, message, type="authentication_error", code="invalid_metrics_token", headers={"WWW-Authenticate": "Bearer"}
    )


def admin_key_required() -> Refusal:
    message = "Only an admin key may do this; `respool keys create --admin` makes one."
    return Refusal(403, message, type="permission_error", code="admin_key_required")


def job_not_found(job_id: str) -> Refusal:
    return Refusal(404, f"Job with id '{job_id[:64]}' not found.", param="job_id", code="job_not_found")


def response_not_found(response_id: str) -> Refusal:
    message = f"Response with id '{response_id[:64]}' not found."
    return Refusal(404, message, param="response_id", code="response_not_found")


def batch_not_found(batch_id: str) -> Refusal:
    return Refusal(404, f"No such batch: {batch_id[:64]}", param="batch_id", code="batch_not_found")


def model_not_found(name: str) -> Refusal:
    message = f"The model '{name[:200]}' does not exist here; GET /v1/models lists those that do."
    return Refusal(404, message, param="model", code="model_not_found")


def lane_not_found(name: str) -> Refusal:
    message = f"Lane '{name[:200]}' not found; a lane is ACCOUNT:MODEL."
    return Refusal(404, message, param="lane", code="lane_not_found")


def endpoint_not_found(endpoint_id: str) -> Refusal:
    message = f"Webhook endpoint with id '{endpoint_id[:64]}' not found."
    return Refusal(404, message, param="endpoint_id", code="webhook_endpoint_not_found")


def delivery_not_found(delivery_id: str) -> Refusal:
    message = f"Webhook delivery with id '{delivery_id[:64]}' not found."
    return Refusal(404, message, param="delivery_id", code="webhook_delivery_not_found")


def project_not_found(name: str) -> Refusal:
    return Refusal(404, f"Project '{name[:64]}' not found.", param="project", code="project_not_found")
