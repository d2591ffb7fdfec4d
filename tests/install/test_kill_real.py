"""SIGKILL at any moment of a change of the real torch: `verify` passes before the next run, and after it."""

from __future__ import annotations

import base64
import hashlib
import os
import random
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from packaging.utils import parse_wheel_filename

from tests.conftest import TORCH, run_torchdoctor
from tests.faults import FaultServer
from tests.install import killing

if TYPE_CHECKING:
    from pathlib import Path

# TORCHDOCTOR_TEST_REAL_KILLS=100 takes half an hour on two cores; runs of the same number are the same.
MOMENTS = int(os.environ.get("TORCHDOCTOR_TEST_REAL_KILLS", "0"))
OTHER = "2.14.0"

pytestmark = [
    pytest.mark.skipif(MOMENTS == 0, reason="asked for with TORCHDOCTOR_TEST_REAL_KILLS"),
    pytest.mark.timeout(4 * 3600),
]


def relabelled(wheel: Path, version: str) -> Path:
    """The same torch under another version, so that there is one to change to."""
    made = wheel.with_name(wheel.name.replace(TORCH, version))
    with (
        zipfile.ZipFile(wheel) as old,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        rows = []
        for info in old.infolist():
            data, name = old.read(info), info.filename.replace(f"torch-{TORCH}", f"torch-{version}", 1)
            if name.endswith((".dist-info/METADATA", "torch/version.py")):
                data = data.replace(TORCH.encode(), version.encode())
            if name.endswith(".dist-info/RECORD"):
                rows.append(f"{name},,")
                new.writestr(name, "\n".join(rows) + "\n")
                continue
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            rows.append(f'"{name}",sha256={digest},{len(data)}')
            info.filename = name
            new.writestr(info, data)
    return made


@pytest.fixture
def served(tmp_path):
    """Both torches and what they need on an index with ranges."""
    folder = tmp_path / "wheels"
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", "-d", folder, f"torch=={TORCH}"], check=True
    )
    relabelled(next(folder.glob("torch-*.whl")), OTHER)
    with FaultServer() as server:
        for wheel in folder.glob("*.whl"):
            project = parse_wheel_filename(wheel.name)[0]
            page = f"/whl/cpu/{project}/" if project == "torch" else f"/simple/{project}/"
            with wheel.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            link = f'<a href="/files/{quote(wheel.name)}#sha256={digest}">{wheel.name}</a><br/>\n'
            server.files[page] = bytes(server.files.get(page, b"")) + link.encode()
            server.files[f"/files/{wheel.name}"] = wheel
        yield server


def asked(server, folder, torch):
    """The command line that makes the environment hold that torch."""
    return (
        "install", folder, "--index-url", f"{server.url}/whl", "--python", sys.executable, "--torch", torch,
        "--variant", "cpu", "--without", "pip", "--without", "numpy", "--without", "torchvision", "--without",
        "torchaudio", "--no-verify",
    )  # fmt: skip


def proven(folder: Path, environ: dict[str, str], cwd: Path) -> str:
    """The torch that `verify` proves; fails where it does not."""
    ran = run_torchdoctor("verify", folder, "--quick", "--json", environ=environ, cwd=cwd)
    assert ran.status == 0, ran.out + ran.err
    return str(killing.record_of(folder))


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of POSIX")
def test_the_real_torch_is_proven_after_a_kill_at_any_moment(served, alone, tmp_path):
    """Each kill falls on a change to the other torch; then the change is asked for again, and the next goes back."""
    environ = {**alone, "PIP_INDEX_URL": f"{served.url}/simple"}
    home = tmp_path / "envs"
    home.mkdir()
    whole = killing.duration(asked(served, home / "env", TORCH), environ, tmp_path)
    choose, seen, there, tries = random.Random(MOMENTS), [], TORCH, 0  # noqa: S311  (moments, not secrets)
    while len(seen) < MOMENTS:
        goal, tries = (OTHER if there == TORCH else TORCH), tries + 1
        if tries % 3 == 0:
            # uv keeps each copy of a wheel that it has unpacked: 0.7 GB each time.
            for cache in ("cache/wheels", "uv-cache"):
                shutil.rmtree(tmp_path / cache, ignore_errors=True)
        killed = killing.kill_after(
            choose.random() * whole,
            asked(served, home / "env", goal),
            environ,
            tmp_path,
            whole_group=tries % 2 > 0,
        )
        assert proven(home / "env", environ, tmp_path) in (f"{TORCH}+cpu", f"{OTHER}+cpu"), killed
        assert killing.wrong_wheels(tmp_path / "cache") == [], killed
        whole = min(whole, killing.duration(asked(served, home / "env", goal), environ, tmp_path))
        assert proven(home / "env", environ, tmp_path) == f"{goal}+cpu", killed
        assert killing.wrong_files(home / "env") == [], killed
        assert killing.left_over(home) == [], killed
        there = goal
        if not killed.ended:
            seen.append(killed.stage)
            print(len(seen), killed.stage, f"{killed.after:.1f} s", flush=True)  # noqa: T201  (with -s)
    print({f"after {stage}": seen.count(stage) for stage in sorted(set(seen))})  # noqa: T201  (with -s)
