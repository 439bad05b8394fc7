"""Messages of Celery's protocol 2, as the scripts post them."""

from __future__ import annotations

import json
from functools import cache


@cache
def message_of(task: str) -> str:
    """A message for `task` as JSON; the scripts fill in its id, its queue and its arguments."""
    return json.dumps(
        {
            "body": "",
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {"lang": "py", "task": task, "id": "", "root_id": "", "parent_id": None, "group": None},
            "properties": {
                "correlation_id": "",
                "delivery_mode": 2,
                "delivery_tag": "",
                "priority": 0,
                "delivery_info": {"exchange": "", "routing_key": ""},
            },
        }
    )
