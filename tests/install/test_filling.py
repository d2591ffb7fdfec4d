"""A new environment is unpacked and compiled while its files still arrive, and is no less whole for it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.install.test_bad_input import interrupt, nothing_left
from tests.install.test_sources import versions
from tests.loopback import Fault
from tests.wheelmaker import make_wheel
from torchdoctor.core.system import uv
from torchdoctor.errors import InstallFailed
from torchdoctor.install import bytecode
from torchdoctor.install.bytecode import Bytecode


@pytest.fixture
def here(tmp_path):
    """A folder for environments, apart from the caches."""
    folder = tmp_path / "envs"
    folder.mkdir()
    return folder


def test_what_is_there_is_unpacked_and_compiled_while_torch_still_comes(alone, official, bare, here):
    """torch's wheel stalls: the other package has its bytecode by then, and Ctrl-C leaves nothing of it."""
    official.add("/simple/small/", *make_wheel("small", "1.0", tag="py3-none-any"))
    path = next(path for path in official.files if "/torch-" in path and path.endswith(".whl"))
    official.faults[path] = Fault(stall_after=100)
    compiled = ".env.torchdoctor-*-new-*/lib/python*/site-packages/small/__pycache__/version.*.pyc"
    status, _, err = interrupt(
        alone, ["install", here / "env", *bare, "--with", "small"],
        when=lambda: official.stalled.is_set() and any(here.glob(compiled)), cwd=here,
    )  # fmt: skip
    assert (status, "Traceback" in err) == (130, False), err
    nothing_left(here)


def test_a_wheel_that_may_not_be_unpacked_ends_the_run_while_torch_still_comes(
    torchdoctor, official, bare, here
):
    """Nobody waits for gigabytes to be told that another file is bad."""
    official.add(
        "/simple/small/", *make_wheel("small", "1.0", tag="py3-none-any", modules={"other-1.dist-info/x": ""})
    )
    path = next(path for path in official.files if "/torch-" in path and path.endswith(".whl"))
    official.faults[path] = Fault(stall_after=100)
    ran = torchdoctor("install", here / "env", *bare, "--with", "small", "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (5, "bad-wheel"), ran.out
    nothing_left(here)


def test_what_only_a_companion_of_another_build_needed_is_not_there(torchdoctor, index, tag, here, tmp_path):
    """It was unpacked before that was known; the environment is made anew without it."""
    index.add("/whl/cpu/torch/", *make_wheel("torch", "2.13.0+cpu", tag=tag))
    liar = make_wheel("torchvision", "0.28.0+cpu", tag=tag, built="0.28.0+cu130", requires=("only-vision",))
    index.add("/whl/cpu/torchvision/", *liar)
    index.add("/simple/only-vision/", *make_wheel("only-vision", "1.0", tag="py3-none-any"))
    ran = torchdoctor(
        "install", here / "env", "--index-url", f"{index.url}/whl", "--python", sys.executable, "--torch", "2.13.0",
        "--variant", "cpu", "--without", "pip", "--without", "numpy", "--without", "torchaudio", "--no-verify",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    assert "torchvision is left out" in ran.err
    assert list(tmp_path.glob("cache/wheels/**/only_vision-1.0-*.whl"))
    assert set(versions(here / "env")) == {"torch"}
    assert not list((here / "env").glob("lib/python*/site-packages/only_vision*"))


def lines(folder, count):
    """Python files, one of which cannot be compiled."""
    for number in range(count):
        (folder / f"m{number}.py").write_text(f"x = {number}\n", "utf-8")
    (folder / "template.py").write_text("{{ name }} = 1\n", "utf-8")
    return [folder / f"m{number}.py" for number in range(count)]


def without_bytecode(files):
    """Those of the files that have none that Python would use."""
    missing = []
    for file in files:
        made = Path(importlib.util.cache_from_source(str(file)))
        # https://peps.python.org/pep-0552/: flags, then the time of the source.
        seconds = int.from_bytes(made.read_bytes()[8:12], "little") if made.exists() else None
        if seconds != int(file.stat().st_mtime) & 0xFFFFFFFF:
            missing.append(file.name)
    return missing


def wrapped(folder, first):
    """A Python whose first process does something else: a line of shell."""
    program = folder / "python"
    program.write_text(
        f'#!/bin/sh\nif mkdir "{folder}/once" 2>/dev/null; then {first}; fi\nexec "{sys.executable}" "$@"\n'
    )
    program.chmod(0o755)
    return program


def test_all_that_can_be_compiled_is(tmp_path):
    """Python files at any depth, with any name that a file can have; a template is passed over."""
    deep = tmp_path / "a b" / "包\n"
    deep.mkdir(parents=True)
    files = [*lines(tmp_path, 200), *lines(deep, 3)]
    work = Bytecode(Path(sys.executable))
    work.add([tmp_path])
    work.finish(None)
    assert without_bytecode(files) == []
    assert without_bytecode([tmp_path / "template.py"]) == ["template.py"]


def test_what_was_changed_is_compiled_again_and_the_rest_is_left(tmp_path):
    """A second look takes only what is new."""
    files = lines(tmp_path, 5)
    work = Bytecode(Path(sys.executable))
    work.add([tmp_path])
    work.finish(None)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "__pycache__").iterdir()}
    files[2].write_text("x = 'changed'\n", "utf-8")
    os.utime(files[2], (1_700_000_000, 1_700_000_000))
    work.add([tmp_path])
    work.finish(None)
    assert without_bytecode(files) == []
    changed = [path.name for path in before if path.stat().st_mtime_ns != before[path]]
    assert [name.split(".")[0] for name in changed] == ["m2"]


@pytest.mark.skipif(sys.platform == "win32", reason="a script of the shell")
def test_a_worker_that_ends_is_replaced(tmp_path, monkeypatch):
    """Its own files stay as they are; all others are compiled."""
    monkeypatch.setattr(bytecode, "_CHUNK", 1)
    (tmp_path / "lib").mkdir()
    files = lines(tmp_path / "lib", 20)
    work = Bytecode(wrapped(tmp_path, "exit 1"))
    work.add([tmp_path / "lib"])
    work.finish(None)
    assert len(without_bytecode(files)) <= 1


@pytest.mark.skipif(sys.platform == "win32", reason="a script of the shell")
def test_a_worker_that_hangs_is_ended(tmp_path, monkeypatch):
    """After the limit, and who waits is told of the time."""
    monkeypatch.setattr(bytecode, "_CHUNK", 1)
    monkeypatch.setattr(bytecode, "_LIMIT", 0.5)
    monkeypatch.setattr(bytecode, "_TICK", 0.1)
    (tmp_path / "lib").mkdir()
    files = lines(tmp_path / "lib", 20)
    told = []
    work = Bytecode(wrapped(tmp_path, "exec sleep 100"))
    work.add([tmp_path / "lib"])
    work.finish(told.append)
    assert len(without_bytecode(files)) <= 1
    assert told


def test_a_python_that_cannot_be_run_is_told_of(tmp_path):
    """Not a traceback, and not an environment without bytecode either."""
    lines(tmp_path, 2)
    work = Bytecode(tmp_path / "python")
    work.add([tmp_path])
    with pytest.raises(InstallFailed, match="cannot be run"):
        work.finish(None)


def test_workers_end_when_they_are_not_wanted_any_more(tmp_path):
    """Within seconds, with much still to be compiled."""
    lines(tmp_path, 3000)
    work = Bytecode(Path(sys.executable))
    work.add([tmp_path])
    began = time.monotonic()
    work.close()
    assert time.monotonic() - began < 10
    listing = subprocess.run(["ps", "-eo", "ppid,args"], capture_output=True, text=True, check=True).stdout
    assert not [
        row for row in listing.splitlines() if row.split()[0] == str(os.getpid()) and "compileall" in row
    ]


def test_uv_is_stopped_for_another_thread(tmp_path):
    """Who does not need its work any more does not wait for it."""
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(uv.UvStopped):
        uv.run_uv(["python", "list"], environ=os.environ, folder=tmp_path, limit=60, stopped=stopped)
