import io

import pytest
from rich.console import Console

from respool.tables import print_table, text_table, used


def test_cells_are_no_markup() -> None:
    console = Console(file=io.StringIO(), width=80)
    console.print(text_table(("id", "note"), [("1", "[red]not red[/red]")]))
    assert "[red]not red[/red]" in console.file.getvalue()  # type: ignore[attr-defined]


def test_nothing_is_cut_however_narrow_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "20")
    print_table(text_table(("id", "created", "note"), [("job_" + "a" * 32, "2026-11-23 13:00:00", "word " * 20)]))
    printed = capsys.readouterr().out
    assert "job_" + "a" * 32 in printed
    assert "2026-11-23 13:00:00" in printed
    assert printed.count("word") == 20
    assert "…" not in printed


def test_a_pipe_gets_each_row_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(text_table(("id", "note"), [("1", "word " * 40), ("2", "x")]))
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_no_rows_are_a_table_too(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(text_table(("id", "note"), []))
    assert capsys.readouterr().out.split() == ["id", "note"]


@pytest.mark.parametrize(
    ("count", "bound", "text"),
    [(5, 200, "5/200"), (5, None, "5"), (1234567, 2000000, "1,234,567/2,000,000"), (0.25, 12.5, "0.25/12.5")],
)
def test_what_is_used_stands_beside_what_is_allowed(count: float, bound: float | None, text: str) -> None:
    assert used(count, bound) == text
