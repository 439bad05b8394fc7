from pathlib import Path
from typing import Literal

import pytest
import redis

from jobs import keys
from jobs.errors import CursorNotFound
from jobs.file_listing import FileListing
from jobs.file_record import File
from jobs.files import Files
from tests.fakes.files import put, store_at


@pytest.fixture
def files(store_client: redis.Redis, tmp_path: Path) -> Files:
    return store_at(tmp_path, store_client)


@pytest.fixture
def listing(files: Files, store_client: redis.Redis) -> FileListing:
    return FileListing(store_client, files)


def walked(listing: FileListing, *, order: Literal["asc", "desc"], limit: int = 2) -> list[str]:
    """The ids of all pages of alice's files."""
    found: list[str] = []
    while True:
        after = found[-1] if found else None
        page = listing.page(project="alice", purpose=None, limit=limit, after=after, order=order)
        found += [file.id for file in page.files]
        if not page.has_more:
            return found


def made(files: Files, count: int) -> list[File]:
    purposes = ("user_data", "batch")
    return [put(files, b"x", purpose=purposes[n % 2]) for n in range(count)]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("same_microsecond", [False, True])
def test_pages_come_to_every_file_once_and_in_order(
    order: Literal["asc", "desc"],
    same_microsecond: bool,
    files: Files,
    listing: FileListing,
    store_client: redis.Redis,
) -> None:
    all_of_them = made(files, 7)
    if same_microsecond:
        for file in all_of_them:
            store_client.hset(keys.file(file.number), "created", 5)
            store_client.zadd(keys.files(file.purpose, "alice"), {file.number: 5})
        all_of_them.sort(key=lambda file: file.number)
    put(files, b"x", project="bob")
    ids = [file.id for file in all_of_them]
    assert walked(listing, order=order) == (ids if order == "asc" else ids[::-1])


def test_a_purpose_can_be_asked_for(files: Files, listing: FileListing) -> None:
    first, second, third = made(files, 3)
    found = listing.page(project="alice", purpose="user_data", limit=10, after=second.id, order="asc")
    assert [file.id for file in found.files] == [third.id]
    found = listing.page(project="alice", purpose="user_data", limit=10, after=None)
    assert [file.id for file in found.files] == [third.id, first.id]


def test_all_projects_can_be_listed_together(files: Files, listing: FileListing) -> None:
    mine, other = put(files, b"x"), put(files, b"x", project="bob")
    page = listing.page(project=None, purpose=None, limit=10, after=None)
    assert [file.id for file in page.files] == [other.id, mine.id]


def test_what_is_not_there_or_anothers_is_no_place_to_go_on_from(files: Files, listing: FileListing) -> None:
    other = put(files, b"x", project="bob")
    for after in (other.id, "file-" + "0" * 32, "nonsense", ""):
        with pytest.raises(CursorNotFound):
            listing.page(project="alice", purpose=None, limit=10, after=after)
