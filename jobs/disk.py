"""The disk under the files: made durable, and its errors as those of the store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import gevent
from gevent import monkey

from jobs.errors import FolderUnavailable


def put_on_disk(descriptor: int) -> None:
    """Under gevent on a native thread: a disk may take seconds for it, in which nothing else would run."""
    if monkey.is_module_patched("socket"):
        gevent.get_hub().threadpool.apply(os.fsync, (descriptor,))
    else:
        os.fsync(descriptor)


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turns what the disk says into FolderUnavailable."""
    try:
        yield
    except OSError as error:
        raise FolderUnavailable(f"the folder of files cannot be used: {error.strerror or error}") from error
