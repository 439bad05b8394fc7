"""`respool restore`: folders that a service starts from, made of a backup."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import click

from jobs.errors import SettingsError
from jobs.settings import read_settings
from respool.backup_folder import UP_FILES, BackupFolder, copy_files, copy_private
from respool.errors import CannotRun, WrongSettings
from respool.manifest import Manifest, is_secret
from respool.moments import local
from respool.target import json_option
from respool.visible import print_line

AOF_FOLDER = "appendonlydir"
AOF_BASE = "appendonly.aof.1.base.rdb"
AOF_MANIFEST = "appendonly.aof.manifest"
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("backup", type=click.Path(file_okay=False, exists=True, path_type=Path))
@click.option("--data", "folder", type=FOLDER, help="New data folder for `respool up`.")
@click.option("--redis-folder", type=FOLDER, help="Empty folder (`dir`) for a Redis with appendonly yes.")
@click.option("--files-folder", type=FOLDER, help="Empty folder for RESPOOL_FILES_FOLDER.")
@click.option(
    "--other-secret", is_flag=True,
    help="Restore though RESPOOL_SECRET is not the backup's: API keys, signing secrets and URLs of webhooks no longer "
    "hold, and are made anew.",
)  # fmt: skip
@json_option("Print what the backup says of itself.")
def restore(
    backup: Path,
    folder: Path | None,
    redis_folder: Path | None,
    files_folder: Path | None,
    other_secret: bool,
    as_json: bool,
) -> None:
    """Make of a backup what a service starts from.

    That is a new --data folder, or --redis-folder and --files-folder. Nothing may run on them yet. As root,
    what is written belongs to whom the folders belong.
    """
    if (folder is None) == (redis_folder is None):
        raise click.UsageError("say either --data, or --redis-folder (and --files-folder)")
    kept = BackupFolder(backup)
    manifest = kept.manifest()
    if not other_secret:
        _check_secret(manifest)
    redis_folder = redis_folder or (folder / "redis" if folder else Path())
    files_folder = files_folder or (folder / "files" if folder else None)
    if files_folder is None and manifest.files:
        raise click.UsageError(f"the backup has {manifest.files} files: say where to with --files-folder")
    try:
        _write(kept, redis_folder=redis_folder, files_folder=files_folder, up=folder)
    except OSError as error:
        raise CannotRun(f"the restore broke off: {error}; empty the folders before you try again") from error
    if as_json:
        print_line(manifest.told())
    else:
        click.echo(_summary(manifest))


def _summary(manifest: Manifest) -> str:
    taken = local(manifest.taken_at)
    return f"restored as of {taken}; for {manifest.server} or newer, RESPOOL release {manifest.release}"


def _check_secret(manifest: Manifest) -> None:
    try:
        secret = read_settings(os.environ).secret
    except SettingsError as error:
        raise WrongSettings(str(error)) from error
    if is_secret(manifest, secret):
        return
    wanted = "another one" if manifest.secret else "none: unset it"
    raise WrongSettings(
        f"RESPOOL_SECRET is not that of the backup, which had {wanted}; API keys and webhooks "
        "would not hold (--other-secret restores all the same)"
    )


def _write(kept: BackupFolder, *, redis_folder: Path, files_folder: Path | None, up: Path | None) -> None:
    targets = [target for target in (up, redis_folder, files_folder) if target is not None]
    for target in targets:
        _make_empty(target)
    _write_aof(kept.redis, redis_folder / AOF_FOLDER)
    if files_folder is not None:
        copy_files(kept.files, files_folder)
    for name in UP_FILES if up is not None else ():
        if (kept.up / name).is_file():
            copy_private(kept.up / name, up / name)  # type: ignore[operator]
    if os.geteuid() == 0:
        for target in targets:
            _hand_over(target)


def _make_empty(target: Path) -> None:
    """Raises CannotRun if something is kept there, or in a part of it that an earlier round made."""
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(path.is_file() for path in target.rglob("*")):
        raise CannotRun(f"{target} is not empty")


def _write_aof(rdb: Path, folder: Path) -> None:
    """The snapshot as the base of an append-only file: with appendonly yes, a Redis looks at no dump.rdb."""
    folder.mkdir(mode=0o700, exist_ok=True)
    copy_private(rdb, folder / AOF_BASE)
    (folder / AOF_MANIFEST).write_text(f"file {AOF_BASE} seq 1 type b\n", encoding="ascii")


def _hand_over(target: Path) -> None:
    owner = target.stat()
    for path in _all_in(target):
        shutil.chown(path, owner.st_uid, owner.st_gid)


def _all_in(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if not path.is_symlink())
