"""What can be set about the sandbox, and how it is read from an environment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.limits import LIMITERS, Limits

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
    `limits`: how much is let in when it starts.
    `kept_requests`: how many of the latest calls `GET /sandbox/requests` can show.
    `kept_responses`: how many of the latest responses that have ended are known by their id.
    """

    api_key: str | None = None
    max_media_bytes: int = 512 * MEBIBYTE
    max_body_bytes: int = 64 * MEBIBYTE
    fetch_timeout_seconds: float = 60.0
    fetch_proxy: str | None = None
    limits: Limits = field(default_factory=Limits)
    kept_requests: int = 1_000
    kept_responses: int = 1_000


def settings_from(environ: Mapping[str, str]) -> SandboxSettings:
    """Read `SANDBOX_…` variables; one that is unset or empty keeps its default.

    Raises WrongSetting for a number that is none or is not above zero, and for a word that is not known.
    """
    plain = SandboxSettings()
    return SandboxSettings(
        api_key=environ.get("SANDBOX_API_KEY") or None,
        max_media_bytes=_count(environ, "SANDBOX_MAX_MEDIA_BYTES") or plain.max_media_bytes,
        max_body_bytes=_count(environ, "SANDBOX_MAX_BODY_BYTES") or plain.max_body_bytes,
        fetch_timeout_seconds=_number(environ, "SANDBOX_FETCH_TIMEOUT_SECONDS", most=86_400)
        or plain.fetch_timeout_seconds,
        fetch_proxy=environ.get("SANDBOX_FETCH_PROXY") or None,
        limits=_limits(environ),
        kept_requests=_count(environ, "SANDBOX_KEPT_REQUESTS") or plain.kept_requests,
        kept_responses=_count(environ, "SANDBOX_KEPT_RESPONSES") or plain.kept_responses,
    )


def _limits(environ: Mapping[str, str]) -> Limits:
    plain = Limits()
    return Limits(
        requests_per_minute=_count(environ, "SANDBOX_REQUESTS_PER_MINUTE"),
        tokens_per_minute=_count(environ, "SANDBOX_TOKENS_PER_MINUTE"),
        in_flight=_count(environ, "SANDBOX_IN_FLIGHT"),
        ramp_per_second=_number(environ, "SANDBOX_RAMP_PER_SECOND", most=100_000),
        limiter=_one_of(environ, "SANDBOX_LIMITER", LIMITERS) or plain.limiter,
        bucket=_count(environ, "SANDBOX_BUCKET") or plain.bucket,
        retry_after=_one_of(environ, "SANDBOX_RETRY_AFTER", ("yes", "no")) or plain.retry_after,
        window_seconds=_number(environ, "SANDBOX_WINDOW_SECONDS", most=86_400) or plain.window_seconds,
    )


def _count(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise WrongSetting(f"{name} must be a whole number above zero")
    return int(text)


def _number(environ: Mapping[str, str], name: str, *, most: int) -> float | None:
    text = environ.get(name, "")
    if not text:
        return None
    try:
        number = float(text)
    except ValueError as error:
        raise WrongSetting(f"{name} must be a number") from error
    if not 0 < number <= most:
        raise WrongSetting(f"{name} must be above 0 and at most {most}")
    return number


def _one_of(environ: Mapping[str, str], name: str, known: Sequence[str]) -> str | None:
    text = environ.get(name, "")
    if text and text not in known:
        raise WrongSetting(f"{name} must be one of: {', '.join(known)}")
    return text or None
