"""`respool lanes`: how each upstream account × model runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from marshmallow import ValidationError

from respool.lane_desk import Lane, lane_desk
from respool.moments import local
from respool.tables import print_table, rows, text_table, used
from respool.target import folder_option, json_option, url_option
from respool.visible import print_document, print_lines, shown
from schemas.lane import LIMITS, MAX_PAUSE_SECONDS, because

COLUMNS = ("lane", "state", "in flight", "waiting", "requests/min", "tokens/min", "run", "note")


def _reason(_: click.Context, __: click.Parameter, text: str) -> str:
    """Bounded as over HTTP; none at all is said by leaving it out."""
    try:
        return str(because().deserialize(text)) if text else ""
    except ValidationError as error:
        raise click.BadParameter(str(error.messages[0])) from error


json_lane = json_option("Print the whole lane.")
reason_option = click.option("--reason", default="", callback=_reason, help="Why; it is shown and logged.")


@click.group()
def lanes() -> None:
    """Look at, change, pause and resume lanes: an upstream account × model each, named ACCOUNT:MODEL.

    They are kept in the Redis of the running `respool up`, or of RESPOOL_REDIS_URL, and need no key there; with --url,
    or RESPOOL_URL alone, the API is asked, which takes changes by an admin key. Changes hold at once and for good,
    whatever is started anew. RESPOOL_LIMITS_FILE must be the service's own; a running `up` is asked for it.
    """


@lanes.command(name="list")
@json_option("Print whole lanes, one a line.")
@url_option
@folder_option
def list_lanes(as_json: bool, url: str | None, folder: Path | None) -> None:
    """List the lanes; `5/200` is what is used and what is allowed at present."""
    with lane_desk(url=url, folder=folder) as desk:
        found = desk.all()
    print_lines(found) if as_json else _print(found)


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
@json_lane
@url_option
@folder_option
def set_limits(
    lane: str, unset: Sequence[str], reason: str, as_json: bool, url: str | None, folder: Path | None,
    **given: int | float | None,
) -> None:  # fmt: skip
    """Change limits of LANE."""
    values: dict[str, int | float | None] = {name: value for name, value in given.items() if value is not None}
    values |= dict.fromkeys(name.replace("-", "_") for name in unset)
    if not values:
        raise click.UsageError("say what to set, or what to --unset")
    with lane_desk(url=url, folder=folder) as desk:
        try:
            changed = desk.change(lane, values, reason=reason)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
    _tell(changed, as_json=as_json)


@lanes.command()
@click.argument("lane")
@click.option(
    "--seconds",
    type=click.FloatRange(0, MAX_PAUSE_SECONDS, min_open=True),
    help="For how long.  [default: until it is resumed]",
)
@reason_option
@json_lane
@url_option
@folder_option
def pause(lane: str, seconds: float | None, reason: str, as_json: bool, url: str | None, folder: Path | None) -> None:
    """Release no more jobs of LANE; calls in flight go on."""
    with lane_desk(url=url, folder=folder) as desk:
        paused = desk.pause(lane, seconds=seconds, reason=reason)
    _tell(paused, as_json=as_json)


@lanes.command()
@click.argument("lane")
@reason_option
@json_lane
@url_option
@folder_option
def resume(lane: str, reason: str, as_json: bool, url: str | None, folder: Path | None) -> None:
    """End a pause of LANE, whoever ordered it."""
    with lane_desk(url=url, folder=folder) as desk:
        resumed = desk.resume(lane, reason=reason)
    _tell(resumed, as_json=as_json)


def _tell(lane: Lane, *, as_json: bool) -> None:
    print_document(lane) if as_json else _print([lane])


def _print(found: Sequence[Lane]) -> None:
    print_table(text_table(COLUMNS, rows(cells, found)))


def cells(lane: Lane) -> tuple[str, ...]:
    now, run = lane["now"], lane["run_seconds"]["p50"]
    return (
        shown(lane["id"]), lane["state"], used(lane["in_flight"], now["in_flight"]), str(lane["waiting"]),
        used(lane["requests_last_minute"], now["requests_per_minute"]),
        used(lane["tokens_last_minute"], now["tokens_per_minute"]), "" if run is None else f"{run:.1f} s", _note(lane),
    )  # fmt: skip


def _note(lane: Lane) -> str:
    parts = [shown(lane["reason"])] if lane["reason"] else []
    if lane["paused_until"] is not None:
        parts.append(f"until {local(lane['paused_until'])}")
    if lane["changed"]:
        parts.append(f"set: {', '.join(lane['changed'])}")
    return "; ".join(parts)
