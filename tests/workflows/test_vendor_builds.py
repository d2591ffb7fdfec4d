"""AMD's own builds: the extras of the GPU, ROCm's packages from the index that has them, and what is said."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from tests.install.conftest import native_tag
from tests.wheelmaker import make_wheel
from tests.workflows.amd_index import ROCM, TORCH, VISION, add_amd_index
from tests.workflows.recorder import Recorder
from torchdoctor.detect import Machine
from torchdoctor.errors import NoSolution, SourceFailed, UsageError
from torchdoctor.lock.model import LockRequest
from torchdoctor.requirements import StackRequest
from torchdoctor.resolve import Request
from torchdoctor.sources import OFFICIAL, order_sources
from torchdoctor.sources.installer_config import IndexSetting
from torchdoctor.sources.vendors import with_vendor
from torchdoctor.workflows import resolve_online
from torchdoctor.workflows.source_builds import SourceBuilds
from torchdoctor.workflows.stack_model import StackTask

LINUX_TAG = "cp312-cp312-manylinux_2_28_x86_64"
MACHINE = {
    "os": "linux",
    "arch": "x86_64",
    "libc": {"name": "glibc", "version": "2.39"},
    "python": {"version": "3.12.4"},
    "amd": {"gpus": [{"name": "Radeon 8060S", "gfx": "gfx1151"}]},
}


@pytest.fixture
def resolved(index, tmp_path):
    """A function that resolves AMD's builds of the loopback index; nothing is built."""

    def run(*gfx, machine=MACHINE, tag=LINUX_TAG, vendor="amd", url=None):
        gpus = [{"name": f"Radeon {each}", "gfx": each} for each in gfx]
        described = Machine.from_json({**machine, "amd": {"gpus": gpus}} if gfx else machine)
        url = url or add_amd_index(index, tag)
        own = IndexSetting(place=f"{index.url}/simple", kind="index", origin="pip.conf")
        sources = with_vendor(
            order_sources(trusted=True, configured=(own,)), vendor, index_url=url, offline=False
        )
        return resolve_online(Request(), described, sources, offline=False, report=Recorder())[0]

    return run


def test_the_extras_bring_the_code_for_the_gpu(resolved):
    """Each package that has code for GPUs takes the extra; only the parts of this GPU are chosen."""
    plan = resolved()
    assert [package.requirement for package in plan.packages] == [
        f"torch[device-gfx1151]=={TORCH}",
        f"torchvision[device-gfx1151]=={VISION}",
    ]
    assert {wheel.project for wheel in plan.accelerator_wheels} == {
        "amd-torch-device-gfx1151", "amd-torchvision-device-gfx1151", "rocm-sdk-device-gfx1151", "rocm-sdk-libraries",
    }  # fmt: skip
    assert any("rocm 10.0.0 is a source package" in str(text) for text in plan.warnings)
    assert any("AMD recommends its newest" in str(text) for text in plan.reasons)


def test_two_gpus_get_the_code_of_both(resolved):
    """An integrated GPU beside a discrete one."""
    assert resolved("gfx1151", "gfx1201").torch.extras == ("device-gfx1151", "device-gfx1201")


@pytest.mark.parametrize(
    ("gfx", "reason"),
    [(("gfx1030",), "no code for Radeon gfx1030"), (("gfx1033",), "wrong results"), ((), "needs an AMD GPU")],
)
def test_a_machine_that_the_builds_have_no_code_for_is_refused_with_the_reason(resolved, gfx, reason):
    """What the metadata of torch names is all that there is code for."""
    machine = {key: value for key, value in MACHINE.items() if key != "amd"}
    with pytest.raises(NoSolution) as refused:
        resolved(*gfx, machine=machine)
    assert refused.value.code == "no-vendor-build"
    assert reason in str(refused.value.message)


def test_windows_gets_the_builds_for_windows(resolved):
    """PyTorch's own index has none."""
    windows = {**MACHINE, "os": "windows", "os_version": "10.0.26100", "libc": None}
    plan = resolved(machine=windows, tag="cp312-cp312-win_amd64")
    assert plan.torch.wheel.filename == f"torch-{TORCH}-cp312-cp312-win_amd64.whl"
    assert plan.torch.extras == ("device-gfx1151",)


def test_an_index_without_a_build_for_the_machine_says_so(resolved):
    """Here it has wheels for Windows alone."""
    with pytest.raises(NoSolution) as refused:
        resolved(tag="cp312-cp312-win_amd64")
    assert refused.value.code == "no-wheel"


def test_an_index_with_other_versions_alone_says_which(index):
    """What was asked for is another release, not another machine."""
    url = add_amd_index(index, LINUX_TAG)
    sources = with_vendor(order_sources(trusted=True), "amd", index_url=url, offline=False)
    with pytest.raises(NoSolution) as refused:
        resolve_online(
            Request(torch=SpecifierSet("==2.9.*")), Machine.from_json(MACHINE), sources,
            offline=False, report=Recorder(),
        )  # fmt: skip
    assert refused.value.code == "no-wheel"
    assert "it has torch 2.13.0" in str(refused.value.message)


def test_builds_of_which_nothing_can_be_read_are_a_failure_of_the_source(index):
    """They are there, and fit; what they need is in files that the index does not have."""
    url = add_amd_index(index, LINUX_TAG)
    for path in [each for each in index.files if "/torch-" in each]:
        del index.files[path]
    sources = with_vendor(order_sources(trusted=True), "amd", index_url=url, offline=False)
    with pytest.raises(SourceFailed) as failed:
        resolve_online(Request(), Machine.from_json(MACHINE), sources, offline=False, report=Recorder())
    assert failed.value.code == "no-source"
    assert f"torch-{TORCH}" in str(failed.value.message)


def test_an_index_that_does_not_answer_is_a_failure_of_the_network(resolved):
    """PyTorch's index is not asked instead."""
    with pytest.raises(SourceFailed) as failed:
        resolved(url="http://127.0.0.1:9/rocm/")
    assert failed.value.code == "no-source"


def test_an_unknown_vendor_is_wrong_usage():
    """The names are listed."""
    with pytest.raises(UsageError) as refused:
        with_vendor(order_sources(), "voodoo", index_url=None, offline=False)
    assert "amd" in refused.value.fix


def test_pytorchs_own_build_gets_rocm_from_the_index_that_has_it(index, monkeypatch):
    """From ROCm 7.14 on it needs packages that PyTorch's index lacks here: AMD's has them, PyPI a placeholder."""
    from torchdoctor.sources import vendors
    from wheels_index import vendor

    amd = replace(vendor("amd"), indexes=(add_amd_index(index, LINUX_TAG),))
    monkeypatch.setattr(vendors, "vendor", lambda _: amd)
    name, content = make_wheel(
        "torch", "2.14.1+rocm7.14", tag=LINUX_TAG, requires=(f"rocm-sdk-core=={ROCM}",)
    )
    index.add("/whl/rocm7.14/torch/", name, content)
    index.add("/whl/rocm7.14/rocm-sdk-core/", *make_wheel("rocm-sdk-core", "7.0", tag="py3-none-any"))
    sources = order_sources(trusted=True, index_url=f"{index.url}/whl").without([OFFICIAL.url])
    request = Request(variant="rocm7.14", excluded=frozenset({"torchvision", "torchaudio"}))
    plan = resolve_online(request, Machine.from_json(MACHINE), sources, offline=False, report=Recorder())[0]
    assert [wheel.filename for wheel in plan.accelerator_wheels] == [
        f"rocm_sdk_core-{ROCM}-py3-none-manylinux_2_28_x86_64.whl"
    ]
    assert plan.torch.requirement == "torch==2.14.1+rocm7.14"


def test_a_part_that_no_index_has_is_named(index, monkeypatch):
    """PyPI is not asked for it, whatever is there under its name."""
    from torchdoctor.sources import vendors
    from wheels_index import vendor

    amd = replace(vendor("amd"), indexes=(add_amd_index(index, LINUX_TAG),))
    monkeypatch.setattr(vendors, "vendor", lambda _: amd)
    name, content = make_wheel(
        "torch", "2.14.1+rocm7.14", tag=LINUX_TAG, requires=("rocm[libraries]==7.14.*",)
    )
    index.add("/whl/rocm7.14/torch/", name, content)
    sources = order_sources(trusted=True, index_url=f"{index.url}/whl").without([OFFICIAL.url])
    request = Request(variant="rocm7.14", excluded=frozenset({"torchvision", "torchaudio"}))
    with pytest.raises(NoSolution) as refused:
        resolve_online(request, Machine.from_json(MACHINE), sources, offline=False, report=Recorder())
    assert refused.value.code == "vendor-part-missing"
    assert "rocm[libraries]==7.14.*" in str(refused.value.message)


def test_the_package_that_needs_a_missing_part_is_named(index):
    """It is not torch that needs what its code for a GPU is linked with."""
    url = add_amd_index(index, LINUX_TAG)
    del index.pages["/rocm/whl-next/rocm-sdk-libraries/"]
    sources = with_vendor(order_sources(trusted=True), "amd", index_url=url, offline=False)
    with pytest.raises(NoSolution) as refused:
        resolve_online(Request(), Machine.from_json(MACHINE), sources, offline=False, report=Recorder())
    assert f"rocm-sdk-device-gfx1151 needs rocm-sdk-libraries=={ROCM}" in str(refused.value.message)


def test_a_part_for_another_python_is_not_chosen(index):
    """The page says for which Python each file is."""
    url = add_amd_index(index, LINUX_TAG)
    page = "/rocm/whl-next/rocm-sdk-device-gfx1151/"
    index.pages[page] = index.pages[page].replace(b"<a ", b'<a data-requires-python="&gt;=3.13" ')
    sources = with_vendor(order_sources(trusted=True), "amd", index_url=url, offline=False)
    with pytest.raises(NoSolution) as refused:
        resolve_online(Request(), Machine.from_json(MACHINE), sources, offline=False, report=Recorder())
    assert refused.value.code == "vendor-part-missing"


@pytest.mark.parametrize("is_there", [True, False])
def test_offline_the_parts_come_from_folders_alone(index, tmp_path, monkeypatch, is_there):
    """AMD's index is not asked; what lies nowhere is named, with the folders."""
    from torchdoctor.sources import vendors
    from wheels_index import vendor

    amd = replace(vendor("amd"), indexes=(add_amd_index(index, LINUX_TAG),))
    monkeypatch.setattr(vendors, "vendor", lambda _: amd)
    core = f"rocm-sdk-core=={ROCM}"
    wheels = [("torch", make_wheel("torch", "2.14.1+rocm7.14", tag=LINUX_TAG, requires=(core,)))]
    wheels += [("parts", make_wheel("rocm-sdk-core", ROCM, tag="py3-none-any"))] if is_there else []
    for folder in ("torch", "parts"):
        (tmp_path / folder).mkdir()
    for folder, (name, content) in wheels:
        (tmp_path / folder / name).write_bytes(content)
    folders = [str(tmp_path / "torch"), str(tmp_path / "parts")]
    sources = order_sources(trusted=True, find_links=folders, offline=True)
    request = Request(variant="rocm7.14", excluded=frozenset({"torchvision", "torchaudio"}))

    def run():
        machine, report = Machine.from_json(MACHINE), Recorder()
        return resolve_online(request, machine, sources, offline=True, report=report)[0], report

    if is_there:
        plan, report = run()
        assert [wheel.project for wheel in plan.accelerator_wheels] == ["rocm-sdk-core"]
        assert any("1 package of AMD's comes from" in note for note in report.notes)
    else:
        with pytest.raises(NoSolution) as refused:
            run()
        assert f"torch needs {core}" in str(refused.value.message)
        assert "--offline" in refused.value.fix
    assert not index.seen


@pytest.mark.process
@pytest.mark.parametrize("answer", [True, None])
def test_the_source_package_that_selects_the_rest_is_built_after_consent_alone(index, tmp_path, answer):
    """Its code runs; with consent its requirements are followed, to AMD's index and not to PyPI's placeholder."""
    url = add_amd_index(index, LINUX_TAG)
    own = IndexSetting(place=f"{index.url}/simple", kind="index", origin="pip.conf")
    sources = with_vendor(order_sources(trusted=True, configured=(own,)), "amd", index_url=url, offline=False)
    machine, report = Machine.from_json(MACHINE), Recorder(answer)
    request = LockRequest(
        python=Path(sys.executable),
        sources=sources,
        environ={**os.environ, "UV_CACHE_DIR": str(tmp_path / "uv")},
        machine=machine,
    )
    task = StackTask(stack=StackRequest(), lock_request=request, run_dir=tmp_path)

    def run():
        return resolve_online(
            Request(), machine, sources, offline=False, report=report,
            task=task, builds=SourceBuilds(cache=tmp_path / "cache", report=report),
        )[0]  # fmt: skip

    if answer is None:
        with pytest.raises(NoSolution) as refused:
            run()
        assert refused.value.code == "build-consent"
        return
    parts = {wheel.project: wheel for wheel in run().accelerator_wheels}
    assert (str(parts["rocm"].version), parts["rocm"].url[:5]) == (ROCM, "file:")
    assert str(parts["rocm-sdk-core"].version) == ROCM
    assert report.questions[0].startswith(f"rocm {ROCM} has no wheel")


@pytest.mark.process
def test_amds_builds_are_installed_from_its_index(index, alone, tmp_path, monkeypatch):
    """From end to end on Linux, with everything else from PyPI; the GPU is that of another machine.

    AMD's pages have no hashes: those of the first download are recorded, and said.
    """
    from torchdoctor.core.system.host import HostSystem
    from torchdoctor.detect import Amd, AmdGpu
    from torchdoctor.requirements import AskedRequirement
    from torchdoctor.sources import vendors
    from torchdoctor.workflows import install_inputs, run_add
    from torchdoctor.workflows.install import run_install
    from torchdoctor.workflows.install_model import InstallOptions
    from torchdoctor.workflows.source_options import SourceOptions
    from wheels_index import vendor

    url = add_amd_index(index, native_tag(), hashes=False)
    detect = install_inputs.detect

    def with_gpu(*arguments, **more):
        found = detect(*arguments, **more)
        gpus = Amd(driver=None, gpus=(AmdGpu(name="Radeon 8060S", gfx="gfx1151"),))
        return replace(found, machine=replace(found.machine, amd=gpus))

    monkeypatch.setattr(install_inputs, "detect", with_gpu)
    options = InstallOptions(
        folder=tmp_path / "env",
        cache=tmp_path / "cache",
        sources=SourceOptions(trust_mirror=True, vendor="amd", index_url=url),
        stack=StackRequest(builds=frozenset({"rocm"})),
        verify=False,
    )
    report = Recorder()
    result = run_install(options, system=HostSystem(environ={**os.environ, **alone}), report=report)
    assert (result.plan.variant, result.plan.torch.extras) == (f"rocm{ROCM}", ("device-gfx1151",))
    assert all(wheel.sha256 for wheel in result.lock.wheels)
    for name in (f"rocm-{ROCM}.tar.gz", "rocm_sdk_core"):
        assert any(f"no index gives a hash for {name}" in note for note in report.notes)
    site = next((tmp_path / "env").glob("lib/python*/site-packages"))
    installed = {path.name.removesuffix(".dist-info") for path in site.glob("*.dist-info")}
    assert {
        f"rocm-{ROCM}", f"rocm_sdk_core-{ROCM}", f"rocm_sdk_libraries-{ROCM}", f"rocm_sdk_device_gfx1151-{ROCM}",
        f"torch-{TORCH}", f"torchvision-{VISION}", f"amd_torch_device_gfx1151-{TORCH}", "filelock-3.29.0",
    } <= installed  # fmt: skip
    assert not [name for name in installed if "gfx1100" in name]
    # What is added later goes with this torch: its record names the vendor, and `rocm` needs no second consent.
    index.add("/simple/einops/", *make_wheel("einops", "0.8.0", tag="py3-none-any", requires=("torch>=2.1",)))
    asked = AskedRequirement(line="einops", name="einops", origin="add")
    more = replace(
        options,
        sources=SourceOptions(trust_mirror=True, index_url=url),
        stack=StackRequest(requirements=(asked,)),
        dry_run=True,
    )
    added = run_add(more, system=HostSystem(environ={**os.environ, **alone}), report=report)
    assert [str(change) for change in added.changes] == ["+ einops 0.8.0"]
    assert report.questions == []
    # An installation into it keeps the vendor too, whose index is the usual one where none is named.
    monkeypatch.setattr(vendors, "vendor", lambda name: replace(vendor(name), indexes=(url,)))
    again = replace(more, sources=SourceOptions(trust_mirror=True), stack=StackRequest())
    kept = run_install(again, system=HostSystem(environ={**os.environ, **alone}), report=report)
    assert (kept.plan.vendor, kept.changes) == ("amd", ())
