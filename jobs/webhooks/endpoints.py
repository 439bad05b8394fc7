"""The webhook endpoints: receivers that a project registered for its events."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import redis

from jobs import keys, scripts
from jobs.errors import EndpointDisabled, EndpointNotFound, TooManyEndpoints
from jobs.record import new_number
from jobs.vault import Vault
from jobs.webhooks.cancelling import cancel_owed
from jobs.webhooks.endpoint_record import (
    ENDPOINT_PREFIX,
    FIELDS,
    Endpoint,
    EndpointChange,
    read_endpoint,
    stored,
)
from jobs.webhooks.secrets import FIELD as SECRETS
from jobs.webhooks.secrets import new_secret, rotate_in
from jobs.webhooks.target import Include
from jobs.webhooks.trial import trial_of
from schemas.webhook_url import WebhookUrl

MOST_ENDPOINTS = 50
"""Of one project: each event is owed to all that want it, in one script."""


class Endpoints:
    """`retention_seconds`: for how long a delivery of a test event is kept after its end."""

    def __init__(self, client: redis.Redis, vault: Vault, *, retention_seconds: float = 7 * 86400.0) -> None:
        self._client = client
        self._vault = vault
        self._retention_ms = round(retention_seconds * 1000)

    def create(
        self,
        project: str,
        *,
        url: WebhookUrl,
        events: Sequence[str] | None = None,
        include: Include = "id",
        description: str = "",
    ) -> tuple[str, Endpoint]:
        """The secret that signs, which is in this answer alone, and the endpoint.

        Raises TooManyEndpoints, StoreUnavailable.
        """
        endpoint_id, secret = ENDPOINT_PREFIX + new_number(), new_secret()
        change = EndpointChange(url=url, events=events, include=include, description=description)
        fields = stored(change, self._vault) | {SECRETS: json.dumps([[self._vault.seal(secret), 0]])}
        if self._set(endpoint_id, "create", project, fields) == b"full":
            raise TooManyEndpoints(str(MOST_ENDPOINTS))
        return secret, self.get(endpoint_id, project=project)

    def all(self, project: str | None) -> list[Endpoint]:
        """Those of `project` or (None) of all, oldest first. Raises StoreUnavailable."""
        with scripts.translated():
            names: Any = [project.encode()] if project is not None else self._client.smembers(keys.PROJECTS)
            with self._client.pipeline(transaction=False) as pipeline:
                for name in sorted(names):
                    pipeline.zrange(keys.webhook_endpoints(name.decode()), 0, -1)
                ids = [endpoint.decode() for answer in pipeline.execute() for endpoint in answer]
        found = [endpoint for endpoint in self._read(ids) if endpoint is not None]
        return sorted(found, key=lambda endpoint: (endpoint.created_at, endpoint.id))

    def get(self, endpoint_id: str, *, project: str | None) -> Endpoint:
        """The endpoint, of `project` or (None) of any. Raises EndpointNotFound, StoreUnavailable."""
        (endpoint,) = self._read([endpoint_id])
        if endpoint is None or (project is not None and endpoint.project != project):
            raise EndpointNotFound(endpoint_id)
        return endpoint

    def change(self, endpoint_id: str, change: EndpointChange, *, project: str | None) -> Endpoint:
        """The endpoint after the change; what it is owed is cancelled if it is disabled now.

        Raises EndpointNotFound, StoreUnavailable.
        """
        if self._set(endpoint_id, "change", project or "", stored(change, self._vault)) == b"missing":
            raise EndpointNotFound(endpoint_id)
        if change.get("status") == "disabled":
            self._cancel(endpoint_id)
        return self.get(endpoint_id, project=project)

    def delete(self, endpoint_id: str, *, project: str | None) -> None:
        """Forgets the endpoint and cancels what it is owed. Raises EndpointNotFound, StoreUnavailable."""
        call = scripts.Call(
            name="forget_endpoint", keys=[keys.webhook_endpoint(endpoint_id)], args=[endpoint_id, project or ""]
        )
        if scripts.run(self._client, call) == b"missing":
            raise EndpointNotFound(endpoint_id)
        self._cancel(endpoint_id)

    def rotate(self, endpoint_id: str, *, project: str | None) -> str:
        """A new secret; those before it sign for a day more.

        Raises EndpointNotFound, TooManySecrets, StoreUnavailable.
        """
        self.get(endpoint_id, project=project)
        return rotate_in(self._client, keys.webhook_endpoint(endpoint_id), self._vault)

    def test(self, endpoint_id: str, *, project: str | None, type: str) -> str:
        """The number of a delivery that shows whether events arrive. Raises EndpointNotFound, EndpointDisabled,
        StoreUnavailable."""
        owner = self.get(endpoint_id, project=project).project
        trial = trial_of(type, project=owner, endpoint_id=endpoint_id)
        args: list[scripts.Argument] = [endpoint_id, owner, trial.id, type, trial.about, trial.own, self._retention_ms]
        call = scripts.Call(name="owe_test", keys=[keys.webhook_endpoint(endpoint_id)], args=args)
        answer, *rest = scripts.run(self._client, call)
        if answer == b"missing":
            raise EndpointNotFound(endpoint_id)
        if answer == b"disabled":
            raise EndpointDisabled(endpoint_id)
        return str(rest[0].decode())

    def _set(self, endpoint_id: str, way: str, project: str, fields: Mapping[str, str]) -> bytes:
        words = [word for pair in fields.items() for word in pair]
        args: list[scripts.Argument] = [endpoint_id, way, project, MOST_ENDPOINTS, *words]
        call = scripts.Call(name="set_endpoint", keys=[keys.webhook_endpoint(endpoint_id)], args=args)
        return bytes(scripts.run(self._client, call))

    def _cancel(self, endpoint_id: str) -> None:
        cancel_owed(lambda call: scripts.run(self._client, call), endpoint_id)

    def _read(self, ids: Sequence[str]) -> list[Endpoint | None]:
        with scripts.translated(), self._client.pipeline(transaction=False) as pipeline:
            for endpoint_id in ids:
                pipeline.hmget(keys.webhook_endpoint(endpoint_id), FIELDS)
            answers = pipeline.execute()
        return [
            read_endpoint(i, values, self._vault) if values[0] else None for i, values in zip(ids, answers, strict=True)
        ]
