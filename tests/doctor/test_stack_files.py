"""Extensions beside torch by what their libraries need: their own files go before the pairs that are known."""

from __future__ import annotations

import pytest

from tests.binaries import make_elf
from tests.doctor.check_ups import check_up
from tests.doctor.test_stack import found, imported
from tests.inventory.test_extension_fits import HERE, LINKED, put_extension, put_torch
from torchdoctor.doctor.stack import inspect_stack


def extension_problems(site):
    """Kind, package and description of each."""
    state = inspect_stack(site.take(), site.python)
    return [
        (row.kind, row.package, row.description) for row in state.problems if row.kind.startswith("extension")
    ]


@pytest.mark.parametrize(
    ("name", "library", "kind", "failure"),
    [
        ("my-torch-ops", {"needed": (*LINKED, "libcudart.so.13")}, "extension-cuda", "extension-cuda-major"),
        ("flash-attn", {"needed": (*LINKED, "libtorch_xpu.so")}, "extension-cuda", "extension-cuda-major"),
        (
            "flash-attn",
            {"needed": LINKED, "undefined": ("_ZN2at4goneEv",)},
            "extension",
            "extension-torch-mismatch",
        ),
        ("torchao", {"needed": (*LINKED, "libcudart.so.13")}, "extension-part", "extension-part-mismatch"),
    ],
)
def test_each_mismatch_is_a_finding_with_its_reason(site, name, library, kind, failure):
    """Known or not; the library or the name that is missing is the evidence."""
    put_torch(site)
    put_extension(site, name, **library)
    ((seen, package, description),) = extension_problems(site)
    assert (seen, package) == (kind, name)
    assert description.startswith(f"{name} 1.0: _C.so")
    finding = found(site)[failure]
    assert finding.confidence == "certain"
    assert description in finding.evidence[0]


def test_a_build_of_one_s_own_fits_whatever_the_pairs_say(site):
    """torchtext 0.18.0 goes with torch 2.3 by the pairs, and this one was compiled here."""
    put_torch(site)
    files = {"torchtext/_torchtext.so": make_elf(needed=LINKED, undefined=(HERE,))}
    site.put("torchtext", "0.18.0", files=files)
    assert extension_problems(site) == []


def test_kernels_beside_a_torch_for_the_cpu_are_no_loss(site):
    """They have no GPU to run on; what cannot be imported is told."""
    put_torch(site, "2.10.0+cpu", cuda=None)
    put_extension(site, "torchao", needed=(*LINKED, "libc10_cuda.so"))
    assert extension_problems(site) == []
    put_extension(site, "flash-attn", needed=(*LINKED, "libc10_cuda.so"))
    assert [row[:2] for row in extension_problems(site)] == [("extension-cuda", "flash-attn")]


def test_what_was_imported_goes_before_what_the_files_say(site):
    """The loader may have found a library that was not looked for."""
    put_torch(site)
    put_extension(site, needed=(*LINKED, "libcudart.so.13"))
    assert "extension-cuda-major" in found(site)
    assert "extension-cuda-major" not in found(site, packages=(imported("flash-attn", "pass"),))


def test_all_that_is_looked_into_is_in_the_inventory(site):
    """Which extensions there are, and that they fit."""
    put_torch(site)
    put_extension(site, needed=LINKED, undefined=(HERE,))
    (fit,) = check_up(site).inventory.extensions.value
    assert (fit.name, fit.fits, fit.libraries) == ("flash-attn", True, 1)
