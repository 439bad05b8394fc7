import json

import pytest

from respool.errors import Refused
from respool.manifest import FORMAT, Manifest, check_of, is_secret, read_manifest


def manifest(secret: str) -> Manifest:
    return Manifest(
        release="1",
        taken_at=0.5,
        server="valkey 9",
        redis_bytes=0,
        redis_sha256="",
        files=0,
        files_bytes=0,
        secret=secret,
    )


@pytest.mark.parametrize(
    ("then", "now", "same"),
    [("one", "one", True), ("one", "two", False), ("one", "", False), ("", "", True), ("", "one", False)],
)
def test_a_manifest_tells_whether_a_secret_is_the_one_of_then(then: str, now: str, same: bool) -> None:
    assert is_secret(manifest(check_of(then)), now) is same


def test_a_check_does_not_hold_the_secret_and_is_another_each_time() -> None:
    assert "one" not in check_of("one")
    assert check_of("one") != check_of("one")


def test_a_manifest_is_read_as_it_was_written() -> None:
    written = manifest(check_of("one"))
    assert read_manifest(written.text()) == written
    assert written.told()["secret"] is True


@pytest.mark.parametrize("text", ["", "[]", '"text"'])
def test_what_is_no_manifest_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"Expecting|no object"):
        read_manifest(text)


def test_what_a_newer_release_says_beside_is_passed_over() -> None:
    told = json.loads(manifest("").text())
    assert read_manifest(json.dumps(told | {"colour": 1})) == manifest("")


def test_fields_that_are_missing_are_named() -> None:
    told = json.loads(manifest("").text())
    del told["server"], told["secret"]
    with pytest.raises(Refused, match="server, secret"):
        read_manifest(json.dumps(told))


def test_a_format_that_is_not_known_is_told() -> None:
    with pytest.raises(Refused, match="format"):
        read_manifest(json.dumps({"format": FORMAT + 1}))
