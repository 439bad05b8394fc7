"""Somebody who types what a page shows, from its first line to its last, against a running service."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from tests.fakes.media_files import make_clip
from tests.fakes.pages import CHECKOUT, Block
from tests.fakes.processes import CLEAN
from tests.fakes.redis_server import free_port
from tests.fakes.up import Up
from tests.fakes.waiting import wait_until

ELIDED = re.compile(r"\b(file|job|resp|batch|key|we|dlv)([_-])…")
IDS = re.compile(r"\b(file-|job_|resp_|batch_|key_|we_|dlv_)[0-9a-f]{12,}\b")
SECONDS = 60


class Reader:
    """Works in `folder`, which looks like a checkout in which `respool up` runs.

    What a block exports holds for those after it. An id that is elided (`job_…`) is the last of its kind that was seen.
    """

    def __init__(self, service: Up, *, folder: Path, sandbox: str) -> None:
        self.folder = folder
        self._seen: dict[str, str] = {}
        self._beside: list[subprocess.Popen[bytes]] = []
        self._heard = folder / ".heard"
        port = free_port()
        self._receiver = ("127.0.0.1", port)
        secret = (service.data / "webhook-secret").read_text().strip()
        self._known = {
            "http://127.0.0.1:8000": service.url,
            "https://respool.example ": f"{service.url} ",
            "http://127.0.0.1:9000": sandbox,
            "127.0.0.1:9100": f"127.0.0.1:{port}",
            '"127.0.0.1", 9100': f'"127.0.0.1", {port}',
            "rsp_…": service.key,
            "whsec_…": secret,
        }
        self._environ = CLEAN | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{CLEAN['PATH']}",
            "PYTHONPATH": str(CHECKOUT),
            "HOME": str(folder),
            "RESPOOL_API_KEY": service.key,
        }
        make_clip(folder / "film.mp4")
        (folder / ".respool").symlink_to(service.data)
        (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
        # A refusal is to end the block that meets it.
        (folder / ".curlrc").write_text("silent\nshow-error\nfail-with-body\n")
        (folder / ".exported").touch()

    def follow(self, block: Block) -> str:
        """What the block prints; of one that runs beside, nothing. Asserts that it ends well."""
        text = self._filled(block.text)
        if block.how == "beside":
            self._start(text)
            return ""
        done = subprocess.run(
            [sys.executable, "-c", text] if block.language == "python" else ["bash", "-c", _kept(text)],
            cwd=self.folder, env=self._environ, capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{block} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        for found in IDS.finditer(done.stderr + done.stdout):
            self._seen[found[1]] = found[0]
        return done.stdout

    def overhears(self, text: str) -> bool:
        """Whether what runs beside has printed it by now."""
        return text in self._heard.read_text()

    def leave(self) -> None:
        """Ends what runs beside."""
        for process in self._beside:
            process.kill()
            process.wait()

    def _filled(self, text: str) -> str:
        for shown, real in self._known.items():
            text = text.replace(shown, real)
        return ELIDED.sub(lambda found: self._seen[found[1] + found[2]], text)

    def _start(self, program: str) -> None:
        with self._heard.open("ab") as heard:
            command = [sys.executable, "-c", program]
            self._beside.append(subprocess.Popen(command, cwd=self.folder, env=self._environ, stdout=heard))
        wait_until(lambda: _listens(*self._receiver), seconds=SECONDS)


def _kept(text: str) -> str:
    return f"set -eo pipefail\n. ./.exported\n{text}\nexport -p >.exported"


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0
