"""What is wrong with the builds that are installed, by the failure's name, with a fix that can be pasted."""

from __future__ import annotations

import shlex

import pytest

from tests.resolve.test_resolve import RTX_4090, linux
from torchdoctor.diagnose import judge_builds
from torchdoctor.inventory.installed import read_installed
from torchdoctor.resolve.model import Request
from torchdoctor.resolve.offline import resolve_offline

ENV = "/home/ada/my env"


def site_packages(folder, **builds):
    """A site-packages folder with packages whose metadata has no tag and whose version.py has one, as PyPI's."""
    for name, version in builds.items():
        public = version.partition("+")[0]
        (folder / f"{name}-{public}.dist-info").mkdir(parents=True)
        (folder / name).mkdir()
        (folder / name / "version.py").write_text(f"__version__ = '{version}'\n")
    return read_installed([folder])


def judged(installed, machine=None):
    return judge_builds(installed, resolve_offline(machine or linux(), Request()), folder=ENV)


def test_builds_that_belong_together_are_no_finding(tmp_path):
    """A healthy environment is left in peace."""
    assert judged(site_packages(tmp_path, torch="2.13.0+cpu", torchvision="0.28.0+cpu")) == ()


def test_an_environment_without_torch_is_no_finding(tmp_path):
    """Nothing is wrong with what is not there."""
    assert judged(site_packages(tmp_path)) == ()


@pytest.mark.parametrize(
    ("torch", "companion", "version", "name"),
    [
        ("2.13.0+cpu", "torchvision", "0.28.0+cu130", "torchvision-mismatch"),
        ("2.13.0+cu130", "torchvision", "0.28.0+cpu", "torchvision-cpu-with-cuda-torch"),
        ("2.13.0+cpu", "torchaudio", "2.11.0+cu130", "torchaudio-mismatch"),
    ],
)
def test_a_companion_of_another_build_is_named_by_its_failure(tmp_path, torch, companion, version, name):
    """The build tags decide, which no metadata shows; the evidence names both."""
    installed = site_packages(tmp_path, **{"torch": torch, companion: version})
    machine = linux(RTX_4090, driver="580.65.06") if "cu" in torch else linux()
    found = judged(installed, machine)
    assert [row.id for row in found] == [name]
    assert all(
        any(build.partition("+")[2] in text for text in found[0].evidence) for build in (torch, version)
    )


def test_a_cpu_build_beside_a_gpu_that_works_is_an_error(tmp_path):
    """The fix names the variant that fits, and its path survives a shell."""
    found = judged(site_packages(tmp_path, torch="2.13.0+cpu"), linux(RTX_4090, driver="580.65.06"))
    assert [(row.id, row.severity) for row in found] == [("cpu-only-wheel", "error")]
    assert shlex.split(found[0].fix[0]) == ["torchdoctor", "install", ENV, "--variant", "cu132"]


def test_a_cpu_build_is_right_where_no_gpu_build_fits(tmp_path):
    """A driver too old for any build leaves the CPU build as the right one."""
    assert judged(site_packages(tmp_path, torch="2.13.0+cpu"), linux(RTX_4090, driver="390.157")) == ()
