import pytest

from sandbox.limits import Limits
from sandbox.settings import SandboxSettings, WrongSetting, settings_from


def test_an_empty_environment_gives_the_defaults() -> None:
    assert settings_from({}) == SandboxSettings()
    assert settings_from({"SANDBOX_API_KEY": "", "SANDBOX_MAX_MEDIA_BYTES": ""}) == SandboxSettings()


def test_every_variable_reaches_its_setting() -> None:
    environ = {
        "SANDBOX_API_KEY": "k",
        "SANDBOX_MAX_MEDIA_BYTES": "10",
        "SANDBOX_MAX_BODY_BYTES": "11",
        "SANDBOX_FETCH_TIMEOUT_SECONDS": "1.5",
        "SANDBOX_FETCH_PROXY": "http://127.0.0.1:9",
        "SANDBOX_REQUESTS_PER_MINUTE": "12",
        "SANDBOX_TOKENS_PER_MINUTE": "14",
        "SANDBOX_IN_FLIGHT": "15",
        "SANDBOX_RAMP_PER_SECOND": "0.5",
        "SANDBOX_LIMITER": "bucket",
        "SANDBOX_BUCKET": "16",
        "SANDBOX_RETRY_AFTER": "no",
        "SANDBOX_WINDOW_SECONDS": "2.5",
        "SANDBOX_KEPT_REQUESTS": "13",
        "SANDBOX_KEPT_RESPONSES": "17",
    }
    assert settings_from(environ) == SandboxSettings(
        api_key="k",
        max_media_bytes=10,
        max_body_bytes=11,
        fetch_timeout_seconds=1.5,
        fetch_proxy="http://127.0.0.1:9",
        limits=Limits(
            requests_per_minute=12,
            tokens_per_minute=14,
            in_flight=15,
            ramp_per_second=0.5,
            limiter="bucket",
            bucket=16,
            retry_after="no",
            window_seconds=2.5,
        ),
        kept_requests=13,
        kept_responses=17,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SANDBOX_MAX_MEDIA_BYTES", "0"),
        ("SANDBOX_MAX_BODY_BYTES", "-1"),
        ("SANDBOX_REQUESTS_PER_MINUTE", "many-secret"),
        ("SANDBOX_KEPT_REQUESTS", "1.5"),
        ("SANDBOX_FETCH_TIMEOUT_SECONDS", "nan"),
        ("SANDBOX_FETCH_TIMEOUT_SECONDS", "soon"),
        ("SANDBOX_RAMP_PER_SECOND", "fast"),
        ("SANDBOX_WINDOW_SECONDS", "-1"),
        ("SANDBOX_LIMITER", "leaky"),
        ("SANDBOX_RETRY_AFTER", "maybe"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_without_itself(name: str, value: str) -> None:
    with pytest.raises(WrongSetting) as caught:
        settings_from({name: value})
    assert name in str(caught.value)
    assert value not in str(caught.value).replace("86400", "") or value in ("0", "-1")
