from typing import Any

import pytest
from marshmallow import ValidationError

from schemas.event import ENDPOINT_EVENTS, JOB_EVENTS, EventSchema
from schemas.job import TERMINAL

EVENT = {
    "object": "event", "id": "evt_1", "type": "response.completed", "created_at": 1700000000,
    "data": {"id": "resp_1", "respool": {"job_id": "job_1"}},
}  # fmt: skip


def test_each_end_of_a_job_has_its_event() -> None:
    assert set(JOB_EVENTS) == {f"response.{status}" for status in TERMINAL}
    assert set(JOB_EVENTS) < set(ENDPOINT_EVENTS)


def test_an_event_may_carry_more_in_its_data() -> None:
    assert EventSchema().load(EVENT) == EVENT


@pytest.mark.parametrize("change", [{"created_at": 1.5}, {"type": "response.queued"}, {"data": {}}, {"more": 1}])
def test_an_event_is_of_the_protocols_shape(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        EventSchema().load(EVENT | change)
    assert refused.value.messages.keys() == change.keys()
