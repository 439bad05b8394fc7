"""The API key of a call."""

import hmac

from sandbox.errors import Refused

END_CHARACTERS = 4


def key_of(authorization: str, *, wanted: str | None) -> str:
    """The key in an `Authorization` header, which must be `wanted`; any will do where that is None.

    Raises Refused (401) where there is none or another.
    """
    scheme, _, key = authorization.partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not (bool(key) if wanted is None else _is_same(key, wanted)):
        raise Refused("The API key is missing or not valid.", status=401)
    return key


def end_of(key: str) -> str:
    """Enough of a key to tell one from another in the records."""
    return key[-END_CHARACTERS:]


def _is_same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode("utf-8", "replace"))
