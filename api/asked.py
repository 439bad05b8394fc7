"""What a caller asks for, by whichever door: the request, and what is wanted of this service besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import ValidationError

from api.conversation import with_earlier_turns
from api.webhook_body import webhook_of
from jobs.record import RESPONSE_PREFIX, number_of
from jobs.webhooks.target import Webhook

_no_options = ("request", "metadata")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`request` is shown again, `whole` is it with the turns before it and goes upstream; `options` are as
    RespoolOptionsSchema has them and stand at `place` of `body`, which tells one submit from another.

    What is not `stored` goes once it has been answered.
    """

    body: Mapping[str, Any]
    request: Mapping[str, Any]
    whole: Mapping[str, Any]
    options: Mapping[str, Any]
    metadata: Mapping[str, str]
    place: Sequence[str] = ()
    stored: bool = True

    def webhook(self) -> Webhook | None:
        """Where the job's events go. Raises ValidationError, StoreUnavailable."""
        try:
            return webhook_of(self.options)
        except ValidationError as error:
            messages: Any = error.messages
            for name in reversed(self.place):
                messages = {name: messages}
            raise ValidationError(messages) from error


def of_job(body: Mapping[str, Any]) -> Asked:
    """From a body that is valid by JobCreateSchema. What stands beside the request goes before its own `respool`.

    An id of another's in `previous_response_id` is left to the endpoint. Raises Refusal, StoreUnavailable.
    """
    request, beside = body["request"], {name: value for name, value in body.items() if name not in _no_options}
    metadata = body.get("metadata") if body.get("metadata") is not None else request.get("metadata")
    ours = number_of(request.get("previous_response_id") or "", RESPONSE_PREFIX) is not None
    return Asked(
        body=body,
        request=request,
        whole=with_earlier_turns(request, param="request.previous_response_id") if ours else request,
        options={**request.get("respool", {}), **beside},
        metadata=metadata or {},
        place=() if "webhook" in beside else ("request", "respool"),
    )


def of_response(body: Mapping[str, Any]) -> Asked:
    """From a body that is valid by CreateResponseSchema. Raises Refusal, StoreUnavailable."""
    request = {**body, "background": bool(body.get("background"))}
    return Asked(
        body=request,
        request=request,
        whole=with_earlier_turns(request, param="previous_response_id"),
        options=request.get("respool", {}),
        metadata=request.get("metadata") or {},
        place=("respool",),
        stored=request.get("store") is not False,
    )
