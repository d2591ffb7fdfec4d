"""A plan over what the sources really have: a folder of wheels stands for all of them."""

from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet

from tests.wheelmaker import make_wheel
from tests.workflows.recorder import Recorder
from torchdoctor.detect import Machine
from torchdoctor.errors import NoSolution, SourceFailed
from torchdoctor.resolve import Request
from torchdoctor.sources import OFFICIAL, order_sources
from torchdoctor.sources.installer_config import IndexSetting
from torchdoctor.workflows import resolve_online

MACHINE = Machine.from_json(
    {
        "os": "linux",
        "arch": "x86_64",
        "libc": {"name": "glibc", "version": "2.35"},
        "python": {"version": "3.11.9"},
    }
)
REQUEST = Request(excluded=frozenset({"torchvision", "torchaudio"}))


@pytest.fixture
def resolved(tmp_path):
    """A function that resolves for a machine without a GPU, against a folder with torch of these builds."""

    def run(*builds, request=REQUEST, report=None, offline=True):
        for build in builds:
            name, content = make_wheel("torch", f"2.9.1+{build}", tag="cp311-cp311-manylinux_2_28_x86_64")
            (tmp_path / name).write_bytes(content)
        sources = order_sources(trusted=True, find_links=(str(tmp_path),), offline=True)
        return resolve_online(request, MACHINE, sources, offline=offline, report=report or Recorder())[0]

    return run


def test_a_plan_has_the_wheel_that_a_source_has(resolved):
    """With the hash of the file, which lies on this disk."""
    plan = resolved("cpu", "cu128")
    assert (plan.variant, plan.torch.wheel.filename.startswith("torch-2.9.1+cpu")) == ("cpu", True)
    assert len(plan.torch.wheel.sha256) == 64


def test_a_cuda_build_for_a_machine_without_a_gpu_needs_consent(resolved):
    """It is several gigabytes that this machine cannot use."""
    report = Recorder(answer=True)
    assert resolved("cu128", report=report).variant == "cu128"
    assert "Install it anyway?" in report.questions[0]


@pytest.mark.parametrize("answer", [False, None])
def test_without_consent_it_is_refused(resolved, answer):
    """Where the user declines, and where nobody can be asked."""
    with pytest.raises(NoSolution) as refused:
        resolved("cu128", report=Recorder(answer=answer))
    assert refused.value.code == "cuda-build-for-cpu"


def test_consent_can_be_given_beforehand(resolved):
    """With --yes nobody is asked."""
    report = Recorder(answer=False)
    request = Request(excluded=REQUEST.excluded, allow_cuda_without_gpu=True)
    assert (resolved("cu128", request=request, report=report).variant, report.questions) == ("cu128", [])


@pytest.mark.parametrize(
    ("offline", "error", "code"), [(True, SourceFailed, "no-source"), (False, NoSolution, "no-wheel")]
)
def test_sources_without_torch_are_named(resolved, offline, error, code):
    """Offline another source may have it; else none has it for this Python."""
    with pytest.raises(error) as refused:
        resolved(offline=offline)
    assert refused.value.code == code


def test_a_companion_that_came_out_alone_is_found_where_pip_finds_it(index):
    """No fact knows torchaudio 2.99.0; it is on PyPI alone, taken for a build of PyPI's newest torch, here cu132."""
    for page, project, version, tag, requires in (
        ("/whl/cu132", "torch", "2.15.0+cu132", "cp311-cp311-manylinux_2_28_x86_64", ()),
        ("/simple", "torchaudio", "2.99.0", "py3-none-manylinux_2_28_x86_64", ("torch>=2.9",)),
        ("/simple", "torchaudio", "2.98.0", "py3-none-manylinux_2_28_x86_64", ("torch==2.8.0",)),
    ):
        name, content = make_wheel(project, version, tag=tag, requires=requires)
        index.add(f"{page}/{project}/", name, content, sidecar=version != "2.99.0")
    own = IndexSetting(place=f"{index.url}/simple", kind="index", origin="pip.conf")
    sources = order_sources(trusted=True, index_url=f"{index.url}/whl", configured=(own,)).without(
        [OFFICIAL.url]
    )
    request = Request(torch=SpecifierSet("==2.15.0"), variant="cu132", excluded=frozenset({"torchvision"}))
    plan = resolve_online(request, MACHINE, sources, offline=False, report=Recorder())[0]
    assert [str(package.version) for package in plan.packages] == ["2.15.0+cu132", "2.99.0"]
