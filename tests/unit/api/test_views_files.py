from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import redis
import schemathesis
from flask import Flask
from hypothesis import given, settings
from openai.types import FileDeleted, FileObject
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from jobs import keys
from tests.unit.api.conftest import AppMaker, Caller, error_of
from tests.unit.api.files import upload, uploaded

NOTHING = "file-" + "0" * 32


@pytest.fixture
def app(make_app: AppMaker, tmp_path: Path) -> Flask:
    return make_app(files_folder=tmp_path / "files", max_file_bytes=1000, files_bytes=2500)


def on_disk(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "files").rglob("*") if path.is_file())


def test_an_upload_is_the_protocols_file(alice: Caller, tmp_path: Path) -> None:
    file = uploaded(alice, b"hello", filename="Ünï code.txt")
    FileObject.model_validate(file, strict=True)
    assert file["id"].startswith("file-")
    assert (file["bytes"], file["filename"], file["purpose"]) == (5, "Ünï code.txt", "user_data")
    assert "expires_at" not in file
    assert on_disk(tmp_path) == [file["id"].removeprefix("file-")]
    assert alice.get(f"/v1/files/{file['id']}").json == file


def test_a_file_of_a_batch_goes_after_thirty_days_unless_it_is_said_otherwise(alice: Caller) -> None:
    file = uploaded(alice, purpose="batch")
    assert file["expires_at"] - file["created_at"] == pytest.approx(30 * 86400, abs=1)
    sooner = uploaded(alice, purpose="batch", expires_after="3600")
    assert sooner["expires_at"] - sooner["created_at"] == pytest.approx(3600, abs=1)
    assert "expires_at" in uploaded(alice, expires_after="2592000")


@pytest.mark.parametrize("name", ["/etc/passwd", "../../x", "a/b", "x" * 255, "файл.txt", ".", "9.41\u202fAM.png"])
def test_a_filename_is_what_was_given_and_never_a_path(name: str, alice: Caller, tmp_path: Path) -> None:
    file = uploaded(alice, filename=name)
    assert file["filename"] == name
    assert on_disk(tmp_path) == [file["id"].removeprefix("file-")]
    answer = alice.get(f"/v1/files/{file['id']}/content")
    assert (answer.status_code, answer.data) == (200, b"hello")
    answer.headers["Content-Disposition"].encode("ascii")


@pytest.mark.parametrize(
    ("how", "param"),
    [
        ({"purpose": "assistants"}, "purpose"),
        ({"purpose": "batch_output"}, "purpose"),
        ({"purpose": ""}, "purpose"),
        ({"expires_after": "3599"}, "expires_after[seconds]"),
        ({"expires_after": "2592001"}, "expires_after[seconds]"),
        ({"expires_after": "soon"}, "expires_after[seconds]"),
        ({"expires_after[anchor]": "last_active_at", "expires_after[seconds]": "3600"}, "expires_after[anchor]"),
        ({"expires_after[anchor]": "created_at"}, "expires_after"),
        ({"expires_after[seconds]": "3600"}, "expires_after"),
        ({"unheard": "of"}, "unheard"),
        ({"data": b""}, "file"),
        ({"filename": "x" * 256}, "file"),
        ({"filename": "a\x01b"}, "file"),
    ],
)
def test_a_mistake_in_the_form_is_named_and_leaves_nothing(
    how: dict[str, Any], param: str, alice: Caller, tmp_path: Path, store_client: redis.Redis
) -> None:
    answer = upload(alice, **how)
    assert answer.status_code == 400
    error = error_of(answer)
    assert (error["param"], error["code"], error["type"]) == (param, "invalid_value", "invalid_request_error")
    assert on_disk(tmp_path) == []
    assert list(store_client.scan_iter(keys.PREFIX + "file*")) == []


BOUNDARY = {"Content-Type": "multipart/form-data; boundary=b"}
PURPOSE = b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nhello\r\n'


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (PURPOSE + b"--b--\r\n", "invalid_value", "file"),
        (FILE + b"--b--\r\n", "invalid_value", "purpose"),
        (PURPOSE + FILE + FILE + b"--b--\r\n", "invalid_value", "file"),
        (PURPOSE + PURPOSE + FILE + b"--b--\r\n", "invalid_value", "purpose"),
        (PURPOSE + FILE + 2 * PURPOSE.replace(b'; name="purpose"', b"") + b"--b--\r\n", "invalid_value", None),
        (PURPOSE + FILE.replace(b'"file"', b'"other"') + b"--b--\r\n", "invalid_value", "file"),
        (PURPOSE + FILE.replace(b'; filename="f"', b"") + b"--b--\r\n", "invalid_value", "file"),
        (PURPOSE + FILE, "invalid_form", None),
        (PURPOSE + FILE[:-20], "invalid_form", None),
        (b"", "invalid_value", "file"),
        (b"nonsense", "invalid_form", None),
    ],
)
def test_a_form_that_is_not_whole_or_not_right_leaves_nothing(
    body: bytes, code: str, param: str | None, alice: Caller, tmp_path: Path
) -> None:
    answer = alice.post("/v1/files", data=body, headers=BOUNDARY)
    assert answer.status_code == 400
    assert (error_of(answer)["code"], error_of(answer)["param"]) == (code, param)
    assert on_disk(tmp_path) == []


def test_the_form_is_read_whatever_comes_first(alice: Caller) -> None:
    assert alice.post("/v1/files", data=FILE + PURPOSE + b"--b--\r\n", headers=BOUNDARY).json["purpose"] == "batch"


@pytest.mark.parametrize(
    "kind", ["application/json", "application/x-www-form-urlencoded", "multipart/mixed; boundary=b", ""]
)
def test_another_kind_of_body_is_refused(kind: str, alice: Caller) -> None:
    answer = alice.post("/v1/files", data=PURPOSE + FILE + b"--b--\r\n", headers={"Content-Type": kind})
    assert (answer.status_code, error_of(answer)["code"]) == (415, "unsupported_media_type")


def test_a_compressed_form_is_refused(alice: Caller) -> None:
    headers = BOUNDARY | {"Content-Encoding": "gzip"}
    answer = alice.post("/v1/files", data=PURPOSE + FILE + b"--b--\r\n", headers=headers)
    assert (answer.status_code, error_of(answer)["param"]) == (415, "Content-Encoding")


def test_a_form_without_a_boundary_is_refused(alice: Caller) -> None:
    answer = alice.post("/v1/files", data=FILE, headers={"Content-Type": "multipart/form-data"})
    assert (answer.status_code, error_of(answer)["code"]) == (400, "invalid_form")


@pytest.mark.parametrize("size", [1001, 2_000_000])
def test_a_file_beyond_the_bound_is_refused_and_leaves_nothing(size: int, alice: Caller, tmp_path: Path) -> None:
    assert uploaded(alice, b"x" * 1000)["bytes"] == 1000
    answer = upload(alice, b"x" * size)
    assert (answer.status_code, error_of(answer)["code"], error_of(answer)["param"]) == (413, "file_too_large", "file")
    assert "RESPOOL_MAX_FILE_BYTES" in error_of(answer)["message"]
    assert len(on_disk(tmp_path)) == 1


def test_fields_beside_the_file_have_a_bound_of_their_own(alice: Caller, tmp_path: Path) -> None:
    assert upload(alice, unheard="x" * 600_000).status_code == 413
    assert on_disk(tmp_path) == []


def test_a_file_may_be_larger_than_a_body(make_app: AppMaker, alice: Caller, tmp_path: Path) -> None:
    app = make_app(files_folder=tmp_path / "files", max_body_bytes=1024)
    assert uploaded(Caller(app.test_client(), alice.key), b"x" * 300_000)["bytes"] == 300_000


def test_a_project_that_has_its_bytes_gets_no_more_until_some_go(alice: Caller, bob: Caller, tmp_path: Path) -> None:
    first = uploaded(alice, b"x" * 1000)
    uploaded(alice, b"x" * 1000)
    for size in (501, 1):
        answer = upload(alice, b"x" * size)
        if size == 1:
            assert answer.status_code == 200
            continue
        assert (answer.status_code, error_of(answer)["code"]) == (413, "files_full")
        assert "RESPOOL_FILES_BYTES" in error_of(answer)["message"]
    assert uploaded(bob, b"x" * 1000)
    alice.delete(f"/v1/files/{first['id']}")
    assert upload(alice, b"x" * 501).status_code == 200
    assert len(on_disk(tmp_path)) == 4


def test_deleting_forgets_record_and_bytes(alice: Caller, tmp_path: Path) -> None:
    file = uploaded(alice)
    answer = alice.delete(f"/v1/files/{file['id']}")
    FileDeleted.model_validate(answer.json, strict=True)
    assert answer.json == {"id": file["id"], "object": "file", "deleted": True}
    assert on_disk(tmp_path) == []
    assert alice.delete(f"/v1/files/{file['id']}").status_code == 404


def test_the_bytes_come_back_as_they_were(alice: Caller) -> None:
    data = bytes(range(256)) * 3
    file = uploaded(alice, data, filename="page.html")
    answer = alice.get(f"/v1/files/{file['id']}/content")
    assert (answer.status_code, answer.data) == (200, data)
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Length"] == str(len(data))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="page.html"'
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("asked", "status", "data", "told"),
    [
        ("bytes=1-3", 206, b"ell", "bytes 1-3/5"), ("bytes=3-", 206, b"lo", "bytes 3-4/5"),
        ("bytes=-1", 206, b"o", "bytes 4-4/5"), ("bytes=0-1,3-4", 200, b"hello", None),
    ],
)  # fmt: skip
def test_a_part_can_be_asked_for(asked: str, status: int, data: bytes, told: str | None, alice: Caller) -> None:
    answer = alice.get(f"/v1/files/{uploaded(alice)['id']}/content", headers={"Range": asked})
    assert (answer.status_code, answer.data, answer.headers.get("Content-Range")) == (status, data, told)
    assert (answer.headers["Content-Length"], answer.headers["Accept-Ranges"]) == (str(len(data)), "bytes")


def test_a_part_that_is_not_there_is_refused_with_the_length(alice: Caller) -> None:
    answer = alice.get(f"/v1/files/{uploaded(alice)['id']}/content", headers={"Range": "bytes=9-"})
    assert (answer.status_code, error_of(answer)["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["Content-Range"] == "bytes */5"


def test_only_a_get_without_a_condition_gets_a_part(alice: Caller) -> None:
    path, part = f"/v1/files/{uploaded(alice)['id']}/content", {"Range": "bytes=1-3"}
    head = alice.ask("HEAD", path, headers=part)
    assert (head.status_code, head.headers["Content-Length"], head.data) == (200, "5", b"")
    assert alice.get(path, headers=part | {"If-Range": '"x"'}).data == b"hello"


def test_a_large_part_comes_whole(make_app: AppMaker, alice: Caller, tmp_path: Path) -> None:
    caller = Caller(make_app(files_folder=tmp_path / "files").test_client(), alice.key)
    data = bytes(range(256)) * 1024
    path = f"/v1/files/{uploaded(caller, data)['id']}/content"
    assert caller.get(path, headers={"Range": "bytes=3-200000"}).data == data[3:200_001]


def test_a_record_whose_bytes_are_lost_answers_as_no_file(alice: Caller, tmp_path: Path) -> None:
    file = uploaded(alice)
    number = file["id"].removeprefix("file-")
    (tmp_path / "files" / number[0] / number).unlink()
    answer = alice.get(f"/v1/files/{file['id']}/content")
    assert (answer.status_code, error_of(answer)["message"]) == (404, f"No such File object: {file['id']}")


def test_pages_go_by_limit_order_and_purpose(alice: Caller) -> None:
    files = [uploaded(alice, purpose=("batch", "user_data")[n % 2]) for n in range(5)]
    ids = [file["id"] for file in files]
    page = alice.get("/v1/files?limit=2").json
    assert [file["id"] for file in page["data"]] == ids[:-3:-1]
    assert (page["first_id"], page["last_id"], page["has_more"]) == (ids[4], ids[3], True)
    page = alice.get(f"/v1/files?limit=3&after={ids[3]}").json
    assert ([file["id"] for file in page["data"]], page["has_more"]) == (ids[2::-1], False)
    assert [file["id"] for file in alice.get("/v1/files?order=asc&purpose=batch").json["data"]] == ids[::2]
    assert alice.get(f"/v1/files?after={ids[0]}").json == {
        "object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "param"),
    [("limit=0", "limit"), ("limit=10001", "limit"), ("order=up", "order"), ("purpose=x", "purpose"),
     (f"after={NOTHING}", "after"), ("x=1", "x")],
)  # fmt: skip
def test_a_query_that_is_not_understood_is_refused(query: str, param: str, alice: Caller) -> None:
    answer = alice.get(f"/v1/files?{query}")
    assert (answer.status_code, error_of(answer)["param"]) == (400, param)


ROUTES = [("GET", "/v1/files/{}"), ("DELETE", "/v1/files/{}"), ("GET", "/v1/files/{}/content")]


@pytest.mark.parametrize(("verb", "path"), ROUTES)
def test_anothers_file_answers_as_one_that_does_not_exist(
    verb: str, path: str, alice: Caller, bob: Caller, admin: Caller, tmp_path: Path
) -> None:
    file_id = uploaded(alice)["id"]
    for unknown in (file_id, NOTHING, "file-x"):
        answer = bob.ask(verb, path.format(unknown))
        error = error_of(answer)
        assert answer.status_code == 404
        assert error == {
            "message": f"No such File object: {unknown}",
            "type": "invalid_request_error",
            "param": "id",
            "code": "file_not_found",
        }
    assert bob.get("/v1/files").json["data"] == []
    assert bob.get(f"/v1/files?after={file_id}").status_code == 400
    assert len(on_disk(tmp_path)) == 1
    assert admin.ask(verb, path.format(file_id)).status_code == 200


@pytest.mark.parametrize(("verb", "path"), [*ROUTES, ("GET", "/v1/files"), ("POST", "/v1/files")])
def test_nothing_is_done_without_a_key(verb: str, path: str, nobody: Caller) -> None:
    assert nobody.ask(verb, path.format(NOTHING)).status_code == 401


@pytest.mark.parametrize(
    ("verb", "path"),
    [*ROUTES, ("GET", "/v1/files"), ("POST", "/v1/files"), ("GET", "/v1/files/{}/signed?expires=1&signature=x")],
)
def test_a_service_without_a_folder_says_which_setting_it_lacks(
    verb: str, path: str, make_app: AppMaker, alice: Caller
) -> None:
    without = Caller(make_app().test_client(), alice.key)
    answer = without.ask(verb, path.format(NOTHING))
    assert (answer.status_code, error_of(answer)["code"]) == (501, "files_not_configured")
    assert "RESPOOL_FILES_FOLDER" in error_of(answer)["message"]
    assert answer.headers["x-should-retry"] == "false"


def test_a_disk_that_is_away_is_no_mistake_of_the_caller(alice: Caller, tmp_path: Path) -> None:
    file = uploaded(alice)
    (tmp_path / "files").rename(tmp_path / "elsewhere")
    for answer in (upload(alice), alice.get(f"/v1/files/{file['id']}/content")):
        assert (answer.status_code, error_of(answer)["code"]) == (503, "files_unavailable")


def test_files_are_what_the_document_says(alice: Caller) -> None:
    document = alice.get("/openapi.json").json
    file = uploaded(alice, purpose="batch")
    shown = {
        "File": alice.get(f"/v1/files/{file['id']}"),
        "FileList": alice.get("/v1/files"),
        "FileDeleted": alice.delete(f"/v1/files/{file['id']}"),
    }
    for name, answer in shown.items():
        wanted = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        assert [
            mistake.message for mistake in jsonschema_rs.Draft202012Validator(wanted).iter_errors(answer.json)
        ] == []


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("POST", "/v1/files"), ("GET", "/v1/files"), ("GET", "/v1/files/{file_id}"), ("DELETE", "/v1/files/{file_id}"),
        ("GET", "/v1/files/{file_id}/content"), ("GET", "/v1/files/{file_id}/signed"),
    ],
)  # fmt: skip
def test_generated_calls_are_answered_as_the_document_says(verb: str, path: str, app: Flask, alice: Caller) -> None:
    operation = schemathesis.openapi.from_wsgi("/openapi.json", app)[path][verb]

    @settings(settings.get_profile("api"), max_examples=40)
    @given(case=operation.as_strategy())
    def answered_as_described(case: schemathesis.Case) -> None:
        case.call_and_validate(
            headers={"Authorization": f"Bearer {alice.key}"}, checks=(not_a_server_error, response_schema_conformance)
        )

    answered_as_described()
