"""What a text says and what the machine shows, together: the machine says why."""

from __future__ import annotations

import pytest

from torchdoctor.diagnose import Evidence, Observation, diagnose, live_failures
from torchdoctor.diagnose.parsers.parse import parse_report

HANGS = "torchrun --nproc_per_node=2 train.py hangs at init_process_group with NCCL; with one GPU it works."
REFUSED = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."


def diagnosed(text, **facts):
    rows = tuple(
        Observation(name=name.replace("__", "."), value=value, source=name) for name, value in facts.items()
    )
    system = Observation(name="os.system", value="linux", source="uname")
    evidence = Evidence(facts=(system, *rows)).merged_with(parse_report(text))
    return diagnose(evidence, str, live_failures())


@pytest.mark.parametrize(
    ("kind", "confidence"), [("DMA-FQ", "likely"), ("DMA", "likely"), ("identity", "possible")]
)
def test_gpus_that_hang_behind_an_iommu(kind, confidence):
    """One that leaves the transfers alone says nothing more than the text."""
    found = diagnosed(HANGS, live__nvidia__iommu=kind)
    assert [(one.id, one.confidence) for one in found.in_order if one.id == "nccl-p2p"] == [
        ("nccl-p2p", confidence)
    ]


def test_an_iommu_alone_is_no_fault():
    """Most servers have one."""
    assert diagnosed("", live__nvidia__iommu="DMA-FQ").in_order == ()


def test_a_card_without_driver_under_secure_boot():
    """With it off, or with the driver bound, the kernel's signatures are not the reason."""
    card = {"live__nvidia__pci": "NVIDIA GeForce RTX 4090"}
    first = diagnosed(REFUSED, live__os__secure_boot="true", **card).findings[0]
    assert (first.id, first.confidence) == ("secure-boot-unsigned-module", "likely")
    for other in (
        {"live__os__secure_boot": "False"},
        {"live__os__secure_boot": "true", "live__nvidia__kernel_driver": "nvidia"},
    ):
        ids = {one.id for one in diagnosed(REFUSED, **card, **other).in_order}
        assert "secure-boot-unsigned-module" not in ids


def test_a_vgpu_without_licence_and_an_interface_that_is_not_there():
    """Each is seen without a word of anybody."""
    assert [one.id for one in diagnosed("", live__nvidia__licence="unlicensed").findings] == [
        "vgpu-unlicensed"
    ]
    assert diagnosed("", live__nvidia__licence="licensed").in_order == ()
    seen = {"live__nccl__interface_missing": "eth2", "nvidia__gpu": "NVIDIA H100"}
    assert [one.id for one in diagnosed("", **seen).findings] == ["nccl-socket-interface"]


def test_a_compat_library_on_a_geforce():
    """A data-centre GPU may use it, and what works is right."""
    seen = {"live__nvidia__compat_libcuda": "/usr/local/cuda/compat/libcuda.so.1"}
    name = "cuda-compat-on-unsupported-gpu"
    assert [one.id for one in diagnosed("", nvidia__gpu="NVIDIA GeForce RTX 4090", **seen).findings] == [name]
    assert diagnosed("", nvidia__gpu="NVIDIA A100-SXM4-80GB", **seen).findings == ()
    works = {"nvidia__gpu": "NVIDIA GeForce RTX 4090", "cuda__available": "true"}
    assert diagnosed("", **works, **seen).findings == ()


def test_a_build_that_fails_beside_an_nvcc_of_another_cuda():
    """The text says that it fails, the machine which nvcc there is."""
    seen = {
        "cuda__toolkit": "11.5",
        "torch__build": "cu124",
        "torch__cuda": "12.4",
        "torch__version": "2.6.0+cu124",
    }
    first = diagnosed("ERROR: Failed building wheel for flash-attn", **seen).findings[0]
    assert first.id == "cuda-toolkit-mismatch"
    assert diagnosed("", **seen).findings == ()
