"""How a response is cancelled and deleted."""

from openai import BadRequestError, NotFoundError

from tests.sdks.script.caller import Caller, faulty, raised


def check_cancelling_twice_is_cancelling_once(caller: Caller) -> None:
    response = caller.begin(**faulty("delay=30"))
    cancel = caller.client().responses.cancel
    assert cancel(response.id).status == cancel(response.id).status == "cancelled"
    assert caller.retrieve(response.id).status == "cancelled"


def check_cancelling_after_the_end_answers_the_end(caller: Caller) -> None:
    ended = caller.ended(caller.begin().id)
    cancelled = caller.client().responses.cancel(ended.id)
    assert (cancelled.status, cancelled.output) == ("completed", ended.output)


def check_only_a_background_one_can_be_cancelled(caller: Caller) -> None:
    response = caller.create()
    error = raised(BadRequestError, lambda: caller.client().responses.cancel(response.id))
    assert error.type == "invalid_request_error"


def check_a_cancel_without_a_body_or_a_content_type_is_taken(caller: Caller) -> None:
    response = caller.begin(**faulty("delay=30"))
    headers = {"Content-Type": ""}
    cancelled = caller.client().responses.cancel(response.id, extra_headers=headers)
    assert cancelled.status == "cancelled"


def check_what_is_deleted_is_gone(caller: Caller) -> None:
    ended = caller.ended(caller.begin().id)
    assert caller.client().responses.delete(ended.id) is None
    for attempt in (caller.retrieve, caller.client().responses.cancel, caller.client().responses.delete):
        raised(NotFoundError, lambda attempt=attempt: attempt(ended.id))


def check_one_that_runs_is_deleted_too(caller: Caller) -> None:
    response = caller.begin(**faulty("delay=30"))
    caller.reached(response.id, "in_progress")
    caller.client().responses.delete(response.id)
    raised(NotFoundError, lambda: caller.retrieve(response.id))
