"""`respool backup`: a copy of a running service."""

from __future__ import annotations

import os
import time
from importlib.metadata import version
from pathlib import Path

import click

from jobs.settings import read_settings
from respool.backup_folder import UP_FILES, BackupFolder, copy_files, copy_private
from respool.data_folder import DEFAULT_FOLDER, DataFolder
from respool.errors import WrongSettings
from respool.manifest import Manifest, check_of
from respool.snapshot import take_snapshot
from respool.target import Store, find_store, folder_option, json_option
from respool.visible import print_line


@click.command()
@click.argument("to", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--files", type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="Folder of the uploaded files.  [default: RESPOOL_FILES_FOLDER, or that of the running `respool up`]",
)  # fmt: skip
@json_option("Print what the backup says of itself.")
@folder_option
def backup(to: Path, files: Path | None, as_json: bool, folder: Path | None) -> None:
    """Copy a service into a new folder while it runs.

    TO gets what Redis holds at one moment, and the uploaded files: of the running `respool up`, or of
    RESPOOL_REDIS_URL. It holds requests and answers in the clear; RESPOOL_SECRET, where it is set, is not in it: keep
    that elsewhere.
    """
    store = find_store(folder=folder)
    up = _up_of(store, folder)
    files = files or (up.files if up else read_settings(os.environ).files_folder)
    if files is not None and not files.is_dir():
        raise WrongSettings(
            f"RESPOOL_FILES_FOLDER names {files}, which is not here: run this where it is, or say --files"
        )
    kept = BackupFolder(to)
    with kept.begun():
        manifest = _copy(store, kept, files=files, up=up)
    if as_json:
        print_line(manifest.told())
    else:
        click.echo(f"{to}: {manifest.redis_bytes:,} bytes of {manifest.server}, {manifest.files:,} files")
    if files is None:
        click.echo("no folder of files is known (--files, RESPOOL_FILES_FOLDER): none were copied", err=True)


def _copy(store: Store, kept: BackupFolder, *, files: Path | None, up: DataFolder | None) -> Manifest:
    """Files are copied before and after Redis: those that it names are there, unless they were deleted meanwhile."""
    if files is not None:
        copy_files(files, kept.files)
    taken_at = time.time()
    snapshot = take_snapshot(store.redis_url, kept.redis)
    if files is not None:
        copy_files(files, kept.files)
    if up is not None:
        _copy_up(up.path, kept.up)
    count, size = kept.files_kept()
    manifest = Manifest(
        release=version("respool"),
        taken_at=round(taken_at, 3),
        server=snapshot.server,
        redis_bytes=snapshot.bytes,
        redis_sha256=snapshot.sha256,
        files=count,
        files_bytes=size,
        secret=check_of(store.secret),
    )
    kept.seal(manifest)
    return manifest


def _copy_up(source: Path, target: Path) -> None:
    target.mkdir(mode=0o700)
    for name in UP_FILES:
        if (source / name).is_file():
            copy_private(source / name, target / name)


def _up_of(store: Store, folder: Path | None) -> DataFolder | None:
    """The folder of the `up` whose Redis this is."""
    found = DataFolder(folder or DEFAULT_FOLDER)
    service = found.service()
    return found if service is not None and service.redis_url == store.redis_url else None
