from pathlib import Path

from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from respool.form import Form


def test_a_server_reads_fields_name_and_bytes_and_the_length_is_right(tmp_path: Path) -> None:
    file = tmp_path / 'a "strange" näme\r\n.mp4'
    file.write_bytes(bytes(range(256)) * 1000 + b"\r\n--")
    taken: list[int] = []
    with Form({"purpose": "user_data", "expires_after[seconds]": "3600"}, file, told=taken.append) as form:
        length = len(form)
        body = b"".join(iter(lambda: form.read(7000), b""))
    assert (len(body), sum(taken)) == (length, length)
    request = Request(EnvironBuilder(method="POST", data=body, content_type=form.content_type).get_environ())
    assert request.form.to_dict() == {"purpose": "user_data", "expires_after[seconds]": "3600"}
    sent = request.files["file"]
    assert sent.filename == 'a "strange" näme%0D%0A.mp4'
    assert sent.read() == file.read_bytes()
