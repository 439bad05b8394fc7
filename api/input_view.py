"""Pages over the items of an input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jobs.errors import CursorNotFound
from schemas.input_items import complete_input


def input_page(
    given: str | Sequence[Mapping[str, Any]], *, number: str, limit: int, order: str, after: str | None = None
) -> dict[str, Any]:
    """At most `limit` items that come after the one of id `after`, as InputItemListSchema shows them.

    `number` is the X of the response's id; `order` is asc or desc. Raises CursorNotFound.
    """
    items = complete_input(given, number=number)
    if order == "desc":
        items.reverse()
    ids = [item["id"] for item in items]
    if after is not None and after not in ids:
        raise CursorNotFound(after)
    start = ids.index(after) + 1 if after is not None else 0
    page, shown = items[start : start + limit], ids[start : start + limit]
    return {
        "object": "list",
        "data": page,
        "first_id": shown[0] if shown else None,
        "last_id": shown[-1] if shown else None,
        "has_more": start + limit < len(items),
    }
