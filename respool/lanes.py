"""`respool lanes`: how each upstream account × model runs, straight on Redis, so that no admin key is needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click
from marshmallow import ValidationError

from jobs.errors import LaneNotFound
from jobs.lane_reader import LaneState
from jobs.lane_states import LaneStates
from jobs.limits import check_change
from respool.errors import Refused
from respool.job_view import shown
from respool.store_client import limits_of, opened_store
from respool.tables import print_table, text_table, used
from respool.target import folder_option
from schemas.lane import LIMITS, MAX_PAUSE_SECONDS, because

BY = "command line"
COLUMNS = ("lane", "state", "in flight", "waiting", "requests/min", "tokens/min", "run", "note")


def _reason(_: click.Context, __: click.Parameter, text: str) -> str:
    """Bounded as over HTTP; none at all is said by leaving it out."""
    try:
        return str(because().deserialize(text)) if text else ""
    except ValidationError as error:
        raise click.BadParameter(str(error.messages[0])) from error


reason_option = click.option("--reason", default="", callback=_reason, help="Why; it is shown and logged.")


@click.group()
def lanes() -> None:
    """Look at, change, pause and resume lanes: an upstream account × model each, named ACCOUNT:MODEL.

    They are kept in the Redis of the running `respool up`, or of RESPOOL_REDIS_URL. Changes hold at once and for good,
    whatever is started anew. RESPOOL_LIMITS_FILE must be the service's own; a running `up` is asked for it.
    """


@lanes.command(name="list")
@folder_option
def list_lanes(folder: Path | None) -> None:
    """List the lanes; `5/200` is what is used and what is allowed at present."""
    with _lane_states(folder) as states:
        _print(states.all())


@lanes.command(name="set")
@click.argument("lane")
@click.option("--requests-per-minute", type=int)
@click.option("--tokens-per-minute", type=int)
@click.option("--in-flight", type=int, help="Calls at a time.")
@click.option("--ramp-per-second", type=float, help="Calls in flight that may be added a second.")
@click.option("--burst", type=int, help="Requests that may go at once.")
@click.option("--unset", multiple=True, type=click.Choice([name.replace("_", "-") for name in LIMITS]), metavar="LIMIT",
              help="Take this one back to what the limits file says; may be given several times.")  # fmt: skip
@click.option("--reason", required=True, callback=_reason, help="Why; it is shown and logged.")
@folder_option
def set_limits(lane: str, unset: Sequence[str], reason: str, folder: Path | None, **given: int | float | None) -> None:
    """Change limits of LANE."""
    values: dict[str, int | float | None] = {name: value for name, value in given.items() if value is not None}
    values |= dict.fromkeys(name.replace("-", "_") for name in unset)
    if not values:
        raise click.UsageError("say what to set, or what to --unset")
    with _lane_states(folder) as states:
        try:
            _print([states.change(lane, check_change(values), reason=reason, by=BY)])
        except ValueError as error:
            raise click.UsageError(str(error)) from error


@lanes.command()
@click.argument("lane")
@click.option(
    "--seconds",
    type=click.FloatRange(0, MAX_PAUSE_SECONDS, min_open=True),
    help="For how long.  [default: until it is resumed]",
)
@reason_option
@folder_option
def pause(lane: str, seconds: float | None, reason: str, folder: Path | None) -> None:
    """Release no more jobs of LANE; calls in flight go on."""
    with _lane_states(folder) as states:
        _print([states.pause(lane, seconds=seconds, reason=reason, by=BY)])


@lanes.command()
@click.argument("lane")
@reason_option
@folder_option
def resume(lane: str, reason: str, folder: Path | None) -> None:
    """End a pause of LANE, whoever ordered it."""
    with _lane_states(folder) as states:
        _print([states.resume(lane, reason=reason, by=BY)])


@contextmanager
def _lane_states(folder: Path | None) -> Iterator[LaneStates]:
    with opened_store(folder) as (client, store):
        try:
            yield LaneStates(client, limits_of(store))
        except LaneNotFound as error:
            raise Refused(f"there is no lane {shown(str(error))}; `respool lanes list` shows them") from error


def _print(found: Sequence[LaneState]) -> None:
    print_table(text_table(COLUMNS, [cells(lane) for lane in found]))


def cells(lane: LaneState) -> tuple[str, ...]:
    run = "" if lane.run_seconds_p50 is None else f"{lane.run_seconds_p50:.1f} s"
    return (
        shown(lane.name), lane.state, used(lane.in_flight, lane.width), str(lane.waiting),
        used(lane.requests_last_minute, lane.requests_per_minute),
        used(lane.tokens_last_minute, lane.tokens_per_minute), run, _note(lane),
    )  # fmt: skip


def _note(lane: LaneState) -> str:
    parts = [shown(lane.reason)] if lane.reason else []
    if lane.paused_until is not None:
        parts.append(f"until {datetime.fromtimestamp(lane.paused_until).astimezone():%Y-%m-%d %H:%M:%S}")
    if lane.changed:
        parts.append(f"set: {', '.join(lane.changed)}")
    return "; ".join(parts)
