"""Cancelling what a webhook endpoint is owed that takes nothing any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jobs import scripts

PIECE = 500


def cancel_owed(run: Callable[[scripts.Call], Any], endpoint_id: str) -> None:
    """Piece by piece; what is left when this is cut short is cancelled when its time comes. Raises as `run` does."""
    passed_over = 0
    while True:
        args: list[scripts.Argument] = [endpoint_id, passed_over, PIECE]
        cancelled, left = run(scripts.Call(name="cancel_deliveries", args=args))
        passed_over += left
        if cancelled + left < PIECE:
            return
