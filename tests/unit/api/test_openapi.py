import json
import re
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from flask import Flask
from hypothesis import given, settings
from openai.types.responses import Response
from openresponses_types.types import ResponseResource
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from jobs.closings import End
from schemas import response as whole_response
from tests.factories import MODEL
from tests.fakes.bench import ANSWERED, FAILED, Bench
from tests.fakes.post_office import GONE, PostOffice
from tests.unit.api.conftest import Caller
from tests.unit.api.webhooks import URL, ended, registered

MESSAGE = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hello"}]}
USAGE = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
BODIES = ("/v1/jobs", "/v1/responses")
STATUSES = ("queued", "in_progress", "completed", "failed", "failed by us", "incomplete", "cancelled")


@pytest.fixture
def document(nobody: Caller) -> dict[str, Any]:
    found: dict[str, Any] = nobody.get("/openapi.json").json
    return found


def validator(document: dict[str, Any], name: str) -> jsonschema_rs.Validator:
    """Of the component `name`, with all the others at hand."""
    return jsonschema_rs.Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    )


def test_the_document_is_openapi_3_1(app: Flask, document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    schemathesis.openapi.from_wsgi("/openapi.json", app).validate()


def test_the_document_lists_every_route_and_verb(app: Flask, document: dict[str, Any]) -> None:
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), verb.lower())
        for rule in app.url_map.iter_rules()
        for verb in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not rule.endpoint.startswith(("docs.", "console.")) and rule.rule != "/openapi.json"
    }
    assert served == {(path, verb) for path, item in document["paths"].items() for verb in item if verb != "parameters"}


def test_a_mistake_in_a_body_is_described_as_400_and_never_as_422(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            if verb == "parameters":
                continue
            described = {*operation["responses"]}
            assert "422" not in described or (path, verb) in (("/v1/jobs", "post"), ("/v1/responses", "post"))
    for path in ("/v1/jobs", "/v1/responses"):
        told = document["paths"][path]["post"]["responses"]
        assert "400" in told
        assert "Idempotency-Key" in json.dumps(told["422"])


@pytest.mark.parametrize(
    ("verb", "path", "names"),
    [
        ("post", "/v1/jobs", {"Idempotency-Key", "dry_run"}), ("get", "/v1/jobs/{job_id}", {"Prefer", "raw"}),
        ("get", "/v1/jobs", {"metadata", "status", "model", "created_after", "created_before", "limit", "after"}),
        ("get", "/v1/responses",
         {"metadata", "status", "model", "created_after", "created_before", "limit", "after", "order"}),
    ],
)  # fmt: skip
def test_what_a_view_reads_by_itself_is_described_beside_what_its_schema_reads(
    verb: str, path: str, names: set[str], document: dict[str, Any]
) -> None:
    told = {parameter["name"]: parameter for parameter in document["paths"][path][verb]["parameters"]}
    assert set(told) == names
    assert told.get("metadata", {"style": "deepObject"})["style"] == "deepObject"
    assert told.get("status", {"explode": True})["explode"] is True


def test_every_route_but_health_needs_a_key(document: dict[str, Any]) -> None:
    (scheme,) = document["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert document["security"]
    for path in ("/healthz", "/readyz"):
        assert document["paths"][path]["get"]["security"] == []


def test_the_bounds_of_a_request_stand_in_the_document(document: dict[str, Any]) -> None:
    fields = document["components"]["schemas"]["CreateResponse"]["properties"]
    assert (fields["temperature"]["minimum"], fields["temperature"]["maximum"]) == (0, 2)
    assert fields["max_output_tokens"]["minimum"] == 1
    assert "doubao-seed-1-6-251015" in fields["model"]["enum"]


def brought_to(status: str, alice: Caller, bench: Bench) -> dict[str, Any]:
    """A job in that status, as GET shows it."""
    job = alice.job(request={"temperature": 0.5, "reasoning": {"effort": "low"}, "metadata": {"a": "b"}})
    if status == "cancelled":
        alice.post(f"/v1/jobs/{job['id']}/cancel")
    elif status != "queued":
        bench.beat("w1")
        bench.dispatch("w1")
        (claim,) = bench.claim("w1")
        if status == "failed by us":
            error = {"code": "outcome_unknown", "message": "nobody knows", "retryable": True}
            bench.runs("w1").finish(claim, End(status="failed", error=error), FAILED)
        elif status != "in_progress":
            bench.runs("w1").finish(claim, end(status, claim.number), ANSWERED)
    found: dict[str, Any] = alice.get(f"/v1/jobs/{job['id']}").json
    assert found["status"] == status.partition(" ")[0]
    return found


def end(status: str, number: str) -> End:
    upstream: dict[str, Any] = {"status": status, "output": [MESSAGE], "usage": USAGE}
    upstream["error"] = {"code": "Odd", "message": "m"} if status == "failed" else None
    whole = whole_response.complete(
        upstream, response_id=f"resp_{number}", status=status, created_at=1, completed_at=2, request={"model": "m"}
    )
    error = {"code": "Odd", "message": "m", "retryable": False} if status == "failed" else None
    return End(status=status, response=json.dumps(whole).encode(), usage=whole["usage"], error=error)


@pytest.mark.parametrize("status", STATUSES)
def test_the_response_of_a_job_is_the_protocols_in_every_status(status: str, alice: Caller, bench: Bench) -> None:
    response = brought_to(status, alice, bench)["response"]
    ResponseResource.model_validate(response)
    parsed = Response.model_validate(response, strict=True)
    assert parsed.status == status.partition(" ")[0]
    assert isinstance(parsed.output_text, str)


@pytest.mark.parametrize("status", STATUSES)
def test_a_job_is_what_the_document_says_in_every_status(
    status: str, alice: Caller, bench: Bench, document: dict[str, Any]
) -> None:
    job = brought_to(status, alice, bench)
    whole = alice.get(f"/v1/responses/{job['response']['id']}").json
    for name, shown in (("Job", job), ("OwnResponse", whole), ("ResponseList", alice.get("/v1/responses").json)):
        mistakes = [f"{m.instance_path}: {m.message}" for m in validator(document, name).iter_errors(shown)]
        assert mistakes == []
    page = alice.get("/v1/jobs").json
    assert validator(document, "JobList").is_valid(page)
    mistakes = [m.message for m in validator(document, "UsageList").iter_errors(alice.get("/v1/usage").json)]
    assert mistakes == []


def test_lanes_projects_figures_workers_and_estimates_are_what_the_document_says(
    alice: Caller, admin: Caller, bench: Bench, document: dict[str, Any]
) -> None:
    brought_to("completed", alice, bench)
    alice.job()
    admin.post("/v1/lanes/default:other/pause", json={"reason": "x"})
    admin.ask("PATCH", "/v1/projects/alice", json={"weight": 0.5, "cost_per_day": 1, "tokens_per_day": 5})
    shown = {
        "LaneList": admin.get("/v1/lanes"),
        "Series": alice.get("/v1/series"),
        "WorkerList": admin.get("/v1/workers"),
        "Lane": admin.get("/v1/lanes/default:other"),
        "ProjectList": admin.get("/v1/projects"),
        "Project": alice.get("/v1/projects/alice"),
        "JobEstimate": alice.post("/v1/jobs?dry_run=1", json={"request": {"model": MODEL, "input": "x"}}),
        "Error": alice.post("/v1/lanes/default:other/resume"),
    }
    mistakes = [m.message for name, answer in shown.items() for m in validator(document, name).iter_errors(answer.json)]
    assert mistakes == []
    assert len(shown["LaneList"].json["data"]) == 2


def test_webhooks_are_what_the_document_says(alice: Caller, office: PostOffice, document: dict[str, Any]) -> None:
    endpoint = registered(alice, events=["response.cancelled"])
    job = ended(alice)
    (first, _) = office.take()
    path = f"/v1/webhook_endpoints/{endpoint['id']}"
    test = alice.post(f"{path}/test", json={"type": "webhook_endpoint.disabled"})
    office.settle(first, GONE)
    shown = {
        "NewWebhookEndpoint": alice.post("/v1/webhook_endpoints", json={"url": URL}),
        "WebhookEndpointList": alice.get("/v1/webhook_endpoints"),
        "WebhookEndpoint": alice.ask("PATCH", path, json={"status": "disabled"}),
        "EndpointSecret": alice.post(f"{path}/rotate_secret"),
        "ProjectSecret": alice.post("/v1/webhook_secret/rotate"),
        "DeliveryList": alice.get("/v1/webhook_deliveries"),
        "JobDeliveryList": alice.get(f"/v1/jobs/{job['id']}/deliveries"),
        "Delivery": alice.get(f"/v1/webhook_deliveries/dlv_{first.number}"),
        "Replayed": alice.post("/v1/webhook_deliveries/replay", json={"since": 0}),
        "EventList": alice.get("/v1/events"),
        "Job": alice.get(f"/v1/jobs/{job['id']}"),
    }
    mistakes = [m.message for name, answer in shown.items() for m in validator(document, name).iter_errors(answer.json)]
    assert mistakes == []
    assert validator(document, "Event").is_valid(json.loads(first.body))
    assert validator(document, "Delivery").is_valid(test.json)
    assert [answer.status_code for answer in shown.values()] == [201, 200, 200, 200, 200, 200, 200, 200, 202, 200, 200]


def test_what_is_read_beside_responses_is_what_the_document_says(alice: Caller, document: dict[str, Any]) -> None:
    path = f"/v1/responses/{alice.job()['response']['id']}"
    shown = {
        "InputItemList": alice.get(f"{path}/input_items"),
        "DeletedResponse": alice.delete(path),
        "ModelList": alice.get("/v1/models"),
        "Model": alice.get(f"/v1/models/{MODEL}"),
    }
    mistakes = [m.message for name, answer in shown.items() for m in validator(document, name).iter_errors(answer.json)]
    assert mistakes == []
    assert [answer.status_code for answer in shown.values()] == [200] * 4


@pytest.mark.parametrize("path", ["/v1/lanes/{lane}", "/v1/projects/{project}"])
def test_what_is_for_admins_alone_says_so(path: str, document: dict[str, Any]) -> None:
    assert "403" in document["paths"][path]["patch"]["responses"]
    assert "403" not in document["paths"][path]["get"]["responses"]


def test_a_body_that_may_be_left_out_is_described_so(document: dict[str, Any]) -> None:
    for action in ("pause", "resume"):
        assert document["paths"][f"/v1/lanes/{{lane}}/{action}"]["post"]["requestBody"]["required"] is False
    assert document["paths"]["/v1/lanes/{lane}"]["patch"]["requestBody"]["required"] is True


@pytest.mark.parametrize("field", ["id", "object", "status", "attempts", "response", "usage", "metadata"])
def test_the_document_would_notice_a_job_without_a_field(field: str, alice: Caller, document: dict[str, Any]) -> None:
    job = alice.job()
    del job[field]
    assert not validator(document, "Job").is_valid(job)


@pytest.mark.parametrize("path", ["/v1/jobs/x", "/v1/jobs?limit=0", "/nowhere"])
def test_a_refusal_is_what_the_document_says(path: str, alice: Caller, document: dict[str, Any]) -> None:
    assert validator(document, "Error").is_valid(alice.get(path).json)


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("POST", "/v1/jobs"), ("GET", "/v1/jobs"), ("GET", "/v1/jobs/{job_id}"), ("DELETE", "/v1/jobs/{job_id}"),
        ("POST", "/v1/jobs/{job_id}/cancel"), ("POST", "/v1/jobs/{job_id}/retry"), ("GET", "/v1/usage"),
        ("GET", "/v1/series"), ("GET", "/v1/workers"),
        ("GET", "/v1/lanes"), ("GET", "/v1/lanes/{lane}"), ("PATCH", "/v1/lanes/{lane}"),
        ("POST", "/v1/lanes/{lane}/pause"), ("POST", "/v1/lanes/{lane}/resume"),
        ("GET", "/v1/projects"), ("GET", "/v1/projects/{project}"), ("PATCH", "/v1/projects/{project}"),
        ("GET", "/v1/jobs/{job_id}/deliveries"), ("GET", "/v1/events"), ("POST", "/v1/webhook_secret/rotate"),
        ("GET", "/v1/webhook_endpoints"), ("POST", "/v1/webhook_endpoints"),
        ("GET", "/v1/webhook_endpoints/{endpoint_id}"), ("PATCH", "/v1/webhook_endpoints/{endpoint_id}"),
        ("DELETE", "/v1/webhook_endpoints/{endpoint_id}"), ("POST", "/v1/webhook_endpoints/{endpoint_id}/test"),
        ("POST", "/v1/webhook_endpoints/{endpoint_id}/rotate_secret"),
        ("GET", "/v1/webhook_endpoints/{endpoint_id}/deliveries"),
        ("GET", "/v1/webhook_deliveries"), ("GET", "/v1/webhook_deliveries/{delivery_id}"),
        ("POST", "/v1/webhook_deliveries/replay"), ("POST", "/v1/webhook_deliveries/{delivery_id}/replay"),
        ("POST", "/v1/responses"), ("GET", "/v1/responses"), ("GET", "/v1/responses/{response_id}"),
        ("POST", "/v1/responses/{response_id}/cancel"), ("GET", "/v1/responses/{response_id}/input_items"),
        ("DELETE", "/v1/responses/{response_id}"), ("POST", "/v1/responses/compact"),
        ("GET", "/v1/models"), ("GET", "/v1/models/{model}"),
        ("GET", "/healthz"), ("GET", "/readyz"),
    ],
)  # fmt: skip
def test_generated_calls_are_answered_as_the_document_says(
    verb: str, path: str, app: Flask, alice: Caller, admin: Caller
) -> None:
    key = admin.key if path.startswith(("/v1/lanes", "/v1/projects", "/v1/workers")) else alice.key
    operation = schemathesis.openapi.from_wsgi("/openapi.json", app)[path][verb]

    @settings(settings.get_profile("api"), max_examples=60 if path in BODIES else 40)
    @given(case=operation.as_strategy())
    def answered_as_described(case: schemathesis.Case) -> None:
        if "Prefer" in (case.headers or {}):
            case.headers["Prefer"] = "wait=0"
        if path == "/v1/responses" and isinstance(case.body, dict):
            case.body |= {"stream": False, "background": True}  # nobody works here: all else would wait without end
        case.call_and_validate(
            headers={"Authorization": f"Bearer {key}"}, checks=(not_a_server_error, response_schema_conformance)
        )

    answered_as_described()
