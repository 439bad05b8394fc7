"""From a validated body to where webhooks go and what signs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from api.auth import caller
from api.links import own_origins
from api.services import services
from jobs.tenants import DEFAULT_PROJECT
from jobs.webhooks.secrets import check_secret
from jobs.webhooks.target import Webhook
from schemas.webhook_url import UrlRefused, WebhookUrl, parse_webhook_url

NO_SECRET = (
    "is required, since project {project} has no signing secret of its own; "  # nosec B105  # a text
    "POST /v1/webhook_secret/rotate makes one and shows it once"
)


def url_of(text: str) -> WebhookUrl:
    """Raises ValidationError for an address that webhooks may not go to."""
    try:
        return _judged(text)
    except UrlRefused as error:
        raise ValidationError({"url": [str(error)]}) from error


def _judged(text: str) -> WebhookUrl:
    return parse_webhook_url(text, allow=services().settings.webhook_allow, own=own_origins())


def webhook_of(options: Mapping[str, Any]) -> Webhook | None:
    """Where the events of the job go that `options` (RespoolOptionsSchema) are for, the URL and the secret sealed.

    Raises ValidationError, which does not show the secret, and StoreUnavailable.
    """
    asked = options.get("webhook")
    if asked is None:
        return None
    mistakes: dict[str, list[str]] = {}
    url, secret = None, asked.get("secret")
    try:
        url = _judged(asked["url"])
    except UrlRefused as error:
        mistakes["url"] = [str(error)]
    try:
        _check_secret(secret)
    except ValueError as error:
        mistakes["secret"] = [str(error)]
    if url is None or mistakes:
        raise ValidationError({"webhook": mistakes})
    return Webhook(
        url=services().vault.seal(url.url),
        origin=url.origin,
        events=tuple(asked["events"]) if asked.get("events") is not None else None,
        include=asked.get("include", "id"),
        secret=services().vault.seal(secret) if secret is not None else None,
    )


def _check_secret(secret: str | None) -> None:
    if secret is not None:
        check_secret(secret)
    elif not signs_for(caller().project):
        raise ValueError(NO_SECRET.format(project=caller().project))


def signs_for(project: str) -> bool:
    """Whether webhooks of the project's jobs are signed without a secret of their own."""
    return has_set_secret(project) or services().webhook_secrets.exists(project)


def has_set_secret(project: str) -> bool:
    """Whether the settings say what signs for the project."""
    return bool(services().settings.webhook_secret) and project == DEFAULT_PROJECT
