"""The page of webhooks: endpoints, what became of each delivery, and replays."""

from __future__ import annotations

import logging
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from marshmallow import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from api import webhook_view
from api.auth import caller, scope
from api.console import live
from api.console.frames import answer_with
from api.console.notes import note
from api.refusal import Refusal, delivery_not_found, endpoint_not_found
from api.services import services
from api.webhook_body import url_of
from jobs.record import number_of
from jobs.webhooks.delivery_record import DELIVERY_PREFIX
from jobs.webhooks.endpoint_record import EndpointChange, is_endpoint_id
from schemas.delivery import STATUSES
from schemas.error import flatten
from schemas.event import ENDPOINT_EVENTS
from schemas.webhook_endpoint import WebhookEndpointCreateSchema

PAGE_DELIVERIES = 25
DAY_SECONDS = 86400
TEST_TYPE = "response.completed"
log = logging.getLogger(__name__)


def register(views: Blueprint) -> None:
    @views.get("/console/webhooks")
    def webhooks() -> str:
        return _page()

    @views.get("/console/live/webhooks")
    def webhooks_live() -> Response:
        return answer_with(live.followed(_parts))

    @views.post("/console/webhooks")
    def create_endpoint() -> str | tuple[str, int]:
        """The answer is the page itself: it shows the secret, which no other page does."""
        typed = {"url": request.form.get("url", "").strip(), "description": request.form.get("description", "").strip()}
        asked: dict[str, Any] = dict(typed)
        if chosen := request.form.getlist("events"):
            asked["events"] = chosen
        try:
            body = WebhookEndpointCreateSchema().load(asked)
            secret, endpoint = services().webhook_endpoints.create(
                caller().project,
                url=url_of(body["url"]),
                events=body.get("events"),
                description=body.get("description", ""),
            )
        except ValidationError as error:
            mistakes = [(mistake.path, mistake.message) for mistake in flatten(error.messages)]
            return _page(typed=typed, mistakes=mistakes), 400
        log.info("webhook endpoint %s of project %s made by %s", endpoint.id, endpoint.project, caller().id)
        return _page(made=endpoint.id, secret=secret)

    @views.post("/console/webhooks/<endpoint_id>/<do>")
    def steer_endpoint(endpoint_id: str, do: str) -> AnyResponse:
        if not is_endpoint_id(endpoint_id):
            raise endpoint_not_found(endpoint_id)
        note(_steered(endpoint_id, do))
        return redirect(url_for("console.webhooks"), 303)

    @views.post("/console/deliveries/<delivery_id>/replay")
    def replay_delivery(delivery_id: str) -> AnyResponse:
        number = number_of(delivery_id, DELIVERY_PREFIX)
        if number is None:
            raise delivery_not_found(delivery_id)
        delivery = services().webhook_replays.replay(number, project=scope())
        log.info("delivery %s replayed by %s", delivery.id, caller().id)
        note("The webhook is sent once more.")
        if request.form.get("back") == "job" and delivery.job:
            return redirect(url_for("console.job", job_id=f"job_{delivery.job}"), 303)
        return redirect(url_for("console.webhooks"), 303)

    @views.post("/console/deliveries/replay")
    def replay_failed() -> AnyResponse:
        since = services().series.now() - DAY_SECONDS
        replayed, more = services().webhook_replays.replay_failed(scope(), since=since, endpoint=None)
        log.info("%d deliveries of the last day replayed by %s", replayed, caller().id)
        note(f"{replayed} webhooks are sent once more." + (" There are others; do it again." if more else ""))
        return redirect(url_for("console.webhooks"), 303)


def _steered(endpoint_id: str, do: str) -> str:
    """What was done, in words. Raises Refusal, EndpointNotFound, EndpointDisabled, StoreUnavailable."""
    endpoints, own = services().webhook_endpoints, scope()
    match do:
        case "enable" | "disable":
            endpoints.change(endpoint_id, EndpointChange(status=f"{do}d"), project=own)
            done = f"The endpoint is {do}d."
        case "test":
            endpoints.test(endpoint_id, project=own, type=TEST_TYPE)
            done = "A test event is on its way; it stands among the deliveries."
        case "delete":
            endpoints.delete(endpoint_id, project=own)
            done = "The endpoint is forgotten."
        case _:
            raise Refusal(404, "There is no such page.", code="not_found")
    log.info("webhook endpoint %s: %s by %s", endpoint_id, do, caller().id)
    return done


def _page(**told: Any) -> str:
    plain: dict[str, Any] = {"typed": {}, "mistakes": [], **dict.fromkeys(("made", "secret"))}
    return render_template(
        "console/webhooks.html",
        parts=_parts(),
        status=_status(),
        first="after" not in request.args,
        statuses=(*STATUSES, "dead"),
        events=ENDPOINT_EVENTS,
        **(plain | told),
    )


def _status() -> str | None:
    asked = request.args.get("status")
    return asked if asked in (*STATUSES, "dead") else None


def _parts() -> dict[str, str]:
    after = number_of(request.args.get("after", ""), DELIVERY_PREFIX)
    page = services().webhook_deliveries.page(
        scope(), endpoint=None, status=_status(), limit=PAGE_DELIVERIES, after=after
    )
    following = DELIVERY_PREFIX + page.last if page.has_more and page.last else None
    endpoints = [webhook_view.dump_endpoint(endpoint) for endpoint in services().webhook_endpoints.all(scope())]
    deliveries = webhook_view.dump_deliveries(page.deliveries)
    return {
        "endpoints": render_template("console/parts/endpoints.html", endpoints=endpoints),
        "deliveries": render_template(
            "console/parts/deliveries.html", deliveries=deliveries, following=following, status=_status()
        ),
    }
