import json

from respool import webhook_deliveries, webhook_endpoints
from tests.fakes.command import typed
from tests.fakes.small_api import Answer, Request, answering, query, routed

ENDPOINT = {
    "id": "we_1", "status": "disabled", "url": "https://hooks.example", "events": ["response.completed"],
    "disabled_reason": "gone", "description": "", "last_success_at": None, "failing_since": None,
}  # fmt: skip
DELIVERY = {
    "id": "dlv_1", "status": "exhausted", "type": "response.completed", "job_id": "job_1", "endpoint_id": None,
    "origin": "https://hooks.example:443", "attempts": [{"http_status": 500}], "created_at": 1.0,
    "next_attempt_at": None, "error": "http_status",
}  # fmt: skip


def test_rows_have_a_cell_for_each_column() -> None:
    endpoint = dict(zip(webhook_endpoints.COLUMNS, webhook_endpoints.cells(ENDPOINT), strict=True))
    assert (endpoint["events"], endpoint["note"]) == ("response.completed", "gone")
    assert webhook_endpoints.cells(ENDPOINT | {"events": None})[3] == "all"
    delivery = dict(zip(webhook_deliveries.COLUMNS, webhook_deliveries.cells(DELIVERY), strict=True))
    assert (delivery["receiver"], delivery["note"]) == ("https://hooks.example:443", "http_status, HTTP 500")


def test_a_new_receivers_secret_stands_alone_on_stdout() -> None:
    with answering(routed({"POST /v1/webhook_endpoints": ENDPOINT | {"secret": "whsec_x"}})) as (api, asked):
        done = typed(api, "webhooks", "add", "https://hooks.example", "--event", "response.failed", "--include", "id")
    assert done.stdout == "whsec_x\n"
    assert json.loads(asked[0].body) == {
        "url": "https://hooks.example", "events": ["response.failed"], "include": "id",
    }  # fmt: skip


def test_receivers_are_switched_tested_and_removed() -> None:
    path = "/v1/webhook_endpoints/we_1"
    routes = {
        f"PATCH {path}": ENDPOINT | {"status": "enabled"}, f"DELETE {path}": {"deleted": True},
        f"POST {path}/test": DELIVERY,
    }  # fmt: skip
    with answering(routed(routes)) as (api, asked):
        assert typed(api, "webhooks", "enable", "we_1").stdout == "we_1 enabled\n"
        assert typed(api, "webhooks", "disable", "we_1").exit_code == 0
        assert typed(api, "webhooks", "test", "we_1").stdout == "dlv_1\n"
        assert typed(api, "webhooks", "remove", "we_1").exit_code == 0
    assert [json.loads(one.body)["status"] for one in asked[:2]] == ["enabled", "disabled"]


def test_deliveries_are_listed_by_status_receiver_or_job() -> None:
    page = {"data": [DELIVERY], "has_more": False}
    routes = {"GET /v1/webhook_deliveries": page, "GET /v1/jobs/job_1/deliveries": page}
    with answering(routed(routes)) as (api, asked):
        assert "dlv_1" in typed(api, "webhooks", "deliveries", "--status", "dead", "--endpoint", "we_1").stdout
        assert query(asked[0]) == {"status": "dead", "endpoint_id": "we_1", "limit": "20"}
        ofjob = typed(api, "webhooks", "deliveries", "--job", "job_1", "--status", "exhausted", "--json")
        assert json.loads(ofjob.stdout) == DELIVERY
        assert json.loads(typed(api, "webhooks", "deliveries", "--job", "job_1", "--status", "dead", "--json").stdout)
        assert not typed(api, "webhooks", "deliveries", "--job", "job_1", "--status", "gone", "--json").stdout


def test_all_that_were_given_up_are_replayed_over_as_many_calls_as_it_takes() -> None:
    def answer(number: int, _: Request) -> Answer:
        return (200, {}, {"replayed": 10 if number == 0 else 2, "has_more": number == 0})

    with answering(answer) as (api, asked):
        assert typed(api, "webhooks", "replay", "--since", "1795395600").stdout == "12 replayed\n"
        assert [json.loads(one.body) for one in asked] == [{"since": 1795395600}] * 2


def test_one_is_replayed_by_its_id() -> None:
    with answering(routed({"POST /v1/webhook_deliveries/dlv_1/replay": DELIVERY | {"status": "pending"}})) as (api, _):
        assert typed(api, "webhooks", "replay", "dlv_1").stdout == "dlv_1 pending\n"
