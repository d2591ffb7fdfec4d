"""A release that nobody has told us of, with a CUDA and a ROCm of its own: found, chosen, explained and installed."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.install.conftest import native_tag
from tests.loopback import Fault
from tests.wheelmaker import make_wheel
from torchdoctor.sources import index_cache, index_update

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran
    from tests.loopback import LoopbackIndex

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="ROCm builds are for Linux alone")

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
TORCH, VISION, AUDIO = "2.16.0", "0.31.0", "2.12.0"
NEEDS = {"cu134": ("filelock",), "rocm10.0": ("triton-rocm==3.9.0", "rocm[libraries]==10.0.0")}
INSTALLED = {"cu134": {"filelock"}, "rocm10.0": {"triton-rocm", "rocm", "rocm-sdk-libraries"}}
ROCM = """Metadata-Version: 2.1
Name: rocm
Version: 10.0.0
Provides-Extra: libraries
Requires-Dist: rocm-sdk-libraries==10.0.0; extra == 'libraries'
"""


def list_release(index: LoopbackIndex, *variants: str) -> None:
    """List the release as PyTorch's index does: a page for each variant, and one with the files of all."""
    for variant in variants:
        for project, version, requires in (
            ("torch", TORCH, NEEDS.get(variant, ())),
            ("torchvision", VISION, (f"torch=={TORCH}",)),
            ("torchaudio", AUDIO, (f"torch>={TORCH}",)),
        ):
            built = f"{version}+{variant}"
            name, content = make_wheel(project, built, tag=native_tag(), requires=requires)
            index.add(f"/whl/{variant}/{project}/", name, content)
            line = index.pages[f"/whl/{variant}/{project}/"].splitlines(keepends=True)[-1]
            listed = index.pages.setdefault(f"/whl/{project}/", b"<!DOCTYPE html>\n<html>\n  <body>\n")
            index.pages[f"/whl/{project}/"] = listed + line


@pytest.fixture(autouse=True)
def _loopback_is_official(monkeypatch: pytest.MonkeyPatch) -> None:
    """The index on loopback stands for PyTorch's own."""
    for module in (index_cache, index_update):
        monkeypatch.setattr(module, "vouches", lambda _: True)


@pytest.fixture
def released(index: LoopbackIndex) -> LoopbackIndex:
    """torch 2.16.0 for the CPU, CUDA 13.4 and ROCm 10.0; what it needs is where each is in real life."""
    list_release(index, "cpu", "cu134", "rocm10.0")
    for project, version, metadata in (
        ("triton-rocm", "3.9.0", None),
        ("rocm", "10.0.0", ROCM),
        ("rocm-sdk-libraries", "10.0.0", None),
    ):
        wheel = make_wheel(project, version, tag=native_tag(), metadata=metadata)
        index.add(f"/whl/rocm10.0/{project}/", *wheel)
    index.add("/simple/rocm/", *make_wheel("rocm", "0.1.0", tag="py3-none-any"))  # PyPI's placeholder
    index.add("/simple/filelock/", *make_wheel("filelock", "3.20.0", tag="py3-none-any"))
    return index


@pytest.fixture
def described(tmp_path: Path) -> Callable[..., Path]:
    """A machine with Linux and this Python, as a file."""

    def write(**gpus: Any) -> Path:
        machine = {
            "os": "linux", "os_version": "24.04", "arch": "x86_64", "libc": {"name": "glibc", "version": "2.39"},
            "wsl": False, "container": None,
            "python": {"implementation": "cpython", "version": f"{HERE}.0", "free_threaded": False, "bits": 64},
            "nvidia": None, "amd": None, "intel": None, "apple": None, **gpus,
        }  # fmt: skip
        path = tmp_path / "machine.json"
        path.write_text(json.dumps(machine), "utf-8")
        return path

    return write


CARD = {"name": "NVIDIA GeForce RTX 4090", "compute_capability": "8.9", "memory_mib": 24564}
NVIDIA = {"nvidia": {"driver": "610.43", "gpus": [CARD]}}
AMD = {"amd": {"driver": "6.16.6", "gpus": [{"name": "Radeon RX 7900 XTX", "gfx": "gfx1100"}]}}
CHOICES = [
    (NVIDIA, "cu134", "cu134 needs driver ≥ 580; this machine has 610.43 (GPU code as in torch 2.15.0 cu132"),
    (AMD, "rocm10.0", "rocm10.0 has code for gfx1100 (AMD targets taken from rocm7.2)"),
]


def check_plan(ran: Ran, variant: str, reason: str) -> None:
    """The release in this variant, its companions in the same one, and the reasons."""
    assert ran.status == 0, ran.out + ran.err
    plan = ran.json
    assert plan["variant"] == variant
    assert {row["name"]: row["version"] for row in plan["packages"]} == {
        "torch": f"{TORCH}+{variant}",
        "torchvision": f"{VISION}+{variant}",
        "torchaudio": f"{AUDIO}+{variant}",
    }
    assert plan["reasons"][0] == "torch 2.16.0 is the newest release that fits this machine"
    assert plan["reasons"][1].startswith(reason)
    rejected = {row["variant"]: row["because"] for row in plan["rejected"]}
    assert rejected["cpu"] == f"a GPU build fits: {variant}"
    assert len(rejected) == 2


@pytest.mark.parametrize(("gpus", "variant", "reason"), CHOICES)
def test_after_an_update_it_is_chosen_with_its_companions_and_explained(
    in_process, released, described, gpus, variant, reason
):
    """`index update` names what is new; `resolve` asks nobody and says by which rules it chose."""
    updated = in_process("index", "update", "--index-url", f"{released.url}/whl")
    assert "  new release: torch 2.16.0\n" in updated.out
    assert f"  new variant: torch 2.16.0 {variant} for linux_x86_64\n" in updated.out
    released.seen.clear()
    check_plan(in_process("resolve", "--machine", described(**gpus), "--json"), variant, reason)
    assert released.seen == []
    assert in_process("index", "show", "--torch", "2.16.0").status == 0


@pytest.mark.parametrize(("gpus", "variant", "reason"), CHOICES)
def test_without_an_update_a_live_resolve_chooses_it_as_well(
    in_process, released, described, gpus, variant, reason
):
    """The release has none of the variants that the release before it is chosen in."""
    options = ("--index-url", f"{released.url}/whl", "--json")
    check_plan(in_process("resolve", "--machine", described(**gpus), *options), variant, reason)


@pytest.mark.parametrize("variant", ["cu134", "rocm10.0"])
def test_it_is_installed_with_what_it_needs(torchdoctor, released, variant):
    """The wheels of this variant are in the environment, what they require too, and nothing was updated before."""
    ran = torchdoctor(
        "install", "env", "--variant", variant, "--index-url", f"{released.url}/whl", "--python", sys.executable,
        "--without", "pip", "--no-verify", "--no-hold", "--yes", "--json",
    )  # fmt: skip
    assert ran.status == 0, ran.out + ran.err
    names = {row["name"] for row in ran.json["files"]}
    assert names == {"torch", "torchvision", "torchaudio", *INSTALLED[variant]}
    assert {row["version"] for row in ran.json["packages"]} == {
        f"{version}+{variant}" for version in (TORCH, VISION, AUDIO)
    }


def test_a_page_of_a_newer_variant_that_cannot_be_read_changes_nothing(
    in_process, index, described, tmp_path
):
    """A mirror that answers with an error for what it lacks, and a folder, are sources as before."""
    list_release(index, "cu132")
    for path in ("/whl/torch/", "/whl/torchvision/", "/whl/torchaudio/"):
        del index.pages[path]
    index.faults["/whl/cu134/torch/"] = Fault(status=500)
    plan = in_process(
        "resolve", "--machine", described(**NVIDIA), "--index-url", f"{index.url}/whl", "--json"
    ).json
    assert [row["version"] for row in plan["packages"]] == [
        f"{each}+cu132" for each in (TORCH, VISION, AUDIO)
    ]
    folder = tmp_path / "whl" / "cu132" / "torch"
    folder.mkdir(parents=True)
    name, content = make_wheel("torch", f"{TORCH}+cu132", tag=native_tag())
    (folder / name).write_bytes(content)
    ran = in_process(
        "resolve", "--machine", described(**NVIDIA), "--index-url", tmp_path / "whl", "--offline", "--json"
    )
    assert ran.json["packages"][0]["version"] == f"{TORCH}+cu132", ran.out + ran.err


def test_a_cuda_of_which_no_driver_is_known_is_not_chosen_and_the_reason_is_said(
    in_process, index, described
):
    """No source says which driver CUDA 14 needs: the build before it is taken, and this one where it is asked for."""
    list_release(index, "cpu", "cu140")
    in_process("index", "update", "--index-url", f"{index.url}/whl")
    plan = in_process("resolve", "--machine", described(**NVIDIA), "--json").json
    assert plan["variant"] == "cu132"
    unknown = "no source says which driver cu140 needs; this machine has 610.43"
    assert {row["variant"]: row["because"] for row in plan["rejected"]}["cu140"] == unknown
    asked = in_process("resolve", "--machine", described(**NVIDIA), "--variant", "cu140", "--json").json
    assert asked["packages"][0]["version"] == f"{TORCH}+cu140"
    assert asked["reasons"][1:] == ["cu140 was asked for", unknown]
