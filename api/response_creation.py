"""Creating a response: its job is accepted, and then answered for as the caller asks."""

from __future__ import annotations

import time

from flask import Response, g, jsonify

from api import response_view
from api.known_response import known
from api.links import response_url
from api.poll_header import poll_headers
from api.rate_headers import rate_headers
from api.refusal import Refusal
from api.response_stream import stream_response
from api.response_wait import forget_answered, waited_for
from api.services import services
from api.submission import Submission, submit
from jobs.asked import Asked
from jobs.record import RESPONSE_PREFIX, Job
from jobs.waiting import Waiting

UNSTORABLE = "store: must not be false where background is true: a response in the background is fetched by its id"


def created(asked: Asked) -> Response:
    """Raises Refusal, StoreError, ValidationError."""
    if asked.request["background"] and not asked.stored:
        raise Refusal(400, UNSTORABLE, param="store", code="invalid_value")
    submission = submit(asked)
    submitted = submission.submitted
    response_id = RESPONSE_PREFIX + submitted.number
    g.accepted = {"x-respool-response-id": response_id, **rate_headers(submitted.headroom)}
    with known(response_id):
        answer = _answered(submission, asked)
    answer.headers["Location"] = response_url(response_id)
    if not submitted.created:
        answer.headers["Idempotent-Replayed"] = "true"
    return answer


def tell_accepted(answer: Response) -> Response:
    """Whatever is answered once a response is accepted, a refusal too, tells its id and what the limits left then."""
    answer.headers.update(g.get("accepted", {}))
    return answer


def shown(job: Job) -> Response:
    """The job's response as it stands. Raises StoreUnavailable."""
    return _shown(job, services().waiting.of([job])[job.number])


def _shown(job: Job, waiting: Waiting) -> Response:
    answer = jsonify(response_view.dump_waiting(job, waiting))
    answer.headers.update(poll_headers(job, waiting, now=time.time()))
    return answer


def _answered(submission: Submission, asked: Asked) -> Response:
    number = submission.submitted.number
    if asked.request.get("stream"):
        if not asked.stored:
            forget_answered(number)
        return stream_response(number, after=None)
    if asked.request["background"]:
        return _shown(*submission.job())
    return shown(waited_for(number, stored=asked.stored))
