"""The pages agree with the code, as far as can be told without running what they show."""

import base64
import hashlib
import hmac
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import playwright
import pytest
from openai import InvalidWebhookSignatureError

from jobs.limits import read_limits
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


def leaves(command: click.Command, name: str = "") -> Iterator[str]:
    """All commands that do something, with the names of their groups."""
    if not isinstance(command, click.Group):
        yield name
        return
    for part in command.list_commands(click.Context(command)):
        found = command.get_command(click.Context(command), part)
        assert found is not None
        yield from leaves(found, f"{name} {part}".strip())


def test_the_page_of_the_command_line_has_every_command_and_no_other() -> None:
    commands, told = set(leaves(main)), set()
    groups = {command.split()[0] for command in commands if " " in command}
    for row in re.findall(r"^\| (`[a-z].+?) \|", text_of("docs/cli.md").partition("\n## ")[0], re.MULTILINE):
        spans = [span.split() for span in re.findall(r"`([^`]+)`", row)]
        group = spans[0].pop(0) if spans[0][0] in groups else ""
        told |= {f"{group} {words[0]}".strip() for words in spans}
    assert told == commands


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


def linked(page: str) -> set[str]:
    return {to for to, _ in LINK.findall(text_of(page))}


def test_the_index_leads_to_every_page_and_the_readme_to_the_index() -> None:
    assert {"docs/README.md", "docs/quickstart.md", "docs/concepts.md"} <= linked("README.md")
    pages = {page.removeprefix("docs/") for page in PAGES if page.startswith("docs/") and "/adr/" not in page}
    assert pages - {"README.md"} <= linked("docs/README.md")


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
