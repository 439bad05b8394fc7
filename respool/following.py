"""Jobs as they go on, several at a time: their states, and of one the text of its answer as it is written."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import SimpleQueue

from respool.client import Api
from respool.errors import CommandError
from respool.events import follow_events
from respool.job_view import JobView

EVERY_SECONDS = 2
"""How often the state of a job that goes on is looked at; its end is seen at once."""

RESTARTED = "respool:attempt.restarted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """More of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Restarted:
    """The answer begins anew: what came of it is void."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """No more of the answer will come."""


News = JobView | Piece | Restarted | Silent


def follow_all(api: Api, ids: Sequence[str]) -> Iterator[JobView]:
    """States of all the jobs as they come, until each has ended. Raises what following one of them raises."""
    running = len(ids)
    for news in _together([_states(api, job_id) for job_id in ids]):
        if isinstance(news, JobView):
            yield news
            running -= news.ended
        if not running:
            return


def follow_answer(api: Api, job_id: str) -> Iterator[News]:
    """What happens to one job, until it has ended and all of its answer was told."""
    ended = silent = False
    for news in _together([_states(api, job_id), _text(api, job_id)]):
        yield news
        ended = ended or (isinstance(news, JobView) and news.ended)
        silent = silent or isinstance(news, Silent)
        if ended and silent:
            return


def _states(api: Api, job_id: str) -> Iterator[News]:
    yield from api.follow(job_id, every_seconds=EVERY_SECONDS)


def _text(api: Api, job_id: str) -> Iterator[News]:
    """Ends with Silent, whatever happens: an answer that cannot be followed can be read at the end."""
    try:
        for event in follow_events(api.session, job_id.replace("job_", "resp_", 1)):
            if event.get("type") == "response.output_text.delta":
                yield Piece(text=str(event.get("delta", "")))
            elif event.get("type") == RESTARTED:
                yield Restarted()
    except CommandError:
        pass
    yield Silent()


def _together(sources: Sequence[Iterator[News]]) -> Iterator[News]:
    """What comes from any of the sources, as it comes; never ends by itself. Raises what a source raises."""
    coming: SimpleQueue[News | CommandError] = SimpleQueue()
    for source in sources:
        threading.Thread(target=_drain, args=(source, coming.put), daemon=True).start()
    while True:
        news = coming.get()
        if isinstance(news, CommandError):
            raise news
        yield news


def _drain(source: Iterator[News], put: Callable[[News | CommandError], None]) -> None:
    try:
        for news in source:
            put(news)
    except CommandError as error:
        put(error)
