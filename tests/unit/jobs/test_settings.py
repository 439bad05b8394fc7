import dataclasses
from pathlib import Path

import pytest

from jobs.errors import SettingsError
from jobs.settings import Settings, read_settings
from jobs.webhooks.secrets import new_secret
from schemas.allow import Allow

MIB = 1024 * 1024
WHOLE = {
    "max_body_bytes": (1024, 1024 * MIB),
    "max_queued_bytes": (1024, 2**53),
    "max_attempts": (1, 100),
    "max_file_bytes": (1, 2**53),
    "files_bytes": (1, 2**53),
    "upstream_max_bytes": (1024, 1024 * MIB),
    "slots": (1, 20000),
    "webhook_slots": (1, 5000),
    "webhook_rate": (0, 100000),
    "wrong_keys_per_minute": (1, 2**53),
}
SECONDS = {
    "retention_seconds": (60, 366 * 86400),
    "connect_timeout_seconds": (0.1, 300),
    "read_timeout_seconds": (0.1, 86400),
    "run_timeout_seconds": (0.1, 86400),
    "grace_seconds": (0, 86400),
    "ageing_seconds": (0, 86400),
    "webhook_timeout_seconds": (1, 30),
    "webhook_disable_seconds": (60, 60 * 86400),
}
CHOICES = {
    "durability": ("everysec", "fsync", "replica"),
    "unsafe_redis": ("refuse", "allow"),
    "fetched_addresses": ("any", "public"),
    "unknown_fields": ("refuse", "forward"),
    "on_unknown": ("retry", "fail"),
    "log_level": ("DEBUG", "INFO", "WARNING", "ERROR"),
    "log_format": ("text", "json"),
}
URLS = {
    "redis_url": ("redis", "rediss", "redis+sentinel", "rediss+sentinel"),
    "public_url": ("http", "https"),
    "upstream_url": ("http", "https"),
    "upstream_proxy": ("http", "https"),
}
FILES = ("limits_file", "upstream_ca_file", "webhook_ca_file")
TEXTS = (
    *("api_key", "upstream_api_key", "secret", "old_secrets", "models", "webhook_secret", "webhook_allow"),
    *("webhook_schedule", "metrics_token", "trusted_proxies"),
)


def variable(field: str) -> str:
    return "RESPOOL_" + field.upper()


def read(field: str, text: str) -> object:
    return getattr(read_settings({variable(field): text}), field)


def refusal(field: str, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(field, text)
    assert caught.value.name == variable(field)
    assert str(caught.value).startswith(f"{variable(field)}: ")
    return str(caught.value)


def test_every_setting_is_tried_here() -> None:
    tried = {*WHOLE, *SECONDS, *CHOICES, *URLS, *FILES, *TEXTS, "files_folder", "file_delivery"}
    assert tried == {field.name for field in dataclasses.fields(Settings)}


@pytest.mark.parametrize(("field", "bounds"), WHOLE.items())
def test_a_whole_number_is_read_on_its_bounds_and_refused_beyond_them(field: str, bounds: tuple[int, int]) -> None:
    low, high = bounds
    assert (read(field, str(low)), read(field, str(high))) == (low, high)
    for text in (str(low - 1), str(high + 1), "1.5", "-1", "ten", " 5", "٣", "9" * 5000, "0" * 19 + "99" + "0" * 20):
        assert f"from {low} to {high}" in refusal(field, text)


@pytest.mark.parametrize(("field", "bounds"), SECONDS.items())
def test_seconds_are_read_on_their_bounds_and_refused_beyond_them(field: str, bounds: tuple[float, float]) -> None:
    low, high = bounds
    assert (read(field, f"{low}"), read(field, f"{high}")) == (low, high)
    for text in (f"{low - 0.001}", f"{high + 0.5}", "nan", "inf", "-inf", "soon"):
        assert "a number of seconds from" in refusal(field, text)


@pytest.mark.parametrize(("field", "names"), CHOICES.items())
def test_a_choice_takes_its_names_and_no_other(field: str, names: tuple[str, ...]) -> None:
    assert [read(field, name) for name in names] == list(names)
    for text in (names[0] + "x", names[0].swapcase(), " " + names[0]):
        assert ", ".join(names) in refusal(field, text)


@pytest.mark.parametrize(("field", "schemes"), URLS.items())
def test_a_url_takes_its_schemes_and_loses_the_last_slash(field: str, schemes: tuple[str, ...]) -> None:
    assert [read(field, f"{scheme}://host:1/") for scheme in schemes] == [f"{scheme}://host:1" for scheme in schemes]
    for text in ("host:1", "ftp://host", f"{schemes[0]}://", f"{schemes[0]}:host", f"{schemes[0]}://a b"):
        assert f"{schemes[0]}://" in refusal(field, text)


@pytest.mark.parametrize(
    "url",
    [
        "redis://h", "redis://h:6379", "redis://:pw@h:1/2", "rediss://user:p%40w@h:1/0", "redis://[::1]:6379/0",
        "redis+sentinel://h:1,h:2/main/0", "rediss+sentinel://u:p@h/main",
    ],
)  # fmt: skip
def test_every_form_of_a_redis_url_is_read(url: str) -> None:
    assert read("redis_url", url) == url


@pytest.mark.parametrize(
    "url",
    [
        "redis://:hunter2@h:port/0", "redis://:hunter2@h:99999", "redis://:pa/hunter2@h:1", "redis://u:hunter2@h:1/db",
        "redis+sentinel://:hunter2@h:x/main", "redis+sentinel://:hunter2@h:1/main/db",
    ],
)  # fmt: skip
def test_a_redis_url_that_cannot_be_used_stops_the_start_and_shows_no_password(url: str) -> None:
    assert "hunter2" not in refusal("redis_url", url)


@pytest.mark.parametrize("field", FILES)
def test_a_file_must_exist(field: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert "exists" in refusal(field, str(path))
    assert "exists" in refusal(field, str(tmp_path))
    path.write_text("")
    assert read(field, str(path)) == path


@pytest.mark.parametrize("field", ["api_key", "upstream_api_key", "metrics_token"])
@pytest.mark.parametrize("text", ["hunter2\n", "hunter2é", "hunter2\x7f"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(field: str, text: str) -> None:
    assert "hunter2" not in refusal(field, text)


@pytest.mark.parametrize("field", ["redis_url", "upstream_url", "upstream_proxy", "public_url"])
def test_a_url_with_a_password_is_refused_without_showing_it(field: str) -> None:
    assert "hunter2" not in refusal(field, "wrong://user:hunter2@host")


def test_models_are_a_comma_separated_list() -> None:
    assert read("models", " a , b,,c ") == ("a", "b", "c")
    assert read("models", "*") == ("*",)
    assert "comma-separated" in refusal("models", " , ,")


def test_a_signing_secret_is_read_and_one_that_is_none_is_refused_without_showing_it() -> None:
    secret = new_secret()
    assert read("webhook_secret", secret) == secret
    for text in ("hunter2", "whsec_hunter2", "whsec_" + "aHVudGVyMg==", secret.removeprefix("whsec_")):
        assert text not in refusal("webhook_secret", text)


def test_receivers_that_are_admitted_are_read_and_a_wrong_one_is_named() -> None:
    assert read("webhook_allow", "10.1.0.0/16, hooks.internal") == Allow.parse("10.1.0.0/16,hooks.internal")
    assert "'10.0.0.1/8'" in refusal("webhook_allow", "hooks.internal, 10.0.0.1/8")


def test_a_schedule_has_one_to_fifty_waits_of_at_most_seven_days_together() -> None:
    assert read("webhook_schedule", "0") == (0,)
    assert read("webhook_schedule", " 0, 0.5,604799.5") == (0, 0.5, 604799.5)
    assert read("webhook_schedule", ",".join("0" * 50)) == (0,) * 50
    assert "must begin with 0" in refusal("webhook_schedule", "5,300")
    for text in (",", "0,,5", "soon", "-1", "nan", "604801"):
        assert "a number of seconds from 0 to 604800" in refusal("webhook_schedule", text)
    for text in (",".join("1" * 51), "604800,1", "302400.5,302400"):
        assert "at most 50 numbers of seconds, all together at most 7 days" in refusal("webhook_schedule", text)


def test_an_empty_variable_counts_as_absent() -> None:
    assert read_settings({variable(field.name): "" for field in dataclasses.fields(Settings)}) == Settings()


def test_a_misspelt_setting_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="RESPOOL_SLOT: no such setting"):
        read_settings({"RESPOOL_SLOT": "4"})


def test_variables_of_others_are_left_alone() -> None:
    assert read_settings({"PATH": "/bin", "RESPOOL_URL": "http://h", "RESPOOL_CHAOS": "1"}) == Settings()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        read_settings({}).slots = 5  # type: ignore[misc]


@pytest.mark.parametrize("field", ["upstream_url", "upstream_proxy", "public_url"])
def test_a_port_that_cannot_be_is_refused(field: str) -> None:
    assert read(field, "http://host:65535/v1") == "http://host:65535/v1"
    assert "65535" in refusal(field, "http://host:65536/v1")


def test_a_folder_is_one_or_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert read("files_folder", str(tmp_path)) == tmp_path
    assert read("files_folder", str(tmp_path / "new")) == tmp_path / "new"
    assert "must name a folder" in refusal("files_folder", str(tmp_path / "file"))


def test_files_go_out_by_url_only_where_there_is_an_address_of_ours() -> None:
    assert read("file_delivery", "data") == "data"
    assert "one of data, url" in refusal("file_delivery", "link")
    assert "needs RESPOOL_PUBLIC_URL" in refusal("file_delivery", "url")
    both = {"RESPOOL_FILE_DELIVERY": "url", "RESPOOL_PUBLIC_URL": "https://jobs.example"}
    assert read_settings(both).file_delivery == "url"


def test_trusted_proxies_are_addresses_and_networks() -> None:
    found = read("trusted_proxies", "10.0.0.0/8, 192.0.2.1,fd00::/8")
    assert [str(network) for network in found] == ["10.0.0.0/8", "192.0.2.1/32", "fd00::/8"]  # type: ignore[attr-defined]
    for text in ("10.0.0.1/8", "proxy.example", "10.0.0.0/8;10.1.0.0/16"):
        assert "10.0.0.0/8" in refusal("trusted_proxies", text)


def test_old_secrets_stand_side_by_side() -> None:
    assert read("old_secrets", "one  two,three") == ("one", "two,three")
