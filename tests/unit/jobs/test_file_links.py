from urllib.parse import parse_qs, urlsplit

import pytest
import redis

from jobs.file_links import FileLinks

FILE = "file-" + "0" * 32


def links(client: redis.Redis, *, secret: str = "") -> FileLinks:
    return FileLinks(client, secret=secret, public_url="https://jobs.example/api")


def parts_of(link: str) -> tuple[int, str]:
    query = parse_qs(urlsplit(link).query)
    return int(query["expires"][0]), query["signature"][0]


@pytest.mark.parametrize("secret", ["", "the secret"])
def test_a_link_is_good_for_its_file_and_its_time_in_every_process(secret: str, store_client: redis.Redis) -> None:
    link = links(store_client, secret=secret).link(FILE, seconds=60)
    assert link.startswith(f"https://jobs.example/api/v1/files/{FILE}/signed?")
    expires, signature = parts_of(link)
    reader = links(store_client, secret=secret)
    assert reader.admits(FILE, expires=expires, signature=signature)
    assert not reader.admits("file-" + "1" * 32, expires=expires, signature=signature)
    assert not reader.admits(FILE, expires=expires + 1, signature=signature)
    assert not reader.admits(FILE, expires=expires, signature=signature[:-1] + "g")
    assert not reader.admits(FILE, expires=expires, signature="é")
    assert not links(store_client, secret="another").admits(FILE, expires=expires, signature=signature)


def test_a_link_ends(store_client: redis.Redis) -> None:
    expires, signature = parts_of(links(store_client).link(FILE, seconds=-1))
    assert not links(store_client).admits(FILE, expires=expires, signature=signature)
