"""What can be set about the sandbox, and how it is read from an environment."""

from collections.abc import Mapping
from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


class WrongSetting(ValueError):
    """A setting has a value it cannot have. The text names the setting, never its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """Settings of one sandbox.

    `api_key`: the one key that is let in; None lets any non-empty key in.
    `max_media_bytes`: the largest medium that is looked into, after decoding.
    `max_body_bytes`: the largest request body.
    `fetch_timeout_seconds`: how long fetching one medium may take in all.
    `fetch_proxy`: URL of the proxy that media are fetched through, or None.
    `requests_per_minute`: calls let in during any 60 s; None sets no limit.
    `kept_requests`: how many of the latest calls `GET /sandbox/requests` can show.
    """

    api_key: str | None = None
    max_media_bytes: int = 512 * MEBIBYTE
    max_body_bytes: int = 64 * MEBIBYTE
    fetch_timeout_seconds: float = 60.0
    fetch_proxy: str | None = None
    requests_per_minute: int | None = None
    kept_requests: int = 1_000


def settings_from(environ: Mapping[str, str]) -> SandboxSettings:
    """Read `SANDBOX_…` variables; one that is unset or empty keeps its default.

    Raises WrongSetting for a number that is none, or is not above zero.
    """
    plain = SandboxSettings()
    return SandboxSettings(
        api_key=environ.get("SANDBOX_API_KEY") or None,
        max_media_bytes=_count(environ, "SANDBOX_MAX_MEDIA_BYTES") or plain.max_media_bytes,
        max_body_bytes=_count(environ, "SANDBOX_MAX_BODY_BYTES") or plain.max_body_bytes,
        fetch_timeout_seconds=_seconds(environ, "SANDBOX_FETCH_TIMEOUT_SECONDS") or plain.fetch_timeout_seconds,
        fetch_proxy=environ.get("SANDBOX_FETCH_PROXY") or None,
        requests_per_minute=_count(environ, "SANDBOX_REQUESTS_PER_MINUTE"),
        kept_requests=_count(environ, "SANDBOX_KEPT_REQUESTS") or plain.kept_requests,
    )


def _count(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise WrongSetting(f"{name} must be a whole number above zero")
    return int(text)


def _seconds(environ: Mapping[str, str], name: str) -> float | None:
    text = environ.get(name, "")
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError as error:
        raise WrongSetting(f"{name} must be a number of seconds") from error
    if not 0 < seconds <= 86_400:
        raise WrongSetting(f"{name} must be above 0 and at most 86400 seconds")
    return seconds
