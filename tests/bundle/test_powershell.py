"""The bundle's script for Windows: read everywhere, run where there is a PowerShell of any version."""

from __future__ import annotations

import shutil
import sys

import pytest

from tests.bundle.test_bundle import CARRIED, run_script
from tests.install.conftest import TORCH
from tests.install.test_sources import versions

SHELLS = [shell for name in ("pwsh", "powershell") if (shell := shutil.which(name))]
runs = pytest.mark.skipif(not SHELLS, reason="there is no PowerShell here, neither pwsh nor powershell")


def by_powershell(shell, bundle, *arguments):
    """The line that the script itself names."""
    file = bundle / "install.ps1"
    return run_script(bundle, shell, "-ExecutionPolicy", "Bypass", "-File", file, *arguments)


def test_the_script_is_powershell():
    """By PowerShell's grammar. In ASCII: without a mark of its encoding, 5.1 takes a file for the code page's."""
    tree_sitter = pytest.importorskip("tree_sitter", reason="tree-sitter is not installed")
    grammar = pytest.importorskip("tree_sitter_powershell", reason="tree-sitter-powershell is not installed")
    parser = tree_sitter.Parser(tree_sitter.Language(grammar.language()))
    text = (CARRIED / "install.ps1").read_text("ascii")
    assert not parser.parse(text.encode()).root_node.has_error
    assert parser.parse(text.replace("}", "", 1).encode()).root_node.has_error


@runs
@pytest.mark.parametrize("shell", SHELLS)
def test_it_makes_an_environment(shell, bundle, tmp_path):
    """In a folder with a blank and an umlaut, and a backslash behind its name."""
    done = by_powershell(shell, bundle, f"{tmp_path / 'env ü'}\\", "-Python", sys.executable)
    assert done.returncode == 0, done.stdout + done.stderr
    assert versions(tmp_path / "env ü")["torch"] == f"{TORCH}+cpu"


@runs
@pytest.mark.parametrize("shell", SHELLS)
def test_it_finds_a_python_and_hands_its_status_on(shell, bundle, tmp_path):
    """What install.py refuses, the script fails with."""
    (bundle / "requirements.txt").unlink()
    done = by_powershell(shell, bundle, tmp_path / "env")
    assert done.returncode == 1
    assert "copy the whole folder again" in done.stdout + done.stderr


@runs
@pytest.mark.parametrize("shell", SHELLS)
def test_a_python_that_is_not_there_is_said(shell, bundle, tmp_path):
    """By its name, with what to do, and no error of PowerShell's own."""
    done = by_powershell(shell, bundle, tmp_path / "env", "-Python", "no-such-python")
    assert done.returncode == 1
    assert "no-such-python cannot be run" in done.stdout
    assert "CommandNotFoundException" not in done.stdout + done.stderr
