"""Each command that a fix prints is run on the environment that it was printed for, and changes what it names alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.doctor.broken import copy_of
from tests.doctor.conftest import serve_small_torch
from tests.wheelmaker import make_wheel
from torchdoctor.report.terminal.diagnosis import is_command

pytestmark = pytest.mark.process


def _without(*patterns):
    def broken(site):
        for pattern in patterns:
            for path in site.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    return broken


def _versions(site):
    return {path.name for path in site.glob("*.dist-info")}


@pytest.mark.parametrize(
    ("broken", "failure"),
    [
        (_without("torch/functional.py"), "partial-install"),
        (_without("sympy", "sympy-*"), "torch-dependency-missing"),
    ],
)
def test_the_printed_commands_mend_what_they_were_printed_for(
    torchdoctor, small_torch, index, alone, tmp_path, broken, failure
):
    """The official index is the one on loopback here; without pip in the environment it is uv that runs."""
    serve_small_torch(index)
    # As the official index does, that of each build has what torch requires.
    index.add("/whl/cpu/sympy/", *make_wheel("sympy", "1.13", tag="py3-none-any"))
    env = copy_of(small_torch, tmp_path / "env")
    site = next(env.glob("lib/python*/site-packages"))
    for path in site.glob("pip*"):
        shutil.rmtree(path)
    before = _versions(site)
    broken(site)
    found = torchdoctor("doctor", env, "--no-network", "--no-import", "--json").json["findings"]
    assert [row["id"] for row in found] == [failure]
    commands = [step for step in found[0]["fix"] if is_command(step) and not step.startswith("torchdoctor")]
    assert commands
    for command in commands:
        here = re.sub(r"https://download\.pytorch\.org/whl", f"{index.url}/whl", command)
        path = f"{Path(find_uv_bin()).parent}{os.pathsep}{os.environ['PATH']}"
        environ = {**os.environ, **alone, "PATH": path}
        ran = subprocess.run(
            ["/bin/sh", "-c", here], env=environ, capture_output=True, text=True, check=False
        )
        # A command that only looks ends with 1 as long as something is wrong.
        assert ran.returncode == 0 or " pip check " in here, (here, ran.stderr)
        assert _versions(site) <= before
    assert _versions(site) == before
    after = torchdoctor("doctor", env, "--no-network", "--no-import", "--json").json
    assert after["findings"] == []
