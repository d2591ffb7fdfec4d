"""Bytecode is compiled by several processes of the environment's own Python."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from torchdoctor.core.system.process import ManagedProcess
from torchdoctor.errors import InstallFailed
from torchdoctor.install import bytecode
from torchdoctor.install.bytecode import BytecodeCompiler

pytestmark = pytest.mark.process


def write_modules(folder, count):
    """Write Python files and a template, which cannot be compiled; return the Python files."""
    for number in range(count):
        (folder / f"m{number}.py").write_text(f"x = {number}\n", "utf-8")
    (folder / "template.py").write_text("{{ name }} = 1\n", "utf-8")
    return [folder / f"m{number}.py" for number in range(count)]


def without_bytecode(files):
    """Return the names of those files that have no bytecode that Python would use."""
    missing = []
    for file in files:
        made = Path(importlib.util.cache_from_source(str(file)))
        # https://peps.python.org/pep-0552/: flags, then the time of the source.
        seconds = int.from_bytes(made.read_bytes()[8:12], "little") if made.exists() else None
        if seconds != int(file.stat().st_mtime) & 0xFFFFFFFF:
            missing.append(file.name)
    return missing


def python_that_first(folder, command):
    """Return a Python whose first process runs a shell command instead."""
    program = folder / "python"
    program.write_text(
        f'#!/bin/sh\nif mkdir "{folder}/once" 2>/dev/null; then {command}; fi\nexec "{sys.executable}" "$@"\n'
    )
    program.chmod(0o755)
    return program


def test_all_that_can_be_compiled_is(tmp_path):
    """Python files at any depth, with any name that a file can have; a template is passed over."""
    deep = tmp_path / "a b" / "包\n"
    deep.mkdir(parents=True)
    files = [*write_modules(tmp_path, 200), *write_modules(deep, 3)]
    compiler = BytecodeCompiler(Path(sys.executable))
    compiler.add(tmp_path.rglob("*.py"))
    compiler.finish(None)
    assert without_bytecode(files) == []
    assert without_bytecode([tmp_path / "template.py"]) == ["template.py"]


def test_what_was_changed_is_compiled_again_and_the_rest_is_left(tmp_path):
    """Bytecode that is current is not written again."""
    files = write_modules(tmp_path, 5)
    compiler = BytecodeCompiler(Path(sys.executable))
    compiler.add(tmp_path.rglob("*.py"))
    compiler.finish(None)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "__pycache__").iterdir()}
    files[2].write_text("x = 'changed'\n", "utf-8")
    os.utime(files[2], (1_700_000_000, 1_700_000_000))
    compiler.add(tmp_path.rglob("*.py"))
    compiler.finish(None)
    assert without_bytecode(files) == []
    changed = [path.name for path in before if path.stat().st_mtime_ns != before[path]]
    assert [name.split(".")[0] for name in changed] == ["m2"]


@pytest.mark.skipif(sys.platform == "win32", reason="a script of the shell")
def test_a_worker_that_ends_is_replaced(tmp_path, monkeypatch):
    """Its own files stay as they are; all others are compiled."""
    monkeypatch.setattr(bytecode, "_BATCH_BYTES", 1)
    (tmp_path / "lib").mkdir()
    files = write_modules(tmp_path / "lib", 20)
    compiler = BytecodeCompiler(python_that_first(tmp_path, "exit 1"))
    compiler.add((tmp_path / "lib").glob("*.py"))
    compiler.finish(None)
    assert len(without_bytecode(files)) <= 1


@pytest.mark.skipif(sys.platform == "win32", reason="a script of the shell")
def test_a_worker_that_hangs_is_ended(tmp_path, monkeypatch):
    """After the limit, and who waits is reported of the time."""
    monkeypatch.setattr(bytecode, "_BATCH_BYTES", 1)
    monkeypatch.setattr(bytecode, "_BATCH_TIMEOUT_SECONDS", 0.5)
    monkeypatch.setattr(bytecode, "_REPORT_INTERVAL_SECONDS", 0.1)
    (tmp_path / "lib").mkdir()
    files = write_modules(tmp_path / "lib", 20)
    reported = []
    compiler = BytecodeCompiler(python_that_first(tmp_path, "exec sleep 100"))
    compiler.add((tmp_path / "lib").glob("*.py"))
    compiler.finish(reported.append)
    assert len(without_bytecode(files)) <= 1
    assert reported


def test_a_python_that_cannot_be_run_is_an_error(tmp_path):
    """Not a traceback, and not an environment without bytecode either."""
    write_modules(tmp_path, 2)
    compiler = BytecodeCompiler(tmp_path / "python")
    compiler.add(tmp_path.rglob("*.py"))
    with pytest.raises(InstallFailed, match="cannot be run"):
        compiler.finish(None)


def test_workers_end_when_they_are_not_wanted_any_more(tmp_path):
    """Though much is still to be compiled."""
    write_modules(tmp_path, 3000)
    compiler = BytecodeCompiler(Path(sys.executable))
    compiler.add(tmp_path.rglob("*.py"))
    compiler.close()
    listing = subprocess.run(["ps", "-eo", "ppid,args"], capture_output=True, text=True, check=True).stdout
    assert not [
        row for row in listing.splitlines() if row.split()[0] == str(os.getpid()) and "compileall" in row
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="a script of the shell")
def test_a_process_that_is_being_started_when_the_compiler_is_closed_is_ended(tmp_path, monkeypatch):
    """`close` waits for the start; else the process would work on until its files are done."""
    starting, closing, processes = threading.Event(), threading.Event(), []

    class SlowStart(ManagedProcess):
        def __init__(self, *arguments, **options):
            starting.set()
            closing.wait(10)
            time.sleep(0.3)
            super().__init__(*arguments, **options)
            processes.append(self)

    monkeypatch.setattr(bytecode, "ManagedProcess", SlowStart)
    monkeypatch.setattr(bytecode, "_MAX_WORKERS", 1)
    (tmp_path / "lib").mkdir()
    write_modules(tmp_path / "lib", 2)
    compiler = BytecodeCompiler(python_that_first(tmp_path, "exec sleep 100"))
    compiler.add((tmp_path / "lib").glob("*.py"))
    assert starting.wait(10)
    closing.set()
    compiler.close()
    assert all(process.wait(5) for process in processes)
