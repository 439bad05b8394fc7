"""What this service says of a Response beside the protocol: its `respool`."""

from schemas.attempt import AttemptSchema, moment
from schemas.base import Open
from schemas.estimate import EtaSchema, ahead, amount, place
from schemas.fields import Integer, List, Object, String
from schemas.job import JobErrorSchema
from schemas.response_document import ResponseSchema
from schemas.webhook import WebhookSchema


class RespoolSchema(Open):
    """The job behind a Response; what the protocol has no word for stands here, too, as `request` and `upstream`."""

    job_id = String(required=True)
    project = String(required=True)
    waiting_reason = String(required=True, allow_none=True)
    position = place()
    jobs_ahead = ahead()
    eta = Object(EtaSchema, required=True, allow_none=True)
    priority = Integer(required=True)
    account = String(required=True, allow_none=True)
    attempts = List(Object(AttemptSchema), required=True)
    attempts_spent = Integer(required=True)
    max_attempts = Integer(required=True)
    started_at = moment(required=True, allow_none=True)
    finished_at = moment(required=True, allow_none=True)
    expires_at = moment(required=True, allow_none=True)
    estimated_tokens = Integer(required=True)
    cost = amount()
    currency = String(required=True)
    error = Object(JobErrorSchema, required=True, allow_none=True)
    webhook = Object(WebhookSchema, required=True, allow_none=True)


class OwnResponseSchema(ResponseSchema):
    """A Response as /v1/responses hands it out."""

    respool = Object(RespoolSchema, required=True)
