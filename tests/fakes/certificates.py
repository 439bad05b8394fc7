"""Certificates for loopback, made by the `openssl` command."""

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate that signs itself, which makes it its own authority."""

    file: Path
    key: Path

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key)
        return context


def make_certificate(folder: Path, *, name: str) -> Certificate:
    """One for `name`, such as `IP:127.0.0.1` or `DNS:localhost`; skips the test where openssl is missing."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no `openssl` command to make certificates with")
    stem = name.replace(":", "_")
    made = Certificate(file=folder / f"{stem}.pem", key=folder / f"{stem}.key")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=respool test", "-addext", f"subjectAltName={name}"]
    subprocess.run(
        [*command, "-keyout", str(made.key), "-out", str(made.file)], check=True, capture_output=True, timeout=30
    )
    return made
