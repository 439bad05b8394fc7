"""What is refused, as the SDK's own exceptions."""

import uuid
from typing import Any

from openai import AuthenticationError, BadRequestError, InternalServerError, NotFoundError, RateLimitError

from tests.sdks.script.caller import Caller, faulty, once, raised


def check_an_unknown_response_is_not_found(caller: Caller) -> None:
    unknown = f"resp_{uuid.uuid4().hex}"
    responses = caller.client().responses
    for call in (responses.retrieve, responses.cancel, responses.delete, _streamed(caller)):
        error = raised(NotFoundError, lambda call=call: call(unknown))
        assert error.type == "invalid_request_error"
        assert unknown in error.message
        assert error.request_id
    raised(NotFoundError, lambda: caller.retrieve("no-id-at-all"))


def check_a_wrong_field_is_a_bad_request_that_names_it(caller: Caller) -> None:
    for fields, param in (({"top_p": 2}, "top_p"), ({"input": [{"role": "user"}]}, "input[0].content")):
        error = raised(BadRequestError, lambda fields=fields: caller.create(**fields))
        assert (error.param, error.type) == (param, "invalid_request_error")
        assert error.code


def check_an_unknown_model_is_a_bad_request(caller: Caller) -> None:
    error = raised(BadRequestError, lambda: caller.create(model="no-such-model"))
    assert error.param == "model"


def check_a_wrong_cursor_is_a_bad_request(caller: Caller) -> None:
    ended = caller.ended(caller.begin().id)
    error = raised(BadRequestError, lambda: caller.read(ended.id, starting_after="x"))
    assert error.param == "starting_after"


def check_a_wrong_key_is_not_let_in(caller: Caller) -> None:
    error = raised(AuthenticationError, lambda: caller.client(key="wrong").models.list())
    assert error.code
    assert error.request_id


def check_a_used_up_limit_is_told_at_once(caller: Caller) -> None:
    client = caller.client(key=caller.limited_key)
    error = raised(RateLimitError, lambda: client.responses.create(model=caller.model, input="hello"))
    assert error.request.headers["x-stainless-retry-count"] == "0"
    assert (error.type, error.code) == ("rate_limit_error", "tokens_per_day")
    assert error.response.headers["x-should-retry"] == "false"


def check_an_upstream_s_limit_that_no_waiting_helps_is_a_rate_limit(caller: Caller) -> None:
    fault = faulty("status=429;code=rate_limit_exceeded;message=Request too large: Limit 10, Requested 20")
    error = raised(RateLimitError, lambda: caller.create(**fault))
    assert (error.type, error.code) == ("rate_limit_error", "rate_limit_exceeded")
    assert error.response.headers["x-respool-response-id"].startswith("resp_")


def check_an_answer_that_takes_too_long_is_a_gateway_timeout(caller: Caller) -> None:
    error: Any = raised(InternalServerError, lambda: caller.create(**faulty("hang"), **once(run_timeout_seconds=0.5)))
    assert error.status_code == 504
    assert error.response.headers["x-should-retry"] == "false"


def _streamed(caller: Caller) -> Any:
    return lambda response_id: caller.retrieve(response_id, stream=True)
