import json
import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from jobs import accounts, estimate, prices
from jobs.accounts import Account
from jobs.errors import SettingsError
from jobs.estimate import EstimateRule
from jobs.limits import FIELDS, LaneLimits, Limits, check_change, read_limits
from jobs.prices import Price

ACCOUNTS = """
[accounts.b]
url = "https://b.example/v1"
models = ["m", "n"]
[accounts.a]
url = "https://a.example/v1"
api_key_variable = "A_KEY"
background = true
"""


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


@pytest.mark.parametrize("name", ["requests_per_minute", "tokens_per_minute", "in_flight"])
def test_a_field_is_read_on_its_bounds_and_refused_beyond_them(name: str, tmp_path: Path) -> None:
    for value in (1, 10**12):
        assert getattr(read(tmp_path, f"[default]\n{name} = {value}").default, name) == value
    for value in ("0", "-1", str(10**12 + 1), "1.0", "true", '"5"', "[1]"):
        said = refusal(tmp_path, f"[models.m]\n{name} = {value}")
        assert '[models."m"]' in said
        assert f"{name} must be a whole number from 1 to" in said


def test_the_ramp_may_have_decimals(tmp_path: Path) -> None:
    for value in (0.01, 5, 2.5, 100000):
        assert read(tmp_path, f"[default]\nramp_per_second = {value}").default.ramp_per_second == value
    for value in ("0", "0.009", "100000.1", "nan", "inf", "true", '"5"'):
        said = refusal(tmp_path, f"[default]\nramp_per_second = {value}")
        assert "[default] ramp_per_second must be a number from 0.01 to 100000" in said


def test_a_burst_is_smaller_than_its_rate(tmp_path: Path) -> None:
    assert read(tmp_path, "[default]\nrequests_per_minute = 10\nburst = 9").default.burst == 9
    assert "burst must be smaller" in refusal(tmp_path, "[default]\nrequests_per_minute = 10\nburst = 10")
    assert "burst must be smaller" in refusal(tmp_path, "[default]\nrequests_per_minute = 10\n[models.m]\nburst = 10")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[defaults]", "'defaults'"),
        ("rpm = 5", "'rpm'"),
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


def test_a_lane_takes_what_it_does_not_say_from_its_model(tmp_path: Path) -> None:
    text = """[default]
    in_flight = 7
    [models.m]
    requests_per_minute = 60
    burst = 9
    [lanes."a:m"]
    tokens_per_minute = 5
    [lanes."a:n"]
    ramp_per_second = 2
    [lanes."b:m"]
    requests_per_minute = 20
    """
    limits = read(tmp_path, text + ACCOUNTS)
    model = LaneLimits(requests_per_minute=60, burst=9, in_flight=7)
    assert limits.limits_of("b:m") == LaneLimits(requests_per_minute=20, in_flight=7)
    assert limits.limits_of("a:m") == LaneLimits(requests_per_minute=60, burst=9, in_flight=7, tokens_per_minute=5)
    assert limits.limits_of("a:n") == LaneLimits(in_flight=7, ramp_per_second=2)
    assert limits.limits_of("c:m") == limits.limits_of("*:m") == model
    assert limits.limits_of("b:n") == limits.default


def test_a_models_name_may_hold_a_colon(tmp_path: Path) -> None:
    limits = read(tmp_path, '[lanes."default:m:2"]\nin_flight = 3')
    assert limits.limits_of("default:m:2") == LaneLimits(in_flight=3)


@pytest.mark.parametrize("lane", ["m", "default", "default:", ":m", "c:m", "*:m"])
def test_a_lane_names_an_account_that_exists_and_a_model(lane: str, tmp_path: Path) -> None:
    said = refusal(tmp_path, f'[lanes."{lane}"]\nin_flight = 5')
    assert f'[lanes."{lane}"] must be named ACCOUNT:MODEL, with an account of default' in said


def test_a_lane_of_a_model_that_its_account_does_not_have_is_refused(tmp_path: Path) -> None:
    assert "the account b does not have the model 'x'" in refusal(tmp_path, ACCOUNTS + '[lanes."b:x"]')
    assert "an account of b, a" in refusal(tmp_path, ACCOUNTS + '[lanes."default:m"]')


def test_a_lanes_burst_is_smaller_than_the_rate_it_takes_from_its_model(tmp_path: Path) -> None:
    text = '[models.m]\nrequests_per_minute = 10\n[lanes."default:m"]\nburst = '
    assert read(tmp_path, text + "9").limits_of("default:m").burst == 9
    assert '[lanes."default:m"] burst must be smaller' in refusal(tmp_path, text + "10")


def test_accounts_stand_in_the_order_of_the_file(tmp_path: Path) -> None:
    limits = read(tmp_path, ACCOUNTS)
    assert limits.account_names == ("b", "a")
    assert limits.accounts == (
        Account(name="b", url="https://b.example/v1", models=("m", "n")),
        Account(name="a", url="https://a.example/v1", api_key_variable="A_KEY", background=True),
    )


def test_a_model_is_served_by_the_accounts_that_have_it(tmp_path: Path) -> None:
    limits = read(tmp_path, ACCOUNTS)
    assert limits.serves("x")
    assert limits.serves("x", account="a")
    assert not limits.serves("x", account="b")
    assert not limits.serves("m", account="default")
    only = read(tmp_path, '[accounts.b]\nurl = "http://b"\nmodels = ["m"]')
    assert only.serves("m")
    assert not only.serves("x")


def test_without_accounts_there_is_one_that_has_every_model() -> None:
    assert Limits().account_names == ("default",)
    assert Limits().serves("any")
    assert Limits().serves("any", account="default")
    assert not Limits().serves("any", account="other")


def test_prices_currency_and_the_estimate_are_read(tmp_path: Path) -> None:
    text = 'currency = "CNY"\n[prices."m.1"]\ninput = 0.8\noutput = 8\n[estimate]\nimage_tokens = 5\nvideo_fps = 2'
    limits = read(tmp_path, text)
    assert limits.currency == "CNY"
    assert limits.prices == {"m.1": Price(input=0.8, cached=0.8, output=8)}
    assert limits.estimate == EstimateRule(image_tokens=5, video_fps=2.0)
    assert (Limits().currency, Limits().prices, Limits().estimate) == ("USD", {}, EstimateRule())


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("currency = 5", "currency must be"),
        ('currency = ""', "currency must be"),
        ('currency = "US Dollar"', "currency must be"),
        ("[prices.m]\ninput = 1", '[prices."m"] output is required'),
        ("[prices.m]\ninput = -1\noutput = 1", '[prices."m"] input must be a number from 0 to 1000000'),
        ("[estimate]\nvideo_fps = 0", "[estimate] video_fps must be a number from 0.01 to 100"),
        ("[estimate]\nfps = 1", "[estimate] 'fps'"),
        ("[accounts.a]", '[accounts."a"] url must be'),
        ("[accounts.A]\nurl = 'http://a'", '[accounts."A"] name must be'),
        ("[accounts]\na = 'http://a'", '[accounts."a"] a must be a table'),
        ("lanes = 1", "lanes must be a table"),
    ],
)
def test_a_mistake_in_any_table_is_named_with_its_table(text: str, word: str, tmp_path: Path) -> None:
    assert word in refusal(tmp_path, text)


def test_a_change_holds_fields_of_a_lane_within_their_bounds() -> None:
    whole = {"requests_per_minute": 10, "tokens_per_minute": None, "in_flight": 1, "ramp_per_second": 0.5, "burst": 9}
    assert check_change(whole) == whole
    assert check_change({}) == {}
    assert check_change({"requests_per_minute": None, "burst": 5}) == {"requests_per_minute": None, "burst": 5}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"in_flight": 0}, "in_flight must be a whole number from 1 to 1000000000000"),
        ({"in_flight": True}, "in_flight must be"),
        ({"tokens_per_minute": 1.5}, "tokens_per_minute must be"),
        ({"ramp_per_second": "fast"}, "ramp_per_second must be a number from 0.01 to 100000"),
        ({"requests_per_minute": 10, "burst": 10}, "burst must be smaller than requests_per_minute"),
        ({"rpm": 5}, "'rpm' is no field here; known are requests_per_minute"),
    ],
)
def test_a_change_beyond_the_bounds_is_refused_by_name(values: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        check_change(values)


def test_a_change_applies_to_what_the_file_says() -> None:
    lane = LaneLimits(requests_per_minute=100, burst=50, in_flight=7)
    assert lane.changed({"in_flight": 9, "burst": None}) == replace(lane, in_flight=9)
    assert lane.changed({"requests_per_minute": 20}) == LaneLimits(requests_per_minute=20, in_flight=7)
    with pytest.raises(ValueError, match="burst must be smaller"):
        lane.changed({"burst": 100})


def test_every_field_of_a_lane_can_be_read_and_changed() -> None:
    assert list(FIELDS) == [field.name for field in fields(LaneLimits)]


def test_the_script_sees_no_nulls() -> None:
    limits = Limits(default=LaneLimits(), models={"m": LaneLimits(requests_per_minute=5, in_flight=2)})
    assert json.loads(limits.as_json()) == {
        "default": {"in_flight": 1000},
        "models": {"m": {"requests_per_minute": 5, "in_flight": 2}},
        "lanes": {},
        "accounts": [{"name": "default"}],
    }


def test_the_script_sees_whole_lanes_and_the_models_of_accounts(tmp_path: Path) -> None:
    found = json.loads(
        read(tmp_path, ACCOUNTS + '[models.m]\nin_flight = 2\n[lanes."b:m"]\nramp_per_second = 0.5').as_json()
    )
    assert found["lanes"] == {"b:m": {"in_flight": 2, "ramp_per_second": 0.5}}
    assert found["accounts"] == [{"name": "b", "models": ["m", "n"]}, {"name": "a"}]


def test_the_page_about_the_file_names_every_field_and_its_example_is_valid(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/limits.md").read_text(encoding="utf-8")
    example = page.partition("```toml\n")[2].partition("```")[0]
    assert read(tmp_path, example).account_names == ("first", "second")
    named = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert named == {*FIELDS, *accounts.FIELDS, *estimate.FIELDS, *prices.FIELDS}
