"""What is asked for besides torch decides with it: one solve over every build that fits."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from tests.lock.conftest import LocalIndex
from tests.wheelmaker import make_wheel
from tests.workflows.recorder import Recorder
from torchdoctor.detect import Machine
from torchdoctor.errors import NoSolution
from torchdoctor.lock.compile import RequirementsUnmet
from torchdoctor.lock.model import LockRequest
from torchdoctor.lock.target import target_of
from torchdoctor.requirements import AskedRequirement, StackRequest
from torchdoctor.resolve import Request
from torchdoctor.sources import Sources
from torchdoctor.workflows.source_builds import SourceBuilds
from torchdoctor.workflows.stack_facts import resolve_stack
from torchdoctor.workflows.stack_model import StackTask
from wheels_index import bundled

pytestmark = pytest.mark.process

# On Windows torch requires no CUDA package, so a small index has everything.
WINDOWS = {"os": "windows", "arch": "x86_64", "python": {"version": "3.12.4"}}
RTX_4090 = {"gpus": [{"name": "NVIDIA GeForce RTX 4090", "compute_capability": "8.9"}]}
NEW_DRIVER = {**WINDOWS, "nvidia": {"driver": "581.20", **RTX_4090}}
OLD_DRIVER = {**WINDOWS, "nvidia": {"driver": "560.94", **RTX_4090}}
NEEDED = (
    "filelock", "typing-extensions", "setuptools", "sympy", "networkx", "jinja2", "fsspec", "numpy", "pillow",
    "requests",
)  # fmt: skip


@pytest.fixture
def index(tmp_path):
    """An index with what torch and torchvision require."""
    folder = tmp_path / "index"
    folder.mkdir()
    index = LocalIndex(folder)
    for name in NEEDED:
        index.add(name, "99.0" if name != "numpy" else "2.4.0")
    index.add("numpy", "1.26.4")
    index.add("mkl", "2021.4.0")
    index.add("triton", "3.3.1")
    return index


@pytest.fixture
def solved(tmp_path, index):
    """A function that resolves requirement lines for a machine, over stored facts and the index."""

    def run(*lines, machine=NEW_DRIVER, overrides=(), report=None, **request):
        described = Machine.from_json(machine)
        lock_request = LockRequest(
            python=Path(sys.executable),
            sources=Sources(torch=(), indexes=(), default_index=index.source, find_links=()),
            environ={**os.environ, "UV_CACHE_DIR": str(tmp_path / "cache")},
            machine=described,
            target=target_of(described),
        )
        names = [
            line.partition("@")[0].partition("=")[0].partition("<")[0].partition(">")[0].strip()
            for line in lines
        ]
        asked = [
            AskedRequirement(line=line, name=name, origin="a test")
            for line, name in zip(lines, names, strict=True)
        ]
        task = StackTask(
            stack=StackRequest(requirements=tuple(asked), overrides=overrides),
            lock_request=lock_request,
            run_dir=tmp_path,
        )
        builds = SourceBuilds(cache=tmp_path / "home", report=Recorder(), plan_only=True)
        return resolve_stack(task, Request(**request), described, bundled(), report or Recorder(), builds)

    return run


def _torch(plan):
    return str(plan.torch.version)


def test_torch_follows_what_was_named(index, solved):
    """The newest version of the package is kept, and the reason names it."""
    index.add("speech", "2.0", requires=("torch~=2.8.0",))
    index.add("speech", "1.0")
    plan = solved("speech")
    assert _torch(plan) == "2.8.0+cu129"
    assert plan.reasons[0] == "speech 2.0 wants torch >=2.8.0,<2.9, so torch 2.8.0+cu129"
    assert [(p.name, p.version) for p in plan.solved if p.asked] == [("speech", "2.0")]
    assert plan.warnings == ()


def test_a_variant_with_a_companion_beats_a_newer_one_without(index, solved):
    """Torchaudio has no cu132 build, so where it is asked for the choice is cu130."""
    index.add("free", "1.0")
    assert _torch(solved("free")) == "2.15.0+cu132"
    plan = solved("free", required={"torchaudio": SpecifierSet("")})
    assert _torch(plan) == "2.15.0+cu130"
    assert {str(package.version.local) for package in plan.packages} == {"cu130"}


def test_a_companion_that_only_a_package_requires_is_of_the_same_build(index, solved):
    """It is not taken from the index of the other packages."""
    index.add("torchaudio", "2.11.0")
    index.add("song", "1.0", requires=("torchaudio>=2.11",))
    plan = solved("song", excluded=frozenset({"torchvision"}))
    assert [str(package.version) for package in plan.packages] == ["2.15.0+cu130", "2.11.0+cu130"]


def test_the_driver_limits_what_a_stack_may_choose(index, solved):
    """A driver without CUDA 13 gets the newest release with a CUDA 12 build."""
    index.add("free", "1.0")
    assert _torch(solved("free", machine=OLD_DRIVER)) == "2.14.1+cu126"


def test_a_package_below_its_newest_version_is_said_with_the_reason(index, solved):
    """Both cannot be at their newest version; what stands in the way is named."""
    index.add("speech", "2.0", requires=("torch~=2.8.0",))
    index.add("serve", "9.0", requires=("torch==2.14.0",))
    index.add("serve", "1.0")
    plan = solved("speech", "serve")
    versions = {package.name: package.version for package in plan.solved if package.asked}
    (warning,) = plan.warnings
    below = next(
        name for name in ("speech", "serve") if versions[name] == "1.0" or name in warning.split()[0]
    )
    assert warning.startswith(f"{below} {versions[below]} is not the newest, ")
    assert "speech 2.0 wants torch >=2.8.0,<2.9" in warning
    assert "serve 9.0 wants torch 2.14.0" in warning


def test_a_newest_version_that_this_machine_cannot_install_is_no_loss(index, solved):
    """Nothing is said of a version that has no file for this Python."""
    index.add("old", "1.0")
    (index.folder / "old" / "old-2.0-cp39-cp39-win_amd64.whl").write_bytes(b"")
    index.add("old", "1.0")
    plan = solved("old")
    assert [package.version for package in plan.solved if package.asked] == ["1.0"]
    assert plan.warnings == ()


def test_a_name_that_no_index_has_is_an_error(solved):
    """It is named, and nothing is chosen without it."""
    with pytest.raises(NoSolution) as refused:
        solved("absent")
    assert "no index has absent" in str(refused.value)


def test_requirements_that_exclude_each_other_are_told_in_words(index, solved):
    """The shortest proof, without uv's derivation."""
    index.add("a", "1.0", requires=("torch==2.9.1",))
    index.add("b", "1.0", requires=("torch==2.8.0",))
    with pytest.raises(NoSolution) as refused:
        solved("a", "b")
    text = str(refused.value)
    assert "a wants torch 2.9.1" in text
    assert "b wants torch 2.8.0" in text
    assert "we can conclude" not in text


PINNED = {"torch": SpecifierSet("==2.1.0"), "required": {"torchvision": SpecifierSet("==0.16.0")}}
RTX_5090 = {"gpus": [{"name": "NVIDIA GeForce RTX 5090", "compute_capability": "12.0"}]}
LINUX = {"os": "linux", "arch": "x86_64", "libc": {"name": "glibc", "version": "2.39"}}
BLACKWELL = {**LINUX, "python": {"version": "3.11.9"}, "nvidia": {"driver": "581.20", **RTX_5090}}


def test_a_pin_that_leaves_the_gpu_unused_is_refused_with_the_nearest_release(index, solved):
    """The lowest release that works is offered first, the CPU build after it."""
    index.add("old", "1.0")
    with pytest.raises(NoSolution) as refused:
        solved("old", machine=BLACKWELL, **PINNED)
    assert refused.value.code == "pin-excludes-gpu"
    assert "RTX 5090" in str(refused.value)
    fix = str(refused.value.fix)
    assert fix.index("--override 'torch==2.7.*'") < fix.index("--variant cpu")


def test_the_nearest_release_is_taken_where_the_user_agrees(index, solved):
    """With companions that belong to it, whatever was asked of these and whatever a package wants."""
    index.add("old", "1.0", requires=("torch<2.2",))
    report = Recorder(answer=True)
    plan = solved("old", machine=BLACKWELL, report=report, **PINNED)
    assert [str(package.version) for package in plan.packages[:2]] == ["2.7.1+cu128", "0.22.1+cu128"]
    assert "Override it and take torch 2.7.1+cu128?" in report.questions[0]
    assert plan.overrides[:2] == ("torch==2.7.1+cu128", "torchvision==0.22.1+cu128")


def test_an_override_of_torch_frees_its_companions(index, solved):
    """Named once, for torch alone."""
    index.add("old", "1.0", requires=("torch<2.2",))
    request = {**PINNED, "torch": SpecifierSet("==2.7.*")}
    plan = solved("old", machine=BLACKWELL, overrides=("torch==2.7.*",), **request)
    assert [str(package.version) for package in plan.packages[:2]] == ["2.7.1+cu128", "0.22.1+cu128"]


def test_a_package_that_pins_a_torch_without_the_gpu_is_named(index, solved):
    """Nobody asked for that torch but the package."""
    index.add("old", "1.0", requires=("torch==2.1.0",))
    with pytest.raises(NoSolution) as refused:
        solved("old", machine=BLACKWELL)
    assert refused.value.code == "pin-excludes-gpu"
    assert "old 1.0 wants torch 2.1.0" in str(refused.value)


def test_an_extension_limits_torch_to_what_it_was_built_for(index, solved):
    """Its metadata does not say so; it was found out before."""
    index.add("torchtext", "0.18.0", requires=("torch>=2.3.0",))
    plan = solved("torchtext", machine=OLD_DRIVER)
    assert _torch(plan).startswith("2.3.1+cu")
    assert plan.reasons[0].startswith("torchtext 0.18.0 is built for torch >=2.3.0,<2.4, so torch 2.3.1+cu")


def test_an_extension_without_a_torch_for_this_machine_is_refused_with_the_way_out(index, solved):
    """No build of torch 2.3 runs on this GPU."""
    index.add("torchtext", "0.18.0", requires=("torch>=2.3.0",))
    with pytest.raises(NoSolution) as refused:
        solved("torchtext", machine=BLACKWELL)
    assert refused.value.code == "no-build-of-extension"
    assert "read text without it" in str(refused.value.fix)


def test_an_extension_without_a_build_for_the_system_is_refused_with_the_way_out(index, solved):
    """Without asking an index: an early version that is Python alone is not taken in its place."""
    index.add("vllm", "0.0.1")
    with pytest.raises(NoSolution) as refused:
        solved("vllm")
    assert refused.value.code == "no-build-of-extension"
    assert "WSL2" in str(refused.value.fix)


def test_triton_is_left_out_where_another_takes_its_place(index, solved):
    """ROCm builds bring a triton of their own, and macOS has none."""
    index.add("wants", "1.0", requires=("triton>=2",))
    mac = {"os": "macos", "arch": "arm64", "os_version": "14.5", "python": {"version": "3.12.4"}}
    plan = solved("wants", machine=mac)
    assert plan.excluded == {"triton"}
    assert "triton" not in {package.name for package in plan.solved}


def _wheel_url(folder, project, version):
    """A wheel in a folder as somebody names it in a file of requirements."""
    name, content = make_wheel(project, version, tag="cp312-cp312-win_amd64", requires=("torch",))
    (folder / name).write_bytes(content)
    return f"{project} @ {(folder / name).as_uri()}"


@pytest.mark.parametrize("project", ["exllamav3", "flash-attn"])
def test_a_wheel_by_url_brings_the_torch_that_its_name_says(project, solved, tmp_path):
    """A build that somebody else made for Windows counts, though flash-attn itself has none there."""
    plan = solved(_wheel_url(tmp_path, project, "2.8.3+cu128.torch2.9.0"))
    assert _torch(plan) == "2.9.1+cu128"
    assert "is built for torch 2.9 and CUDA 12, so torch 2.9.1+cu128" in plan.reasons[0]


def test_a_wheel_by_url_for_a_torch_that_the_machine_cannot_use_is_refused(solved, tmp_path):
    """A CUDA build does nothing without an NVIDIA GPU; the error names the file."""
    with pytest.raises(NoSolution) as caught:
        solved(_wheel_url(tmp_path, "exllamav3", "1.0+cu128.torch2.9.0"), machine=WINDOWS)
    assert caught.value.code == "no-torch-for-wheel"
    assert "exllamav3-1.0+cu128.torch2.9.0-cp312-cp312-win_amd64.whl" in caught.value.message


def test_an_extension_that_another_package_needs_is_refused_with_its_way_out(index, solved):
    """NVIDIA's triton has no file for Windows, and another project has the same module."""
    for path in (index.folder / "triton").iterdir():
        path.unlink()
    index.add("triton", "3.3.1", tag="cp312-cp312-manylinux_2_17_x86_64")
    index.add("liger-kernel", "0.5.2", requires=("triton>=2.3.1",))
    with pytest.raises(RequirementsUnmet) as caught:
        solved("liger-kernel")
    assert caught.value.fix.startswith(
        "NVIDIA's triton has no build for Windows: triton-windows has the same"
    )
    assert "--without triton" in caught.value.fix
