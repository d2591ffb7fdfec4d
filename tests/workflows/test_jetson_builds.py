"""NVIDIA's builds for Jetson: asked for by name alone, for the GPUs that they have code for."""

from __future__ import annotations

import pytest

from tests.wheelmaker import make_wheel
from tests.workflows.recorder import Recorder
from torchdoctor.detect import Machine
from torchdoctor.errors import NoSolution
from torchdoctor.resolve import Request, resolve
from torchdoctor.sources import order_sources
from torchdoctor.sources.vendors import with_vendor
from torchdoctor.workflows import resolve_online
from wheels_index import bundled, vendor

ORIN = ("Jetson AGX Orin", "8.7", "540.4.0", "3.10.12")  # JetPack 6
THOR = ("Jetson AGX Thor (T5000)", "11.0", "580.00", "3.12.4")  # JetPack 7
GB10 = ("NVIDIA GB10", "12.1", "580.95", "3.12.4")


def machine(name, capability, driver, python):
    return Machine.from_json(
        {
            "os": "linux",
            "arch": "aarch64",
            "libc": {"name": "glibc", "version": "2.35"},
            "python": {"version": python},
            "nvidia": {"driver": driver, "gpus": [{"name": name, "compute_capability": capability}]},
        }
    )


@pytest.fixture
def resolved(index):
    """A function that resolves a vendor's builds, whose files name no build, for a machine."""

    def run(name, described, python="cp310"):
        for project, version in (("torch", "2.9.1"), ("torchvision", "0.24.1"), ("torchaudio", "2.9.1")):
            made = make_wheel(project, version, tag=f"{python}-{python}-linux_aarch64")
            index.add(f"/jetson/{project}/", *made)
        sources = with_vendor(
            order_sources(trusted=True), name, index_url=f"{index.url}/jetson", offline=False
        )
        report = Recorder()
        return resolve_online(Request(), described, sources, offline=False, report=report)[0]

    return run


@pytest.mark.parametrize(
    ("name", "board", "python", "variant"),
    [("jetson-jp6", ORIN, "cp310", "cu126"), ("jetson-jp7", THOR, "cp312", "cu130")],
)
def test_a_jetson_gets_the_builds_that_are_named(resolved, name, board, python, variant):
    """The files tell no build; it is that of the index."""
    plan = resolved(name, machine(*board), python)
    assert plan.variant == variant
    assert [package.requirement for package in plan.packages] == [
        "torch==2.9.1",
        "torchvision==0.24.1",
        "torchaudio==2.9.1",
    ]


def test_what_is_known_to_be_missing_is_said(resolved):
    """The builds for JetPack 7 need libraries that they do not declare."""
    assert any("nvpl-blas" in str(text) for text in resolved("jetson-jp7", machine(*THOR), "cp312").warnings)


@pytest.mark.parametrize(
    ("name", "board"), [("jetson-jp6", THOR), ("jetson-jp7", GB10), ("jetson-jp7", ORIN)]
)
def test_another_gpu_or_an_older_driver_is_refused(resolved, name, board):
    """Each index has code for its own boards, and needs the driver of its JetPack."""
    with pytest.raises(NoSolution) as refused:
        resolved(name, machine(*board), "cp312" if board is not ORIN else "cp310")
    assert refused.value.code == "no-vendor-build"


def test_they_are_offered_where_no_build_of_pytorchs_reaches_the_gpu():
    """An Orin with JetPack 6 gets the CPU build, and is told of the others."""
    plan = resolve(machine(*ORIN), Request(), bundled())
    assert plan.variant == "cpu"
    assert any("--vendor jetson-jp6" in str(text) for text in plan.warnings)


@pytest.mark.parametrize(("driver", "offered"), [("540.4.0", True), ("35.3.1", False), (None, False)])
def test_only_what_would_be_taken_is_offered_and_no_driver_is_advised(driver, offered):
    """A Jetson's driver comes with its JetPack: an older or unknown one is refused by these builds as well."""
    described = machine(ORIN[0], ORIN[1], driver, ORIN[3])
    texts = [str(text) for text in resolve(described, Request(), bundled()).warnings]
    assert any("--vendor" in text for text in texts) is offered
    assert not any("update the NVIDIA driver" in text for text in texts)
    assert any("comes with its JetPack alone" in text for text in texts)


def test_a_server_of_arm_is_still_told_of_its_driver():
    """There a driver is updated by itself."""
    plan = resolve(machine("NVIDIA H100", "9.0", "470.57", "3.12.4"), Request(), bundled())
    assert any("update the NVIDIA driver" in str(text) for text in plan.warnings)


def test_they_are_not_offered_where_a_build_of_pytorchs_runs():
    """Thor runs PyTorch's own."""
    plan = resolve(machine(*THOR), Request(), bundled())
    assert plan.variant.startswith("cu13")
    assert not any("--vendor" in str(text) for text in plan.warnings)


def test_each_vendor_has_its_source_and_date():
    """No fact without both."""
    for name in ("amd", "jetson-jp6", "jetson-jp7"):
        found = vendor(name)
        assert "https://" in found.source
        assert found.date
        assert all(url.startswith("https://") for url in found.indexes)
