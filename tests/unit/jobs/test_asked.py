from typing import Any

import pytest

from jobs.asked import of_job, of_response

REQUEST = {"model": "m", "input": "hi"}
RESPONSE_ID = "resp_" + "0" * 32


def test_what_stands_beside_the_request_goes_before_its_own_options() -> None:
    asked = of_job({"request": {**REQUEST, "respool": {"priority": 1, "max_attempts": 2}}, "priority": 9})
    assert (asked.options, asked.priority) == ({"priority": 9, "max_attempts": 2}, 9)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"request": {**REQUEST, "respool": {"webhook": {}}}}, ("request", "respool")),
        ({"request": REQUEST, "webhook": {}}, ()),
    ],
)
def test_a_jobs_options_stand_where_its_webhook_does(body: dict[str, Any], place: tuple[str, ...]) -> None:
    assert of_job(body).options_at == place


@pytest.mark.parametrize(
    ("own", "request_own", "metadata"),
    [({"metadata": {"a": "1"}}, {"b": "2"}, {"a": "1"}), ({}, {"b": "2"}, {"b": "2"}), ({"metadata": None}, None, {})],
)
def test_a_jobs_metadata_is_the_requests_if_left_out(own: Any, request_own: Any, metadata: Any) -> None:
    assert of_job({"request": {**REQUEST, "metadata": request_own}, **own}).metadata == metadata


@pytest.mark.parametrize(("previous", "ours"), [(RESPONSE_ID, True), ("resp_of_another", False), (None, False)])
def test_an_earlier_response_of_another_is_left_to_a_jobs_endpoint(previous: str | None, ours: bool) -> None:
    assert of_job({"request": {**REQUEST, "previous_response_id": previous}}).ours is ours


def test_null_is_no_options_at_all() -> None:
    assert of_response({**REQUEST, "respool": None}).options == {}
    assert of_job({"request": {**REQUEST, "respool": None}, "priority": 9}).options == {"priority": 9}


def test_an_earlier_response_of_a_response_is_always_ours() -> None:
    assert of_response({**REQUEST, "previous_response_id": "resp_of_another"}).ours


@pytest.mark.parametrize(("store", "stored"), [(None, True), (True, True), (False, False)])
def test_a_response_is_kept_unless_it_says_otherwise(store: bool | None, stored: bool) -> None:
    assert of_response({**REQUEST, "store": store}).stored is stored
