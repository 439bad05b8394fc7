"""The page that tells what was measured: each scenario owns what stands between its two markers.

Beside the page lie PAGE.json, with every sample, and a folder with the figures.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.figure import figure_of
from benchmarks.found import Found
from benchmarks.surroundings import surroundings
from benchmarks.table import table_of, targets_of


def write(page: Path, found: Found) -> None:
    """A page that is not there is begun, and so are markers that are missing."""
    about = surroundings()
    text = page.read_text() if page.exists() else "# Performance\n"
    parts = [table_of(found), *_figures(page, found), targets_of(found), *found.notes, _said(found, about)]
    text = _put(text, found.name, "\n\n".join(part for part in parts if part), title=found.title)
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    page.write_text(_put(text, "versions", f"{versions}.", title="Versions"))
    _write_json(page.with_suffix(".json"), found, about)


def _put(text: str, name: str, block: str, *, title: str) -> str:
    """The text with the block between the markers of that name."""
    begin, end = f"<!-- {name}: measured -->", f"<!-- {name}: end -->"
    if begin not in text:
        text = f"{text.rstrip()}\n\n## {title}\n\n{begin}\n{end}\n"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    return pattern.sub(lambda _: f"{begin}\n\n{block}\n\n{end}", text)


def _figures(page: Path, found: Found) -> list[str]:
    folder = page.with_suffix("")
    lines = []
    for bars in found.bars:
        figure = figure_of(bars, found.samples)
        if figure is not None:
            folder.mkdir(exist_ok=True)
            name = f"{found.name}-{bars.key}.svg"
            (folder / name).write_text(figure)
            lines.append(f"![{bars.title}]({folder.name}/{name})")
    return lines


def _said(found: Found, about: dict[str, Any]) -> str:
    options = ", ".join(f"{name} {value}" for name, value in found.options.items())
    machine = f"{about['cores']} cores ({about['processor']}), load {about['load']} when it ended"
    return f"*{about['date']}, commit {about['commit']}; {options}; {machine}.*"


def _write_json(path: Path, found: Found, about: dict[str, Any]) -> None:
    whole = json.loads(path.read_text()) if path.exists() else {}
    targets = [{**asdict(target), "met": target.met} for target in found.targets]
    whole[found.name] = {
        "surroundings": about,
        "options": dict(found.options),
        "samples": {name: list(samples) for name, samples in found.samples.items()},
        "targets": targets,
    }
    path.write_text(json.dumps(whole, indent=1, sort_keys=True, default=str) + "\n")
