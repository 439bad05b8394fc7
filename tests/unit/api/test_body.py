import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.body import digest
from tests.unit.api.conftest import AppMaker, Caller, error_of, job_body

JSON_KIND = {"Content-Type": "application/json"}
API = settings.get_profile("api")


@pytest.mark.parametrize(
    "kind", ["text/plain", "", "application/x-www-form-urlencoded", "multipart/form-data", "x", "application/jsonx"]
)
def test_another_content_type_is_415(kind: str, alice: Caller) -> None:
    answer = alice.post("/v1/jobs", data=json.dumps(job_body()), headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert error_of(answer)["param"] == "Content-Type"


def test_a_compressed_body_is_415(alice: Caller) -> None:
    answer = alice.post(
        "/v1/jobs", data=b"{}", headers={"Content-Type": "application/json", "Content-Encoding": "gzip"}
    )
    assert answer.status_code == 415
    assert answer.json["error"]["param"] == "Content-Encoding"


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.x+json"])
def test_every_kind_of_json_is_taken(kind: str, alice: Caller) -> None:
    answer = alice.post("/v1/jobs", data=json.dumps(job_body()), headers={"Content-Type": kind})
    assert answer.status_code == 202


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"null", b'"x"', b"1", b"NaN", b"\xff\xfe{}", b"{}{}",
        b'{"request": {"model": "glm-4.7", "input": "a", "temperature": NaN}}',
        b'{"request": {"model": "glm-4.7", "input": "a", "temperature": 1e999}}',
        b'{"request": {"model": "glm-4.7", "input": "a", "input": "b"}}',
        b'{"request": {"model": "glm-4.7", "input": "\\ud800"}}',
        b'{"request": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001,
        b"[" * 100_000,
        b'{"request": {"model": "glm-4.7", "input": ""}}',
        b'{"request": {"model": "glm-4.7", "input": []}}',
        b'{"request": {"model": "glm-4.7", "input": "a", "stream": "yes"}}',
        b'{"request": {"model": "glm-4.7", "input": "a", "max_output_tokens": true}}',
        b'{"request": {"model": "glm-4.7", "input": "a", "temperature": "1"}}',
    ],
)  # fmt: skip
def test_what_is_no_valid_body_is_a_400_that_says_why(data: bytes, alice: Caller) -> None:
    answer = alice.post("/v1/jobs", data=data, headers=JSON_KIND)
    assert answer.status_code == 400
    assert error_of(answer)["message"]
    assert error_of(answer)["type"] == "invalid_request_error"


def sized(size: int) -> bytes:
    """A valid body of exactly so many bytes."""
    empty = json.dumps(job_body(request={"input": "-"})).encode()
    return json.dumps(job_body(request={"input": "x" * (size - len(empty) + 1)})).encode()


@pytest.mark.parametrize(("extra", "status"), [(0, 202), (1, 413)])
@pytest.mark.parametrize("way", ["with its length", "in chunks"])
def test_a_body_may_be_as_large_as_the_bound_and_no_larger(
    extra: int, status: int, way: str, make_app: AppMaker, alice: Caller
) -> None:
    caller = Caller(make_app(max_body_bytes=2000).test_client(), alice.key)
    data = sized(2000 + extra)
    parts: dict[str, Any] = {"data": data}
    if way == "in chunks":  # as gunicorn hands it on
        parts = {"input_stream": io.BytesIO(data), "environ_overrides": {"wsgi.input_terminated": True}}
    answer = caller.post("/v1/jobs", headers=JSON_KIND, **parts)
    assert len(data) == 2000 + extra
    assert answer.status_code == status
    assert status == 202 or error_of(answer)["code"] == "body_too_large"


class Unreadable(io.BytesIO):
    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")

    readinto = read1 = readline = read  # type: ignore[assignment]


def test_a_huge_body_is_refused_by_its_announced_length_alone(make_app: AppMaker, alice: Caller) -> None:
    caller = Caller(make_app(max_body_bytes=2000).test_client(), alice.key)
    huge = Unreadable(b" " * 3_000_000)
    assert caller.post("/v1/jobs", headers=JSON_KIND, input_stream=huge).status_code == 413


def test_the_order_of_fields_does_not_change_the_digest() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert digest({"a": 1}) != digest({"a": "1"})


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["model", "input", "stream", "temperature", "top_p", "max_output_tokens", "reasoning", "tools", "metadata", "text"]
)


@settings(API, max_examples=150)
@given(body=JSON_VALUES)
def test_any_json_is_a_job_or_a_400(body: Any, alice: Caller) -> None:
    assert alice.post("/v1/jobs", data=json.dumps(body), headers=JSON_KIND).status_code in (202, 400)


@settings(API, max_examples=250)
@given(
    changes=st.dictionaries(FIELDS, JSON_VALUES, max_size=4), more=st.dictionaries(st.text(), JSON_VALUES, max_size=2)
)
def test_any_value_in_any_field_is_a_job_or_a_400(changes: Any, more: Any, alice: Caller) -> None:
    body = job_body(request=changes) | more
    answer = alice.post("/v1/jobs", data=json.dumps(body), headers=JSON_KIND)
    assert answer.status_code in (202, 400)
    assert answer.status_code == 202 or error_of(answer)["message"]


@settings(API, max_examples=150)
@given(data=st.binary())
def test_any_bytes_are_a_400(data: bytes, alice: Caller) -> None:
    assert alice.post("/v1/jobs", data=data, headers=JSON_KIND).status_code == 400


@settings(API, max_examples=100)
@given(value=st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=40), name=st.sampled_from(
    ["Prefer", "Idempotency-Key", "x-stainless-retry-count", "X-Request-Id", "Authorization", "Accept", "Range", "Host"]
))  # fmt: skip
def test_any_header_is_no_cause_for_a_500(name: str, value: str, alice: Caller) -> None:
    if name == "Prefer" and value.strip().lower().startswith("wait="):
        value = "wait=0"
    assert alice.submit(headers={name: value}).status_code < 500
    assert alice.get("/v1/jobs", headers={name: value}).status_code < 500
