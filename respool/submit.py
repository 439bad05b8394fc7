"""`respool submit`: hands a request in."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import click

from respool import asked, media
from respool.client import Api, new_key
from respool.pairs import read_pairs
from respool.target import find_api, folder_option, json_option, url_option
from respool.visible import print_document
from respool.watch import follow
from schemas.respool_options import DEFAULT_PRIORITY, PRIORITIES

REQUEST_OPTIONS = ("model", "prompt", "videos", "images", "fps")


@click.command()
@click.argument("file", type=click.File("rb"), required=False)
@click.option("-m", "--model", help="Which model is asked.")
@click.option("-p", "--prompt", help="What it is asked; - for standard input.")
@click.option("--video", "videos", multiple=True, metavar="FILE|URL", help="A video to look at; several are allowed.")
@click.option("--image", "images", multiple=True, metavar="FILE|URL", help="A picture to look at.")
@click.option("--fps", type=click.FloatRange(0, min_open=True), help="Frames a second that are looked at in videos.")
@click.option("--metadata", multiple=True, metavar="KEY=VALUE", help="Kept with the job, to find it by.")
@click.option(
    "--priority",
    type=click.IntRange(PRIORITIES[0], PRIORITIES[-1]),
    help=f"Higher goes first: a step is worth some time of waiting.  [default: what FILE says, or {DEFAULT_PRIORITY}]",
)
@click.option("--webhook", metavar="URL", help="Where the job's end is told.")
@click.option("--key", metavar="TEXT", help="Idempotency-Key: with the same key and request, it is the same job.")
@click.option("--dry-run", is_flag=True, help="Store nothing; tell what it would take and when it would start.")
@click.option("-w", "--watch", "watched", is_flag=True, help="Follow it to its end, as `respool watch` does.")
@json_option("Print the whole job instead of its id.")
@url_option
@folder_option
def submit(
    file: IO[bytes] | None, key: str | None, dry_run: bool, watched: bool, as_json: bool, url: str | None,
    folder: Path | None, **options: Any,
) -> None:  # fmt: skip
    """Hand in a job and print its id.

    \b
      respool submit -m MODEL -p "What happens here?" --video film.mp4 --fps 1
      respool submit FILE        (- for standard input)

    FILE holds JSON: either a Responses request ({"model": …, "input": …}) or a job ({"request": {…}, "metadata": …}).
    A local video or picture is uploaded, and kept for 30 days.
    """
    held = None if file is None else asked.read_job(file.read())
    _check(options, has_file=held is not None)
    api = Api(find_api(url=url, folder=folder))
    body = (held or {"request": _request(api, **options)}) | _beside(options)
    if dry_run:
        print_document(api.session.ask("POST", "/v1/jobs", params={"dry_run": "true"}, json=body))
        return
    job = api.submit(body, idempotency_key=key or new_key())
    if watched:
        click.echo(job.id, err=True)
        follow([job.id], api=api, as_json=as_json)
    elif as_json:
        print_document(job.document)
    else:
        click.echo(job.id)


def _check(options: dict[str, Any], *, has_file: bool) -> None:
    """Raises click.UsageError for what cannot be meant."""
    said = [name for name in REQUEST_OPTIONS if options[name]]
    if has_file and said:
        raise click.UsageError(f"FILE holds the whole request; --{said[0].removesuffix('s')} cannot stand beside it")
    if not has_file and not said:
        raise click.UsageError("say what to hand in: FILE, or --model with --prompt, --video or --image")
    if options["fps"] and not options["videos"]:
        raise click.UsageError("--fps is about videos; name one with --video")
    if not has_file and not (options["prompt"] or options["videos"] or options["images"]):
        raise click.UsageError("say what to ask with --prompt, --video or --image")


def _request(
    api: Api, *, model: str | None, prompt: str | None, videos: Sequence[str], images: Sequence[str],
    fps: float | None, **_: Any,
) -> dict[str, Any]:  # fmt: skip
    if not model:
        names = [str(entry.get("id")) for entry in api.entries("/v1/models")]
        raise click.UsageError(f"say which --model; the service offers {', '.join(names) or 'any'}")
    if prompt == "-":
        prompt = sys.stdin.read()
    rate = {} if fps is None else {"fps": int(fps) if fps == int(fps) else fps}
    parts = [media.part(api, "image", named) for named in images]
    parts += [media.part(api, "video", named) | rate for named in videos]
    return asked.request(model=model, prompt=prompt or "", media=parts)


def _beside(options: dict[str, Any]) -> dict[str, Any]:
    """What stands beside the request."""
    found: dict[str, Any] = {}
    if options["metadata"]:
        found["metadata"] = read_pairs(options["metadata"], option="--metadata")
    if options["priority"] is not None:
        found["priority"] = options["priority"]
    if options["webhook"]:
        found["webhook"] = {"url": options["webhook"]}
    return found
