"""How files are put in, looked at, listed and deleted."""

import io

from openai import BadRequestError, NotFoundError
from openai.types import FileDeleted, FileObject

from tests.sdks.script.caller import Caller, raised

DATA = bytes(range(256)) * 100


def check_a_file_comes_back_as_it_went_in(caller: Caller) -> None:
    files = caller.client().files
    file = files.create(file=("Ünï code.bin", io.BytesIO(DATA)), purpose="user_data")
    FileObject.model_validate(file.model_dump(), strict=True)
    assert (file.bytes, file.filename, file.purpose) == (len(DATA), "Ünï code.bin", "user_data")
    assert files.content(file.id).read() == DATA
    assert files.retrieve(file.id) == file


def check_a_deleted_file_is_gone(caller: Caller) -> None:
    files = caller.client().files
    file = files.create(file=("a.txt", io.BytesIO(b"x")), purpose="user_data")
    deleted = files.delete(file.id)
    FileDeleted.model_validate(deleted.model_dump(), strict=True)
    for attempt in (files.retrieve, files.content, files.delete):
        error = raised(NotFoundError, lambda attempt=attempt: attempt(file.id))
        assert (error.code, error.param) == ("file_not_found", "id")


def check_a_list_is_followed_over_its_pages(caller: Caller) -> None:
    files = caller.client().files
    made = [files.create(file=("a.txt", io.BytesIO(b"x")), purpose="user_data").id for _ in range(3)]
    found = [file.id for file in files.list(purpose="user_data", limit=2)]
    assert set(made) <= set(found)
    assert len(found) == len(set(found))


def check_nobody_uploads_an_output_of_a_batch(caller: Caller) -> None:
    create = caller.client().files.create
    error = raised(BadRequestError, lambda: create(file=("a.txt", io.BytesIO(b"x")), purpose="batch_output"))
    assert error.param == "purpose"


def check_a_text_is_named_by_its_id(caller: Caller) -> None:
    file = caller.client().files.create(file=("a.txt", io.BytesIO(b"a few words")), purpose="user_data")
    named = [{"type": "input_file", "file_id": file.id}, {"type": "input_text", "text": "What is in it?"}]
    text = caller.create(input=[{"role": "user", "content": named}]).output_text
    assert "a.txt of type text/plain, 11 bytes, 1 line, 3 words" in text, text
