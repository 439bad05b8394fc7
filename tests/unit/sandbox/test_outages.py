from typing import Any

import pytest

from sandbox.errors import Refused
from sandbox.outages import Outages
from tests.fakes.waiting import wait_until


def test_an_outage_holds_for_all_keys_until_it_is_ended() -> None:
    outages = Outages()
    assert outages.fault_for("a") == ""
    outages.begin({"status": 503})
    assert [outages.fault_for(key) for key in "ab"] == ["status=503"] * 2
    outages.end()
    assert outages.fault_for("a") == ""


def test_an_outage_of_one_key_goes_before_that_of_all() -> None:
    outages = Outages()
    outages.begin({"fault": "hang", "api_key": "a"})
    assert [outages.fault_for(key) for key in "ab"] == ["hang", ""]
    outages.begin({"status": 500})
    assert [outages.fault_for(key) for key in "ab"] == ["hang", "status=500"]


def test_an_outage_ends_by_itself() -> None:
    outages = Outages()
    outages.begin({"status": 503, "seconds": 0.05, "api_key": "a"})
    (seen,) = outages.seen()["data"]
    assert (seen["api_key"], seen["fault"]) == ("a", "status=503")
    assert 0 <= seen["seconds"] <= 0.05
    wait_until(lambda: outages.fault_for("a") == "")
    assert outages.seen()["data"] == []


@pytest.mark.parametrize(
    ("values", "param"),
    [
        ({}, "status"),
        ({"status": 503, "fault": "hang"}, "status"),
        *[({"status": status}, "status") for status in (199, "x", True, [])],
        *[({"fault": fault}, "fault") for fault in ("", "explode", 3, "status=x")],
        *[({"status": 503, "seconds": seconds}, "seconds") for seconds in (0, -1, "1", True, 86_401)],
        *[({"status": 503, "api_key": key}, "api_key") for key in ("", 3)],
        ({"status": 503, "since": 1}, "since"),
    ],
)
def test_what_is_no_outage_is_refused_by_its_field(values: dict[str, Any], param: str) -> None:
    outages = Outages()
    with pytest.raises(Refused) as caught:
        outages.begin(values)
    assert (caught.value.status, caught.value.param) == (400, param)
    assert outages.seen()["data"] == []
