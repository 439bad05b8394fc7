import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from api.services import EXTENSION
from tests.factories import MODEL
from tests.fakes.media_files import make_clip
from tests.unit.api.conftest import AppMaker, Caller, error_of
from tests.unit.api.files import uploaded

NOTHING = "file-" + "0" * 32


@pytest.fixture
def app(make_app: AppMaker, tmp_path: Path) -> Flask:
    return make_app(files_folder=tmp_path / "files")


def naming(*file_ids: str, kind: str = "input_file") -> dict[str, Any]:
    parts = [{"type": "input_text", "text": "what is it?"}, *({"type": kind, "file_id": i} for i in file_ids)]
    return {"input": [{"role": "user", "content": parts}]}


@pytest.mark.parametrize("kind", ["input_file", "input_image", "input_video", "input_audio"])
def test_a_file_of_ones_own_can_be_named_and_the_id_is_what_is_kept(kind: str, app: Flask, alice: Caller) -> None:
    file = uploaded(alice)
    job = alice.job(request=naming(file["id"], kind=kind))
    number = job["id"].removeprefix("job_")
    body = json.loads(app.extensions[EXTENSION].store._client.hget("{respool}:job:" + number, "request"))
    assert body["input"] == naming(file["id"], kind=kind)["input"]


def test_a_file_that_is_not_there_or_anothers_or_for_a_batch_is_named_with_its_path(alice: Caller, bob: Caller) -> None:
    theirs, batch, mine = uploaded(bob)["id"], uploaded(alice, purpose="batch")["id"], uploaded(alice)["id"]
    answer = alice.submit(request=naming(mine, NOTHING, theirs, batch))
    assert answer.status_code == 400
    told = [(mistake["param"], mistake["message"]) for mistake in answer.json["errors"]]
    assert told == [
        ("request.input[0].content[2].file_id", f"No such File object: {NOTHING}"),
        ("request.input[0].content[3].file_id", f"No such File object: {theirs}"),
        ("request.input[0].content[4].file_id", f"must be a file of purpose user_data, {batch} is for batch"),
    ]
    assert error_of(alice.submit(request=naming(NOTHING)))["param"] == "request.input[0].content[1].file_id"
    assert alice.get("/v1/jobs").json["data"] == []


def test_a_response_that_names_no_file_of_ones_own_is_told_the_path_in_its_own_body(alice: Caller) -> None:
    answer = alice.post("/v1/responses", json={"model": MODEL, "background": True, **naming(NOTHING)})
    assert (answer.status_code, error_of(answer)["param"]) == (400, "input[0].content[1].file_id")


@pytest.mark.parametrize("file_id", ["file-abc", "file-6F2ksmvXxt4VdoqmHRw6kL", "0" * 32])
def test_the_id_of_a_file_elsewhere_is_the_upstreams_affair(file_id: str, alice: Caller) -> None:
    assert alice.submit(request=naming(file_id)).status_code == 202


def test_a_service_that_keeps_no_files_passes_every_id_on(make_app: AppMaker, alice: Caller) -> None:
    without = Caller(make_app().test_client(), alice.key)
    assert without.submit(request=naming(NOTHING)).status_code == 202


def test_a_video_is_estimated_by_its_length(alice: Caller, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4").read_bytes()
    request = {"model": MODEL, **naming(uploaded(alice, clip)["id"], kind="input_video")}
    dry = alice.post("/v1/jobs?dry_run=1", json={"request": request}).json
    assert dry["tokens"]["input"] == 4 + 6 * 250


def test_a_dry_run_tells_the_same_mistakes(alice: Caller) -> None:
    answer = alice.post("/v1/jobs?dry_run=1", json={"request": {"model": MODEL, **naming(NOTHING)}})
    assert error_of(answer)["param"] == "request.input[0].content[1].file_id"
