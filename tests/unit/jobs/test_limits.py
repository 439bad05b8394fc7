import json
from pathlib import Path

import pytest

from jobs.errors import SettingsError
from jobs.limits import FIELDS, LaneLimits, Limits, read_limits


def read(folder: Path, text: str) -> Limits:
    path = folder / "limits.toml"
    path.write_text(text, encoding="utf-8")
    return read_limits(path)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(folder, text)
    assert caught.value.name == "RESPOOL_LIMITS_FILE"
    return str(caught.value)


def test_without_a_file_there_is_no_rate_and_a_thousand_calls_may_be_in_flight() -> None:
    assert read_limits(None) == Limits(default=LaneLimits(in_flight=1000), models={})


def test_an_empty_file_is_as_none(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Limits()


def test_a_model_takes_what_it_does_not_say_from_the_default(tmp_path: Path) -> None:
    limits = read(
        tmp_path, '[default]\nin_flight = 7\ntokens_per_minute = 90\n[models."a.b"]\nrequests_per_minute = 60'
    )
    assert limits.default == LaneLimits(in_flight=7, tokens_per_minute=90)
    assert limits.models == {"a.b": LaneLimits(requests_per_minute=60, in_flight=7, tokens_per_minute=90)}


def test_a_model_with_its_own_rate_does_not_take_the_burst_of_another(tmp_path: Path) -> None:
    limits = read(tmp_path, "[default]\nrequests_per_minute = 100\nburst = 50\n[models.a]\nrequests_per_minute = 20")
    assert limits.models["a"] == LaneLimits(requests_per_minute=20)


@pytest.mark.parametrize("name", [name for name in FIELDS if name != "burst"])
def test_a_field_is_read_on_its_bounds_and_refused_beyond_them(name: str, tmp_path: Path) -> None:
    for value in (1, 10**12):
        assert getattr(read(tmp_path, f"[default]\n{name} = {value}").default, name) == value
    for value in ("0", "-1", str(10**12 + 1), "1.0", "true", '"5"', "[1]"):
        said = refusal(tmp_path, f"[models.m]\n{name} = {value}")
        assert '[models."m"]' in said
        assert f"{name} must be a whole number from 1 to" in said


def test_a_burst_is_smaller_than_its_rate(tmp_path: Path) -> None:
    assert read(tmp_path, "[default]\nrequests_per_minute = 10\nburst = 9").default.burst == 9
    assert "burst must be smaller" in refusal(tmp_path, "[default]\nrequests_per_minute = 10\nburst = 10")
    assert "burst must be smaller" in refusal(tmp_path, "[default]\nrequests_per_minute = 10\n[models.m]\nburst = 10")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[defaults]", "'defaults'"),
        ("[default]\nrpm = 5", "'rpm'"),
        ("[models.m]\ninflight = 5", "'inflight'"),
        ("default = 5", "default must be a table"),
        ("models = []", "models must be a table"),
        ("[models]\nm = 5", "m must be a table"),
        ("[default", "cannot be read"),
        ("[default]\n[default]", "cannot be read"),
    ],
)
def test_a_mistake_is_named(text: str, word: str, tmp_path: Path) -> None:
    assert word in refusal(tmp_path, text)


def test_a_file_that_is_no_text_or_is_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "limits.toml"
    with pytest.raises(SettingsError, match="cannot be read"):
        read_limits(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_limits(path)


def test_the_script_sees_no_nulls() -> None:
    limits = Limits(default=LaneLimits(), models={"m": LaneLimits(requests_per_minute=5, in_flight=2)})
    assert json.loads(limits.as_json()) == {
        "default": {"in_flight": 1000},
        "models": {"m": {"requests_per_minute": 5, "in_flight": 2}},
    }
