"""What many pages show is looked at once for all of them that ask at the same time."""

from __future__ import annotations

import secrets

from jobs.looks import Looks


class SharedLooks(Looks):
    """`stand_in` is what a look has where each reader has something of their own, the token of the session; nobody is
    ever shown it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stand_in = secrets.token_urlsafe(24)
