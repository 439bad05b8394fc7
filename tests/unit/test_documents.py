"""The pages agree with the code, as far as can be told without running what they show."""

import base64
import hashlib
import hmac
import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import click
import playwright
import pytest
from openai import InvalidWebhookSignatureError

from api.app import create_app
from jobs.limits import read_limits
from jobs.settings import Settings
from respool.cli import main
from tests.fakes.pages import CHECKOUT, PAGES, Block, blocks_of, text_of

ALL = [block for page in PAGES for block in blocks_of(page)]
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")
COMMAND = re.compile(
    r"(?:^|[\s|&])(?<!install )(?<!-n )(?<!namespace )(?:\.venv/bin/)?respool ((?:[^`|<>&#\n\\]|\\\n)+)", re.MULTILINE
)
OPTION = re.compile(r"(?<!\S)(-{1,2}[a-z][a-z-]*)")
READY = "respool ready at "
"""What `respool up` prints, and no command."""

SECRET = "whsec_" + base64.b64encode(b"a secret of these tests alone....").decode()
BODY = b'{"object":"event","id":"evt_1","type":"response.completed","created_at":1,"data":{"id":"resp_1"}}'


def named(block: Block) -> str:
    return str(block)


def test_every_fence_is_found_and_of_a_kind_that_something_looks_at() -> None:
    assert len(ALL) == sum(len(re.findall("^```", text_of(page), re.MULTILINE)) for page in PAGES) / 2
    assert {block.language for block in ALL} <= {"sh", "python", "json", "toml", "js", "http", ""}


@pytest.mark.parametrize("block", [block for block in ALL if block.language == "json"], ids=named)
def test_what_is_shown_as_json_is_json(block: Block) -> None:
    try:
        json.loads(block.text)
    except ValueError:
        for line in block.text.splitlines():
            json.loads(line)


@pytest.mark.parametrize("block", [block for block in ALL if block.language == "toml"], ids=named)
def test_a_limits_file_is_one_that_is_read(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text(block.text)
    assert read_limits(file).account_names


def commands_of(page: str) -> set[str]:
    """All that begin with `respool`, in fences of the shell and in the text's own code."""
    texts = [block.text for block in blocks_of(page, "sh")]
    spans = re.findall(r"`([^`\n]+)`", FENCE.sub("", text_of(page)))
    texts += [span for span in spans if span.startswith("respool ") and not span.startswith(READY)]
    return {found for text in texts for found in COMMAND.findall(text)}


def options_of(words: list[str]) -> tuple[str, set[str]]:
    """The command that the words name, and what it takes. Raises KeyError if there is none."""
    command: click.Command = main
    name = []
    while isinstance(command, click.Group) and words and not words[0].startswith(("-", "…", "COMMAND")):
        name.append(words[0])
        found = command.get_command(click.Context(command), words[0])
        if found is None:
            raise KeyError(" ".join(name))
        command, words = found, words[1:]
    return " ".join(name), {option for one in command.params for option in (*one.opts, *one.secondary_opts)}


@pytest.mark.parametrize("page", [page for page in PAGES if commands_of(page)])
def test_the_command_line_has_each_command_and_option_that_a_page_names(page: str) -> None:
    for line in commands_of(page):
        bare = re.sub(r"\"[^\"]*\"|'[^']*'", "TEXT", line)
        name, options = options_of(bare.split())
        assert set(OPTION.findall(bare)) <= options | {"--help", "--version"}, (line, name)


def anchors_of(text: str) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_something_that_is_there(page: str) -> None:
    text = FENCE.sub("", text_of(page)).replace("\n", " ")
    for to, anchor in LINK.findall(text):
        if "://" in to:
            continue
        target = (CHECKOUT / page).parent / to if to else CHECKOUT / page
        assert target.exists(), (page, to)
        if anchor:
            assert anchor in anchors_of(target.read_text(encoding="utf-8")), (page, to, anchor)


def test_the_readme_leads_to_every_page() -> None:
    linked = {to for to, _ in LINK.findall(text_of("README.md"))}
    assert {page for page in PAGES if page.startswith("docs/") and "/adr/" not in page} <= linked


def test_a_word_has_one_place_where_it_is_told() -> None:
    words = re.findall(r"^\| ([^|]+) \|", text_of("docs/concepts.md").partition("## Words")[2], re.MULTILINE)
    told = [word.strip() for row in words for word in row.split(",")]
    assert len(told) == len(set(told))
    assert {"job", "attempt", "lane", "project", "delivery", "batch"} <= set(told)


def signed(body: bytes, *, at: int) -> dict[str, str]:
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    made = base64.b64encode(hmac.new(key, f"evt_1.{at}.".encode() + body, hashlib.sha256).digest()).decode()
    return {"webhook-id": "evt_1", "webhook-timestamp": str(at), "webhook-signature": f"v1,AAAA v1,{made}"}


def program(page: str, language: str, defining: str) -> str:
    (found,) = [block.text for block in blocks_of(page, language) if defining in block.text]
    return found


def test_the_python_that_verifies_knows_what_is_genuine() -> None:
    space: dict[str, Any] = {}
    exec(program("docs/webhooks.md", "python", "def is_genuine"), space)
    now = int(time.time())
    assert space["is_genuine"](BODY, signed(BODY, at=now), SECRET)
    assert not space["is_genuine"](BODY + b" ", signed(BODY, at=now), SECRET)
    assert not space["is_genuine"](BODY, signed(BODY, at=now - 3600), SECRET)
    assert not space["is_genuine"](BODY, {}, SECRET)


def test_the_sdk_that_verifies_knows_what_is_genuine() -> None:
    space: dict[str, Any] = {}
    exec(program("docs/webhooks.md", "python", "def receive").replace("whsec_…", SECRET), space)
    now = int(time.time())
    assert space["receive"](BODY, signed(BODY, at=now)) == "response.completed: resp_1"
    with pytest.raises(InvalidWebhookSignatureError):
        space["receive"](BODY + b" ", signed(BODY, at=now))


def test_the_node_program_that_verifies_knows_what_is_genuine(tmp_path: Path) -> None:
    node = shutil.which("node") or str(Path(playwright.__file__).parent / "driver" / "node")
    now = int(time.time())
    cases = [(BODY, signed(BODY, at=now)), (BODY + b" ", signed(BODY, at=now)), (BODY, signed(BODY, at=now - 3600))]
    asked = "".join(f"console.log(isGenuine({json.dumps(b.decode())}, {json.dumps(h)}, {json.dumps(SECRET)}));\n"
                    for b, h in cases)  # fmt: skip
    file = tmp_path / "verify.mjs"
    file.write_text(program("docs/webhooks.md", "js", "isGenuine") + asked)
    done = subprocess.run([node, str(file)], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.split() == ["true", "false", "false"]


def shapes(url: str) -> dict[str, Any]:
    """What the API says that it takes and gives, by name."""
    app = create_app(Settings(redis_url=url))
    found: dict[str, Any] = app.test_client().get("/openapi.json").json["components"]["schemas"]  # type: ignore[index]
    return found


def fits(shown: Any, schema: dict[str, Any], known: dict[str, Any]) -> bool:
    """Whether all fields that are shown are fields of the schema; what stands for others (`…`) is passed over."""
    choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if choices:
        return any(fits(shown, choice, known) for choice in choices)
    if "$ref" in schema:
        return fits(shown, known[schema["$ref"].rpartition("/")[2]], known)
    if isinstance(shown, list):
        return all(fits(one, schema.get("items", {}), known) for one in shown)
    fields = schema.get("properties")
    if not isinstance(shown, dict) or fields is None:
        return True
    others = schema.get("additionalProperties", False) is not False
    return all(
        fits(value, fields[name], known) if name in fields else others or name == "…" for name, value in shown.items()
    )


def test_every_answer_that_is_shown_has_fields_that_the_api_has(redis_url: str) -> None:
    known = shapes(redis_url)
    for page in ("README.md", "docs/http-api.md"):
        for block in blocks_of(page, "json"):
            shown = json.loads(block.text)
            kinds = [shape for shape in known.values() if is_kind_of(shown, shape)]
            assert any(fits(shown, shape, known) for shape in kinds), block


def is_kind_of(shown: dict[str, Any], shape: dict[str, Any]) -> bool:
    """Whether the shape has each field by name, and is of the same `object`."""
    fields = shape.get("properties", {})
    kinds = fields.get("object", {}).get("enum", [])
    return shown.keys() - {"…"} <= fields.keys() and shown.get("object") in (None, *kinds)
