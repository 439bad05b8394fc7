from typing import Any

import pytest
from marshmallow import ValidationError

from schemas.delivery import DEAD, OPEN, STATUSES, ReplaySchema


@pytest.mark.parametrize("since", [0, 1795395600, 1795395600.5, 10**11])
def test_a_replay_takes_any_time(since: float) -> None:
    assert ReplaySchema().load({"since": since})


@pytest.mark.parametrize("body", [{}, {"since": -1}, {"since": "1"}, {"since": 10**11 + 1}, {"since": None}])
def test_a_replay_without_a_time_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        ReplaySchema().load(body)
    assert refused.value.messages.keys() == {"since"}


def test_every_status_is_open_delivered_or_dead() -> None:
    assert {*OPEN, "delivered", *DEAD} == set(STATUSES)
    assert len(STATUSES) == len(OPEN) + len(DEAD) + 1
