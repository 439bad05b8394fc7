"""Which secrets sign a delivery, and where it goes."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from jobs.errors import Unsealable
from jobs.tenants import DEFAULT_PROJECT
from jobs.vault import Vault
from jobs.webhooks.deliveries import DeliveryClaim
from jobs.webhooks.target import open_url

log = logging.getLogger(__name__)


class Keyring:
    """`own_secret` is RESPOOL_WEBHOOK_SECRET or empty: it signs for the default project, before those in the store."""

    def __init__(self, vault: Vault, *, own_secret: str) -> None:
        self._vault = vault
        self._own_secret = own_secret

    def secrets_of(self, claim: DeliveryClaim) -> list[str]:
        """The current one first; those that cannot be opened are told of and left out. Raises StoreUnavailable."""
        own = claim.signer == "project" and claim.project == DEFAULT_PROJECT and self._own_secret
        return [*([self._own_secret] if own else []), *self._opened(claim)]

    def url_of(self, claim: DeliveryClaim) -> str:
        """Where it goes; "", which is told of, if that cannot be opened. Raises StoreUnavailable."""
        try:
            return open_url(claim.url, self._vault)
        except Unsealable as error:
            log.warning("the URL that %s goes to cannot be read: %s", claim.event_id, error)
            return ""

    def _opened(self, claim: DeliveryClaim) -> Iterator[str]:
        for sealed in claim.sealed:
            try:
                yield self._vault.open(sealed)
            except Unsealable as error:
                log.warning("a secret of project %s does not sign %s: %s", claim.project, claim.event_id, error)
