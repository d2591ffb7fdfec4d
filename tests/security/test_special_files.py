"""A pipe or an endless device in the place of a file that is read: refused at once, and never waited for."""

from __future__ import annotations

import ast
import os
import socket
from pathlib import Path

import pytest

from tests.conftest import run_here
from torchdoctor.bench import saved_runs
from torchdoctor.cli import machine_options, text_input
from torchdoctor.cli.config import edit, settings
from torchdoctor.core.fs.regular_files import open_regular, read_regular
from torchdoctor.core.hashing import sha256_of
from torchdoctor.core.system import host_system
from torchdoctor.core.wheelfile import validate_wheel
from torchdoctor.core.wheelfile.checksums import first_damaged
from torchdoctor.errors import TorchdoctorError
from torchdoctor.fetch.transfer.partial_file import PartialFile
from torchdoctor.install import in_place
from torchdoctor.install.hold.model import read_hold
from torchdoctor.install.record import read_record
from torchdoctor.install.wheel_layout import files_of_installed
from torchdoctor.inventory import files, uv_settings
from torchdoctor.kernel.spec import read_spec_text
from torchdoctor.lock.pylock_file import parse_pylock
from torchdoctor.project import pyproject, uv_lock
from torchdoctor.requirements.documents import Location
from torchdoctor.requirements.documents import read_text as read_requirements
from torchdoctor.sources import index_cache, listing, wheel_variant
from torchdoctor.workflows import known_sdists

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(os.name == "nt", reason="Windows keeps pipes and devices out of folders"),
]
# Each reader of something that others may have written, with the name that it looks for in a folder.
READERS = {
    "lock": ("pylock.toml", parse_pylock),
    "requirements": ("requirements.txt", lambda path: read_requirements(Location(name=path.name, path=path))),
    "machine": ("machine.json", machine_options._head),
    "text": ("log.txt", lambda path: text_input.read_text(str(path))),
    "config": ("config.toml", settings.read_config),
    "changed config": ("config.toml", edit._read),
    "pyproject": ("pyproject.toml", pyproject.read_file),
    "uv.lock": ("uv.lock", lambda path: uv_lock.locked_names(path.parent)),
    "uv.toml": ("uv.toml", lambda path: uv_settings._read_table(path, ())),
    "hash": ("a.whl", sha256_of),
    "wheel": ("a-1-py3-none-any.whl", lambda path: validate_wheel(path, path.name)),
    "checksums": ("a.whl", first_damaged),
    "variant": ("torch-2.9.0-py3-none-any.whl", lambda path: wheel_variant.variant_inside_wheel(path, "torch")),
    "page of links": ("index.html", lambda path: listing._read_local(path, path.as_uri()).wheels),
    "folder of wheels": ("torch-2.9.0-py3-none-any.whl", lambda path: listing._read_local(path.parent, "file:").wheels),
    "record of an install": ("torchdoctor.json", lambda path: read_record(path.parent)),
    "hold": ("torchdoctor-hold.txt", lambda path: read_hold(path.parent)),
    "journal": ("journal.json", lambda path: in_place._read_journal(path.parent, path)),
    "RECORD": ("RECORD", lambda path: list(files_of_installed(path.parent, path.parent, path.parent))),
    "METADATA": ("METADATA", lambda path: files.read_text(str(path))),
    "library": ("libcudart.so.12", lambda path: files.open_reader(str(path))),
    "kernel": ("kernel.json", read_spec_text),
    "saved run": ("run.json", lambda path: saved_runs.load_run(str(path), path.parent)),
    "facts": ("index.json", index_cache.load_cache),
    "sdist": ("sdist.json", known_sdists._read),
    "part": ("x.part", lambda path: PartialFile.resume(path, path, 5)),
    "machine file": ("version", lambda path: host_system({}).read_text(str(path))),
}  # fmt: skip


def _pipe(path):
    os.mkfifo(path)


def _zeros(path):
    path.symlink_to("/dev/zero")


@pytest.fixture(autouse=True)
def brief(monkeypatch):
    """A pipe is waited for shortly."""
    monkeypatch.setattr(text_input, "_SILENCE_SECONDS", 0.2)


@pytest.mark.parametrize("make", [_pipe, _zeros])
@pytest.mark.parametrize("kind", READERS)
def test_a_reader_ends_without_content(kind, make, tmp_path):
    """It refuses what is no file, or takes it for one that is not there."""
    name, read = READERS[kind]
    make(tmp_path / name)
    try:
        content = read(tmp_path / name)
    except (TorchdoctorError, OSError, ValueError):
        return
    assert not content


@pytest.mark.parametrize("make", [_pipe, _zeros, Path.mkdir])
def test_what_is_no_file_is_not_opened(make, tmp_path):
    make(tmp_path / "it")
    with pytest.raises(OSError, match=r"pipe or a device|directory"):
        open_regular(tmp_path / "it")


def test_a_socket_is_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("it")
        with pytest.raises(OSError, match="pipe or a device"):
            open_regular("it")


def test_a_file_that_became_a_pipe_between_two_looks_is_refused(tmp_path, monkeypatch):
    """The check is made again of what was opened."""
    real = tmp_path / "real"
    real.write_bytes(b"x")
    _pipe(tmp_path / "it")
    status = real.stat()
    monkeypatch.setattr(os, "stat", lambda path, **more: status)
    with pytest.raises(OSError, match="pipe or a device"):
        open_regular(tmp_path / "it")


@pytest.mark.parametrize(("size", "refused"), [(5, False), (6, True)])
def test_a_larger_file_than_allowed_is_not_taken_in(size, refused, tmp_path):
    (tmp_path / "it").write_bytes(b"x" * size)
    if refused:
        with pytest.raises(OSError, match="more than 5 bytes"):
            read_regular(tmp_path / "it", limit=5)
    else:
        assert read_regular(tmp_path / "it", limit=5) == b"xxxxx"


def test_a_text_through_a_pipe_is_read_to_its_end(tmp_path):
    """As the shell's `<(command)` gives it."""
    _pipe(tmp_path / "it")
    reading = os.open(tmp_path / "it", os.O_RDONLY | os.O_NONBLOCK)
    writing = os.open(tmp_path / "it", os.O_WRONLY)
    os.write(writing, b"RuntimeError: no kernel image")
    pipe = text_input._Pipe(tmp_path / "it")
    os.close(writing)
    os.close(reading)
    assert text_input._ends_of_stream(pipe) == b"RuntimeError: no kernel image"
    pipe.close()


def test_a_pipe_as_a_file_that_was_named_is_an_error_of_usage(alone, tmp_path):
    """Said as for any other file that is none, with its exit status."""
    _pipe(tmp_path / "machine.json")
    ran = run_here(["resolve", "--machine", tmp_path / "machine.json"], alone, tmp_path)
    assert ran.status == 2
    assert "it is a pipe or a device, and not a file" in ran.err


# Who opens files by itself, and why that cannot hang: everything else goes through core/fs/regular_files.py.
OPENS = {
    "bundle/payload/install.py": "stands alone in a bundle; asks for a file first",
    "cli/process.py": "the null device",
    "cli/question_dialog.py": "the terminal",
    "cli/text_input.py": "a pipe that a person names, with a limit",
    "core/fs/": "the functions of the file system themselves",
    "core/system/leftover_processes.py": "/proc",
    "core/system/process_memory.py": "/proc",
    "detect/python/describe.py": "a file of this package",
    "diagnose/compiled_data.py": "files of this package",
    "fetch/transfer/": "files that were opened as our own",
    "install/file_check.py": "follows no link, waits for nothing, and looks at what it has opened",
    "install/location.py": "/proc",
    "lock/solve.py": "uv's answer in the folder of this run",
    "lock/uv_output.py": "a file of this package",
    "probe/": "runs in a process of its own with a limit of time",
    "project/write.py": "makes a new file",
    "verify/memory.py": "/proc and /sys",
    "workflows/file_repair.py": "makes a new file",
}
_OF_THE_PACKAGE = ("_TABLE", "_FILE", "_FOLDER", "_PAYLOAD_DIR", "__file__", "folder.joinpath", "resources.")
_OF_DATA = {"detect/pci.py", "diagnose/predicates/newer_names.py"}  # a path of the package in a variable


def test_files_are_opened_in_one_place():
    """Another way to open a file would be one that waits for a pipe and reads a device without end."""
    strangers = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)[:80]}"
        for path in sorted(ROOT.glob("torchdoctor/**/*.py"))
        if not _excused(path.relative_to(ROOT / "torchdoctor").as_posix())
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and _opens(node)
    ]
    assert strangers == [], "\n".join(strangers)


def _excused(name: str) -> bool:
    return name in _OF_DATA or any(
        name == one or (one.endswith("/") and name.startswith(one)) for one in OPENS
    )


def _opens(call: ast.Call) -> bool:
    function, words = call.func, ast.unparse(call)
    if any(own in words for own in _OF_THE_PACKAGE):
        return False
    if isinstance(function, ast.Name):
        return function.id == "open"
    if not isinstance(function, ast.Attribute):
        return False
    if function.attr in {"ZipFile", "open"}:
        first = ast.unparse(call.args[0]) if call.args else ""
        of_open_file = first == "file" or "fileobj=" in words or ast.unparse(function.value) == "archive"
        return not of_open_file and ast.unparse(function.value) != "webbrowser"
    # `system.read_text(path)` and `files.read_text(path)` are bounded themselves.
    encoding = ast.unparse(call.args[0]) if call.args else ""
    return function.attr == "read_bytes" or (
        function.attr == "read_text" and encoding in ("", "'utf-8'", "'ascii'", "'utf-8-sig'")
    )
