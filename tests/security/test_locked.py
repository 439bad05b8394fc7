"""What is installed is what was locked: every package by its hashes, from no place in particular."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).parents[2]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
WANTED = {
    "requirements.lock": PROJECT["dependencies"] + EXTRAS["otel"],
    "requirements-dev.lock": PROJECT["dependencies"] + EXTRAS["otel"] + EXTRAS["local"] + EXTRAS["dev"],
}
FILES = [*WANTED, "tests/film.lock"]


def entries(file: str) -> dict[str, list[str]]:
    """The pinned requirement of each package, and its hashes."""
    text = (CHECKOUT / file).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {line.partition(" --hash")[0].strip(): re.findall(r"--hash=sha256:([0-9a-f]{64})", line) for line in lines}


def versions(file: str) -> dict[str, str]:
    pinned = [Requirement(entry) for entry in entries(file)]
    return {canonicalize_name(one.name): str(one.specifier).removeprefix("==") for one in pinned}


@pytest.mark.parametrize("file", FILES)
def test_every_package_is_pinned_with_hashes_and_no_place_is_named(file: str) -> None:
    found = entries(file)
    assert found
    for entry, hashes in found.items():
        assert re.match(r"[A-Za-z0-9._-]+==[^ ]+( ;|$)", entry), entry
        assert hashes, entry
    assert not re.search(r"https?:|--(extra-)?index-url|--find-links| @ ", (CHECKOUT / file).read_text())


@pytest.mark.parametrize("file", WANTED)
def test_what_is_locked_is_what_the_project_needs(file: str) -> None:
    locked = versions(file)
    for text in WANTED[file]:
        wanted = Requirement(text)
        if canonicalize_name(wanted.name) != PROJECT["name"]:
            assert wanted.specifier.contains(locked[canonicalize_name(wanted.name)]), text


def test_the_image_has_the_versions_that_the_tests_passed_with() -> None:
    image, tested = versions("requirements.lock"), versions("requirements-dev.lock")
    assert image.items() <= tested.items()
    assert "pytest" not in image


def test_image_and_setup_install_nothing_without_its_hash() -> None:
    for file in ("Dockerfile", "Makefile"):
        text = (CHECKOUT / file).read_text().replace("\\\n", " ")
        for line in text.splitlines():
            for command in re.findall(r"pip install [^&|]*", line.partition("#")[0]):
                ours = "--no-deps -e ." in command or "$<" in command or "$*" in command
                assert "--require-hashes" in command or ours, command
