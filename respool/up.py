"""`respool up`: the whole service on one's own machine."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from queue import SimpleQueue

import click
import requests

from jobs.connection import connect
from jobs.errors import SettingsError, StoreError
from jobs.settings import PREFIX, Settings, read_settings
from jobs.workers import Workers
from respool import processes, server
from respool.child import Surroundings
from respool.data_folder import DEFAULT_FOLDER, DataFolder, Service
from respool.errors import CannotRun, WrongSettings
from respool.lifeline import Lifeline
from respool.log import Log
from respool.supervisor import Supervisor

HOST = "127.0.0.1"
BACKLOG = 2048
REDIS_SECONDS = 120.0
READY_SECONDS = 60.0
LOOK_SECONDS = 1.0


@click.command()
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Of the API; 0: a free one.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Worker processes.")
@click.option("--slots", type=click.IntRange(1, 20000), help="Calls that one worker makes at the same time.")
@click.option(
    "--data",
    "folder",
    default=DEFAULT_FOLDER,
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that keeps the jobs and the key.",
)
def up(port: int, workers: int, slots: int | None, folder: Path) -> None:
    """Run the service on this machine until Ctrl-C.

    Starts a Redis-protocol server (unless RESPOOL_REDIS_URL names one), the API, the workers and, unless
    RESPOOL_UPSTREAM_URL is set, the sandbox. Prints `respool ready at http://127.0.0.1:PORT` once all of it answers.
    """
