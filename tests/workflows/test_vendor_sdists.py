"""AMD's source package that selects its parts by the machine where it is built."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest
from packaging.version import Version

from tests.sdistmaker import make_sdist
from tests.workflows.recorder import Recorder
from torchdoctor.detect import Machine
from torchdoctor.errors import NoSolution
from torchdoctor.lock.model import LockRequest
from torchdoctor.lock.target import target_of
from torchdoctor.sources import Sources
from torchdoctor.workflows import wheel_build
from torchdoctor.workflows.source_builds import SourceBuilds
from torchdoctor.workflows.vendor_sdists import build_part
from wheels_index import Sdist


def machine(gfx):
    return Machine.from_json(
        {
            "os": "linux",
            "arch": "x86_64",
            "libc": {"name": "glibc", "version": "2.39"},
            "python": {"version": "3.12.4"},
            "amd": {"gpus": [{"name": gfx, "gfx": gfx}]},
        }
    )


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A function that has `rocm` built for a machine, by a build that counts and runs nothing."""
    filename, content = make_sdist("rocm", "10.0.0")
    (tmp_path / filename).write_bytes(content)
    sdist = Sdist(
        project="rocm",
        version=Version("10.0.0"),
        filename=filename,
        url=(tmp_path / filename).as_uri(),
        sha256=hashlib.sha256(content).hexdigest(),
        size=None,
        requires_python=None,
    )
    runs = []

    def build(path, sdist, request, work, report, *, cache, isolated):
        runs.append(request.machine.amd.gpus[0].gfx)
        made = work / "rocm-10.0.0-py3-none-any.whl"
        made.write_bytes(runs[-1].encode())
        return made

    monkeypatch.setattr(wheel_build, "_build", build)

    def run(gfx, *, foreign=False, agreed=("rocm",), environ=None):
        described = machine(gfx)
        request = LockRequest(
            python=Path(sys.executable),
            sources=Sources(torch=(), indexes=(), default_index=None, find_links=()),
            environ=environ or {},
            machine=described,
            target=target_of(described) if foreign else None,
        )
        builds = SourceBuilds(cache=tmp_path / "cache", report=Recorder(), agreed=frozenset(agreed))
        build_part(sdist, builds, request)
        return runs

    return run


def test_it_is_not_built_here_for_another_machine(built):
    """Whoever agreed to its code agreed to the parts of the machine that was described."""
    with pytest.raises(NoSolution) as refused:
        built("gfx1151", foreign=True)
    assert refused.value.code == "build-foreign"


def test_it_is_built_again_for_another_gpu(built):
    """What the one selected is nothing for the other; for the same one nothing runs, and nobody is asked."""
    assert built("gfx1151") == ["gfx1151"]
    assert built("gfx1151", agreed=()) == ["gfx1151"]
    with pytest.raises(NoSolution) as refused:
        built("gfx1201", agreed=())
    assert refused.value.code == "build-consent"
    assert built("gfx1201") == ["gfx1151", "gfx1201"]


def test_it_is_built_again_where_the_environment_names_another_family(built):
    """Its code reads ROCM_SDK_TARGET_FAMILY before anything else."""
    built("gfx1151")
    assert built("gfx1151", environ={"ROCM_SDK_TARGET_FAMILY": "gfx1151"}) == ["gfx1151", "gfx1151"]
