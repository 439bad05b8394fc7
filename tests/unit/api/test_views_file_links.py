from pathlib import Path

import pytest
from flask import Flask

from api.services import EXTENSION
from tests.unit.api.conftest import AppMaker, Caller, error_of
from tests.unit.api.files import uploaded

PUBLIC = "https://jobs.example"


@pytest.fixture
def app(make_app: AppMaker, tmp_path: Path) -> Flask:
    return make_app(files_folder=tmp_path, public_url=PUBLIC)


def link_to(app: Flask, file_id: str, *, seconds: float = 60) -> str:
    """Without the base."""
    link: str = app.extensions[EXTENSION].files.links.link(file_id, seconds=seconds)
    return link.removeprefix(PUBLIC)


def test_a_signed_link_needs_no_key_and_says_what_the_file_is(app: Flask, alice: Caller, nobody: Caller) -> None:
    file = uploaded(alice, b"\x89PNG\r\n\x1a\n....", filename="x")
    link = link_to(app, file["id"])
    answer = nobody.get(link)
    assert (answer.status_code, answer.data) == (200, b"\x89PNG\r\n\x1a\n....")
    assert answer.headers["Content-Type"] == "image/png"
    assert nobody.get(link, headers={"Range": "bytes=1-3"}).data == b"PNG"
    head = nobody.ask("HEAD", link)
    assert (head.status_code, head.headers["Content-Length"], head.data) == (200, "12", b"")


def test_a_page_is_handed_out_to_be_saved_and_never_run(app: Flask, alice: Caller, nobody: Caller) -> None:
    file = uploaded(alice, b"<script>alert(1)</script>", filename="x.html")
    answer = nobody.get(link_to(app, file["id"]))
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_any_other_link_is_refused_alike(app: Flask, alice: Caller, nobody: Caller) -> None:
    first, second = uploaded(alice)["id"], uploaded(alice)["id"]
    link = link_to(app, first)
    wrong = [
        link_to(app, first, seconds=-1),
        link.replace(first, second),
        link.replace("expires=", "expires=1"),
        link + "0",
        f"/v1/files/{first}/signed?expires=99999999999&signature=",
        link_to(app, "file-" + "0" * 32, seconds=-1),
    ]
    for path in wrong:
        answer = nobody.get(path)
        assert (answer.status_code, error_of(answer)["code"]) == (403, "invalid_signature"), path
    unsigned = nobody.get(f"/v1/files/{first}/signed")
    assert (unsigned.status_code, unsigned.json["error"]["message"].count("is required")) == (400, 1)


def test_a_link_outlives_no_file(app: Flask, alice: Caller, nobody: Caller) -> None:
    file = uploaded(alice)
    link = link_to(app, file["id"])
    alice.delete(f"/v1/files/{file['id']}")
    assert nobody.get(link).status_code == 404


def test_a_link_opens_nothing_but_the_bytes(app: Flask, alice: Caller, nobody: Caller) -> None:
    file = uploaded(alice)
    _, _, query = link_to(app, file["id"]).partition("?")
    for path in (f"/v1/files/{file['id']}", f"/v1/files/{file['id']}/content", "/v1/files"):
        assert nobody.get(f"{path}?{query}").status_code == 401
