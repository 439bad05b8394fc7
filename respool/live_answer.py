"""One job on the terminal: where it is on stderr, and the text of its answer on stdout as it is written."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import ExitStack
from typing import assert_never

import click

from respool.displays import Display, Lines, display, ending, state, taken
from respool.following import News, Piece, Restarted, Silent
from respool.job_view import JobView
from respool.visible import print_piece, shown


class LiveAnswer:
    """Both may be one terminal, so the bar goes as soon as text comes; what happens then is told between the lines."""

    def __init__(self, job_id: str) -> None:
        self._bar = ExitStack()
        self._display: Display = self._bar.enter_context(display([job_id]))
        self._written = ""
        self._last: JobView | None = None

    def show(self, news: Iterable[News]) -> JobView:
        """The job at its end, after all of it was shown."""
        with self._bar:
            for one in news:
                self._take(one)
        assert self._last is not None  # nosec B101  # the loop sets it
        self._complete(self._last)
        return self._last

    def _take(self, news: News) -> None:
        match news:
            case JobView():
                self._place(news)
            case Piece():
                self._write(shown(news.text))
            case Restarted():
                self._say("the answer begins anew, with another attempt:")
                self._written = ""
            case Silent():
                pass
            case _:
                assert_never(news)

    def _place(self, job: JobView) -> None:
        before, self._last = self._last, job
        if not self._written or before is None:
            self._display.show(job)
        elif not job.ended and job.status != before.status:
            self._say(state(job))

    def _write(self, text: str) -> None:
        if text and not self._written:
            self._bar.close()
            self._display = Lines()
        print_piece(text)
        self._written += text

    def _say(self, line: str) -> None:
        self._end_line()
        click.echo(line, err=True)

    def _end_line(self) -> None:
        if self._written and not self._written.endswith("\n"):
            click.echo()
            sys.stdout.flush()

    def _complete(self, job: JobView) -> None:
        """Writes what of the answer had not come as it was written, then how it ended."""
        if job.text.startswith(self._written):
            self._write(job.text[len(self._written) :])
        elif job.text:
            self._say("the whole answer:")
            self._written = ""
            self._write(job.text)
        self._end_line()
        for line in [ending(job), *taken(job)]:
            click.echo(line, err=True)
