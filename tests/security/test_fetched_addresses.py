"""Where the endpoint is one's own, nothing in a request leads it to its neighbours."""

from typing import Any

import pytest

from tests.factories import MODEL
from tests.unit.api.conftest import AppMaker, Caller, error_of

DOORS = ("/v1/jobs", "/v1/responses")


def ask(caller: Caller, door: str, url: str) -> Any:
    picture = {"type": "input_image", "image_url": url}
    request = {"model": MODEL, "input": [{"role": "user", "content": [picture]}]}
    return caller.post(door, json={"request": request} if door == "/v1/jobs" else request | {"background": True})


@pytest.mark.parametrize("door", DOORS)
def test_a_medium_that_leads_inside_is_refused_by_every_door(door: str, make_app: AppMaker, alice: Caller) -> None:
    careful = Caller(make_app(fetched_addresses="public").test_client(), alice.key)
    for url in ("http://169.254.169.254/latest/meta-data", "http://localhost:6379/", "https://[fd00::1]/cat.png"):
        answer = ask(careful, door, url)
        assert answer.status_code == 400
        assert error_of(answer)["code"] == "forbidden_address"
        assert error_of(answer)["param"].endswith("input[0].content[0].image_url")
    assert ask(careful, door, "https://example.com/cat.png").status_code < 300


@pytest.mark.parametrize("door", DOORS)
def test_unless_it_is_asked_for_the_endpoint_decides(door: str, alice: Caller) -> None:
    assert ask(alice, door, "http://10.0.0.5/cat.png").status_code < 300
