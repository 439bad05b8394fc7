from pathlib import Path

import click
import pytest

from respool.errors import Refused
from respool.media import part
from respool.uploads import size
from tests.fakes.small_api import answering, routed

KEPT = {"POST /v1/files": {"id": "file-1"}}


def refusing(status: int, code: str) -> dict[str, object]:
    return {"POST /v1/files": (status, {}, {"error": {"message": "no", "code": code}})}


@pytest.fixture
def film(tmp_path: Path) -> Path:
    file = tmp_path / "film.mp4"
    file.write_bytes(b"\x00\x00\x00\x18ftypmp42" + b"x" * 988)
    return file


@pytest.mark.parametrize("url", ["https://example.com/a.mp4", "http://h/a", "data:video/mp4;base64,AA"])
def test_an_address_goes_as_it_is(url: str) -> None:
    with answering(routed({})) as (api, asked):
        assert part(api, "video", url) == {"type": "input_video", "video_url": url}
        assert asked == []


def test_a_file_is_uploaded_named_by_its_id_and_its_size_told(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with answering(routed(KEPT)) as (api, asked):
        assert part(api, "image", str(film)) == {"type": "input_image", "file_id": "file-1"}
    assert film.read_bytes() in asked[0].body
    assert b'name="purpose"\r\n\r\nuser_data' in asked[0].body
    assert capsys.readouterr().err == "film.mp4: 1.0 kB, uploaded as file-1\n"


def test_where_no_files_are_kept_it_goes_inside_the_request(film: Path) -> None:
    with answering(routed(refusing(501, "files_not_configured"))) as (api, _):
        assert part(api, "video", str(film))["video_url"].startswith("data:video/mp4;base64,AAAAGGZ0eXBtcDQy")


def test_any_other_refusal_is_one(film: Path) -> None:
    with answering(routed(refusing(413, "files_full"))) as (api, asked), pytest.raises(Refused, match="413"):
        part(api, "video", str(film))
    assert len(asked) == 1


def test_what_is_neither_file_nor_address_is_wrong_usage(tmp_path: Path) -> None:
    with answering(routed({})) as (api, _), pytest.raises(click.UsageError, match="no such file"):
        part(api, "video", str(tmp_path / "none.mp4"))


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2_000_000, "2.0 MB"), (5 * 10**12, "5000.0 GB")]
)
def test_sizes_are_told_in_thousands(count: int, text: str) -> None:
    assert size(count) == text
