"""A program that is found by its name is one of the system's or the user's own, and never one that came along."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from torchdoctor.core.system import environment_trust, host_system, programs
from torchdoctor.core.system.environment_trust import trust_environment
from torchdoctor.core.system.programs import find_program, look_for_program
from torchdoctor.detect.nvidia.smi import query_nvidia_smi

posix = pytest.mark.skipif(os.name == "nt", reason="owners, modes and bits to run are those of POSIX")
pytestmark = [posix]


@pytest.fixture(autouse=True)
def nobody_agreed(monkeypatch):
    monkeypatch.setattr(environment_trust, "_trusted", set())


def _program(folder, name="nvidia-smi"):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\ntouch '{folder}/ran'\n")
    path.chmod(0o755)
    return path


def _environment(folder, sign="pyvenv.cfg"):
    folder.mkdir()
    (folder / sign).mkdir() if sign == "conda-meta" else (folder / sign).touch()
    return folder / "bin"


@pytest.mark.parametrize("sign", ["pyvenv.cfg", "conda-meta"])
@pytest.mark.parametrize("below", ["", "deep/down"])
def test_no_program_of_an_environment_is_found(sign, below, tmp_path):
    """The one behind it on PATH is, and without one the reason is given."""
    inside = _environment(tmp_path / "env", sign) / below
    _program(inside)
    own = _program(tmp_path / "own")
    assert find_program("nvidia-smi", {"PATH": f"{inside}:{own.parent}"}) == str(own)
    path, why = look_for_program("nvidia-smi", {"PATH": str(inside)})
    assert path is None
    assert f"belongs to the environment {tmp_path / 'env'}" in why


def test_a_folder_that_leads_into_an_environment_is_part_of_it(tmp_path):
    _program(_environment(tmp_path / "env"))
    (tmp_path / "tools").symlink_to("env/bin")
    assert find_program("nvidia-smi", {"PATH": str(tmp_path / "tools")}) is None


def test_a_users_link_to_a_tool_in_its_own_environment_is_his_word(tmp_path):
    """As those that pipx and `uv tool` make."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "keyring").symlink_to(_program(_environment(tmp_path / "env"), "keyring"))
    assert find_program("keyring", {"PATH": str(tmp_path / "bin")})


def test_programs_of_the_environment_that_runs_us_and_of_an_agreed_one_are_found(tmp_path):
    assert find_program(Path(sys.executable).name, {"PATH": str(Path(sys.executable).parent)})
    program = _program(_environment(tmp_path / "env"))
    trust_environment(tmp_path / "env")
    assert find_program("nvidia-smi", {"PATH": str(program.parent)}) == str(program)


@pytest.mark.parametrize("entry", ["", ".", "bin", "../here/bin"])
def test_no_program_of_the_current_folder_is_found(entry, tmp_path, monkeypatch):
    for folder in (tmp_path / "here", tmp_path / "here" / "bin"):
        _program(folder)
    monkeypatch.chdir(tmp_path / "here")
    path, why = look_for_program("nvidia-smi", {"PATH": f"{entry}:/nowhere"})
    assert path is None
    assert "is in a relative folder of PATH" in why


def test_no_program_is_found_where_others_can_write(tmp_path):
    program = _program(tmp_path / "shared")
    (tmp_path / "shared").chmod(0o777)
    path, why = look_for_program("nvidia-smi", {"PATH": str(program.parent)})
    assert path is None
    assert "everybody can write" in why


def test_windows_looks_neither_into_the_current_folder_nor_past_the_endings(tmp_path, monkeypatch):
    """Its own search takes the current folder first."""
    _program(tmp_path / "here", "nvidia-smi.EXE")
    wanted = _program(tmp_path / "bin", "nvidia-smi.EXE")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(programs.sys, "platform", "win32")
    environ = {"PATH": str(tmp_path / "bin"), "PATHEXT": ".COM:.EXE"}
    assert find_program("nvidia-smi", environ) == str(wanted)
    assert find_program("nvidia-smi.EXE", environ) == str(wanted)
    assert find_program("nvidia-smi", {**environ, "PATH": ""}) is None


@pytest.mark.process
def test_a_look_does_not_run_what_it_skips_and_says_why(tmp_path):
    program = _program(_environment(tmp_path / "env"))
    system = host_system({"PATH": str(program.parent)})
    answer = system.run(["nvidia-smi"])
    assert answer.failure == "foreign"
    assert not (program.parent / "ran").exists()
    fact = query_nvidia_smi(system).gpus
    assert fact.state == "unknown"
    assert "belongs to the environment" in fact.why
    assert not (program.parent / "ran").exists()
