"""Which secrets sign a delivery."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from jobs.errors import Unsealable
from jobs.tenants import DEFAULT_PROJECT
from jobs.vault import Vault
from jobs.webhooks.deliveries import DeliveryClaim

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

    def _opened(self, claim: DeliveryClaim) -> Iterator[str]:
        for sealed in claim.sealed:
            try:
                yield self._vault.open(sealed)
            except Unsealable as error:
                log.warning("a secret of project %s does not sign %s: %s", claim.project, claim.event_id, error)
