"""Every route of webhooks with an id of one's own, of another project, and of nothing: the last two look alike."""

from typing import Any

import pytest

from jobs.webhooks.deliveries import Verdict
from tests.fakes.post_office import PostOffice
from tests.unit.api.conftest import Caller
from tests.unit.api.webhooks import URL, deliveries, ended, registered, settle_all

NOTHING = "0" * 32
EXHAUSTED = Verdict(status="exhausted", origin="fault")
ROUTES = [
    ("GET", "/v1/jobs/{job}/deliveries", None, 200),
    ("GET", "/v1/webhook_endpoints/{endpoint}", None, 200),
    ("PATCH", "/v1/webhook_endpoints/{endpoint}", {"description": "d"}, 200),
    ("PATCH", "/v1/webhook_endpoints/{endpoint}", {"url": URL}, 200),
    ("DELETE", "/v1/webhook_endpoints/{endpoint}", None, 200),
    ("POST", "/v1/webhook_endpoints/{endpoint}/rotate_secret", None, 200),
    ("POST", "/v1/webhook_endpoints/{endpoint}/test", None, 202),
    ("GET", "/v1/webhook_endpoints/{endpoint}/deliveries", None, 200),
    ("GET", "/v1/webhook_deliveries?endpoint_id={endpoint}", None, 200),
    ("GET", "/v1/webhook_deliveries?after={delivery}", None, 200),
    ("GET", "/v1/webhook_deliveries/{delivery}", None, 200),
    ("POST", "/v1/webhook_deliveries/{delivery}/replay", None, 202),
    ("POST", "/v1/webhook_deliveries/replay", {"since": 0, "endpoint_id": "{endpoint}"}, 202),
    ("GET", "/v1/events?project={project}", None, 200),
]


@pytest.mark.parametrize(("verb", "path", "body", "status"), ROUTES)
def test_what_is_anothers_answers_like_what_does_not_exist(
    verb: str, path: str, body: dict[str, Any] | None, status: int, alice: Caller, bob: Caller, office: PostOffice
) -> None:
    ids = {"endpoint": registered(alice)["id"], "job": ended(alice)["id"], "project": "alice"}
    settle_all(office, EXHAUSTED)
    ids["delivery"] = next(d["id"] for d in deliveries(alice) if d["endpoint_id"] is None)
    nothing = {"endpoint": f"we_{NOTHING}", "job": f"job_{NOTHING}", "delivery": f"dlv_{NOTHING}", "project": "nobody"}

    def ask(caller: Caller, known: dict[str, str]) -> tuple[int, str]:
        filled = {name: str(value).format(**known) for name, value in (body or {}).items()}
        sent = {name: 0 if name == "since" else value for name, value in filled.items()}
        answer = caller.ask(verb, path.format(**known), **({"json": sent} if body is not None else {}))
        text = answer.text
        for kind, name in known.items():
            text = text.replace(name, f"<{kind}>")
        return answer.status_code, text

    before = {key: office.client.dump(key) for key in office.client.scan_iter(count=1000)}
    assert ask(bob, ids) == ask(bob, nothing)
    after = {key: office.client.dump(key) for key in office.client.scan_iter(count=1000)}
    assert after == before
    assert ask(alice, ids)[0] == status


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        *((verb, path) for verb, path, _, _ in ROUTES), ("GET", "/v1/webhook_endpoints"),
        ("POST", "/v1/webhook_endpoints"), ("POST", "/v1/webhook_secret/rotate"),
    ],
)  # fmt: skip
def test_no_route_of_webhooks_answers_without_a_key(verb: str, path: str, nobody: Caller) -> None:
    known = {"endpoint": f"we_{NOTHING}", "job": f"job_{NOTHING}", "delivery": f"dlv_{NOTHING}", "project": "default"}
    assert nobody.ask(verb, path.format(**known)).status_code == 401
