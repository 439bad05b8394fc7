"""/v1/jobs: submit, poll, list, cancel, retry, delete."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request
from flask_smorest import Blueprint

from api import job_view, webhook_view
from api.auth import authenticate, scope
from api.forecast import forecast
from api.job_filter import METADATA, wanted
from api.job_wait import awaited
from api.links import job_url
from api.openapi import StrictBlueprint
from api.prefer import wait_seconds
from api.queries import JobListQuery, RawQuery, SubmitQuery
from api.rate_headers import rate_headers
from api.refusal import job_not_found
from api.services import services
from api.submission import idempotency_key, submit
from jobs.asked import of_job
from jobs.errors import CursorNotFound
from jobs.record import JOB_PREFIX, number_of
from schemas.delivery import JobDeliveryListSchema
from schemas.error import ErrorSchema
from schemas.estimate import JobEstimateSchema
from schemas.job import JobCreateSchema, JobListSchema, JobSchema, PolledJobSchema

EXAMPLE_WEBHOOK = "whsec_bm90IGEgc2VjcmV0LCBvbmx5IGFuIGV4YW1wbGU="
EXAMPLE = {
    "request": {
        "model": "doubao-seed-1-6-vision-250815",
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_video", "video_url": "https://example.com/holiday.mp4", "fps": 1},
                    {"type": "input_text", "text": "What happens in this film?"},
                ],
            }
        ],
    },
    "metadata": {"customer": "42"},
    "webhook": {"url": "https://example.com/hooks/respool", "secret": EXAMPLE_WEBHOOK},
}


def header(name: str, description: str) -> dict[str, Any]:
    return {"in": "header", "name": name, "description": description, "schema": {"type": "string"}}


IDEMPOTENCY_KEY = header("Idempotency-Key", "Submits with one key and one body are one job, for 24 hours at least.")
PREFER = header("Prefer", "`wait=N` holds the answer until the job ends or N seconds pass, 60 at most.")


def make_blueprint(asked: JobCreateSchema) -> Blueprint:
    views = StrictBlueprint("jobs", __name__, url_prefix="/v1/jobs", description="Durable background jobs")
    views.before_request(authenticate)
    over_limit = views.alt_response(429, schema=ErrorSchema, description="A limit of the project or the service.")

    @views.route("", methods=["POST"])
    @views.arguments(SubmitQuery, location="query")
    @views.arguments(asked, example=EXAMPLE)
    @views.response(202, JobSchema, headers={"Location": {"schema": {"type": "string"}}})
    @views.alt_response(200, schema=JobEstimateSchema, description="With `dry_run`.")
    @views.alt_response(422, schema=ErrorSchema, description="The Idempotency-Key belongs to another body.")
    @over_limit
    @views.doc(parameters=[IDEMPOTENCY_KEY])
    def create(query: dict[str, Any], body: dict[str, Any]) -> Response:
        """Submit a job; the answer comes once it is durable."""
        if query["dry_run"]:
            return jsonify(forecast(of_job(body)))
        submission = submit(of_job(body))
        job, waiting = submission.job()
        answer = jsonify(job_view.dump_as(job, waiting))
        answer.status_code = 202
        answer.headers["Location"] = job_url(job)
        answer.headers.update(rate_headers(submission.submitted.headroom))
        if not submission.submitted.created:
            answer.headers["Idempotent-Replayed"] = "true"
        return answer

    @views.route("", methods=["GET"])
    @views.arguments(JobListQuery, location="query")
    @views.response(200, JobListSchema)
    @views.doc(parameters=[METADATA])
    def index(query: dict[str, Any]) -> Response:
        """List jobs, newest first."""
        after = _cursor(query["after"]) if "after" in query else None
        page = services().listing.page(project=scope(), wanted=wanted(query), limit=query["limit"], after=after)
        ids = [job.id for job in page.jobs]
        return jsonify(
            object="list",
            data=job_view.dump_all(page.jobs),
            first_id=ids[0] if ids else None,
            last_id=JOB_PREFIX + page.last if page.last else None,
            has_more=page.has_more,
            left_out=[JOB_PREFIX + number for number in page.left_out],
        )

    @views.route("/<job_id>", methods=["GET"])
    @views.arguments(RawQuery, location="query")
    @views.response(200, PolledJobSchema)
    @views.doc(parameters=[PREFER])
    def show(query: dict[str, Any], job_id: str) -> Response:
        """Poll a job, or wait for its end."""
        number, seconds = _number(job_id), wait_seconds(request.headers.get("Prefer"))
        job = awaited(number, project=scope(), seconds=seconds)
        raw = services().store.raw_response(number) if query["raw"] else None
        answer = jsonify(job_view.dump(job, raw=raw))
        if seconds:
            answer.headers["Preference-Applied"] = f"wait={seconds:g}"
        return answer

    @views.route("/<job_id>/cancel", methods=["POST"])
    @views.response(200, JobSchema)
    def cancel(job_id: str) -> Response:
        """Cancel a job; one that has ended stays as it is."""
        return jsonify(job_view.dump(services().store.cancel(_number(job_id), project=scope())))

    @views.route("/<job_id>/retry", methods=["POST"])
    @views.response(202, JobSchema)
    @over_limit
    def retry(job_id: str) -> Response:
        """Queue a job that failed once more, with attempts as many as at first."""
        number = _number(job_id)
        headroom = services().store.retry(number, project=scope(), key=idempotency_key())
        answer = jsonify(job_view.dump(services().store.get(number, project=scope())))
        answer.status_code = 202
        answer.headers.update(rate_headers(headroom))
        return answer

    @views.route("/<job_id>/deliveries", methods=["GET"])
    @views.response(200, JobDeliveryListSchema)
    def deliveries(job_id: str) -> Response:
        """List the deliveries of the job's events, newest first."""
        found = services().webhook_deliveries.of_job(_number(job_id), project=scope())
        return jsonify(object="list", data=webhook_view.dump_deliveries(found))

    @views.route("/<job_id>", methods=["DELETE"])
    @views.response(200)
    def delete(job_id: str) -> Response:
        """Forget a job that has ended."""
        services().store.delete(_number(job_id), project=scope())
        return jsonify(id=job_id, object="job", deleted=True)

    return views


def _number(job_id: str) -> str:
    number = number_of(job_id, JOB_PREFIX)
    if number is None:
        raise job_not_found(job_id)
    return number


def _cursor(job_id: str) -> str:
    number = number_of(job_id, JOB_PREFIX)
    if number is None:
        raise CursorNotFound(job_id)
    return number
