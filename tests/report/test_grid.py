"""Rows of cells on a wide terminal, on a narrow one, and in a pipe."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from torchdoctor.report.terminal.table import Grid, make_console

LONG = "/home/someone/a/very/long/path/to/an/environment/lib/python3.12/site-packages/torch/__init__.py is missing"


def _printed(width=100, *, terminal, colours="standard"):
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=terminal, color_system=colours, soft_wrap=True)
    grid = Grid("", "check", "seconds", "", right=(2,), lead=3)
    grid.add(Text("✓", style="green"), "import", "0.50", "torch 2.13.0")
    grid.add("✗", "files", "12.00", LONG)
    grid.print_on(console)
    return file.getvalue()


def test_a_pipe_gets_whole_lines_without_trailing_blanks_and_escapes():
    """Whatever width the terminal beside it has; a path can be found in it."""
    lines = _printed(40, terminal=False, colours=None).splitlines()
    assert lines == ["   check   seconds", "✓  import     0.50  torch 2.13.0", f"✗  files     12.00  {LONG}"]


def test_a_narrow_terminal_gets_blocks():
    """Mark and name in a line, the rest below it, words whole."""
    lines = _printed(40, terminal=True, colours=None).splitlines()
    assert lines[:3] == ["✓ import 0.50", "  torch 2.13.0", "✗ files 12.00"]
    assert "".join(line.strip() for line in lines[3:]).replace("__init__.pyis", "__init__.py is") == LONG


def test_in_a_block_a_cell_is_named_by_its_column():
    """Short cells share a line."""
    file = io.StringIO()
    grid = Grid("case", "median", "best", "unit", right=(1, 2))
    grid.add("matmul float32 n=1024", "123.4", "130", "GFLOP/s")
    grid.print_on(Console(file=file, width=30, force_terminal=True, color_system=None))
    assert file.getvalue().splitlines() == [
        "matmul float32 n=1024",
        "  median 123.4  best 130",
        "  unit GFLOP/s",
    ]


def test_a_wide_terminal_gets_columns():
    """The longest text is folded below itself."""
    lines = _printed(70, terminal=True, colours=None).splitlines()
    assert lines[0].split() == ["check", "seconds"]
    assert all(len(line) <= 70 for line in lines)
    assert lines[1].split() == ["✓", "import", "0.50", "torch", "2.13.0"]


@pytest.mark.parametrize(("value", "escapes"), [("1", False), ("", True)])
def test_no_color_means_no_escapes_at_all(monkeypatch, capsys, value, escapes):
    """Neither colours nor bold; an empty NO_COLOR does not count."""
    monkeypatch.setenv("NO_COLOR", value)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    make_console().print(Text("bold", style="bold red"))
    assert ("\x1b" in capsys.readouterr().out) is escapes
