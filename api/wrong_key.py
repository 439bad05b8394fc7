"""What a credential gets that is none: a refusal, and after many from one address another one.

A valid key is looked up whatever came before it, so nobody is locked out by a neighbour. A guess is not made harder by
this: a key has 256 random bits. What the limit does is to tell broken clients to stop, and operators of who tries.
"""

from __future__ import annotations

import logging

from api.client_address import client_address
from api.refusal import Refusal, too_many_wrong_keys
from api.services import services

log = logging.getLogger(__name__)


def too_many_seconds() -> float | None:
    """Counts one for the address of the present request; None while it may be told that it was wrong."""
    address = client_address()
    found = services().wrong_keys.count(address)
    if found is None:
        return None
    if found.first:
        log.warning("too many invalid keys come from %s", address or "a socket of this machine")
    return found.seconds


def refusal_of_wrong(given: str, otherwise: Refusal) -> Refusal:
    """`otherwise`, or a 429 if too much was given that is no key; an absent one is no guess."""
    seconds = too_many_seconds() if given else None
    return otherwise if seconds is None else too_many_wrong_keys(seconds)
