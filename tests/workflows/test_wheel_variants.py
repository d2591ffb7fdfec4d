"""An index of wheel variants: the choice is made among labels that the machine supports, said, and installed."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.install.conftest import native_tag
from tests.wheelmaker import make_wheel
from tests.workflows.recorder import Recorder
from torchdoctor.detect import Machine
from torchdoctor.errors import NoSolution
from torchdoctor.resolve import Request
from torchdoctor.resolve.variant_properties import driver_cuda, rank_property
from torchdoctor.sources import OFFICIAL, PYPI, order_sources
from torchdoctor.sources.variant_markers import without_variant_markers
from torchdoctor.workflows import resolve_online

TAG = "cp312-cp312-manylinux_2_28_x86_64"
VARIANTS = {
    "$schema": "https://variants-schema.wheelnext.dev/peps/825/v0.1.1.json",
    "default-priorities": {"namespace": ["nvidia"]},
    "variants": {
        "null": {},
        "cu126": {
            "nvidia": {"cuda_version_lower_bound": ["12.6"], "sm_arch": ["60_real", "75_real", "80_real"]}
        },
        "cu128": {
            "nvidia": {"cuda_version_lower_bound": ["12.8"], "sm_arch": ["75_real", "80_real", "120_real"]}
        },
    },
}
REQUEST = Request(torch=SpecifierSet("==2.10.0"), excluded=frozenset({"torchvision", "torchaudio"}))


def add_variants(index, tag=TAG, *, labels=("null", "cu126", "cu128"), variants=VARIANTS, sidecar=True):
    """List a wheel for each label under one project page, as PyPI would."""
    for label in labels:
        built = "2.10.0+cpu" if label == "null" else f"2.10.0+{label}"
        requires = ("filelock", 'numpy; "nvidia" in variant_namespaces')
        name, content = make_wheel("torch", "2.10.0", tag=tag, built=built, requires=requires)
        name = f"{name.removesuffix('.whl')}-{label}.whl"
        index.add("/simple/torch/", name, content, sidecar=sidecar)
    if variants is not None:
        index.files["/simple/torch-2.10.0-variants.json"] = json.dumps(variants).encode()
        index.pages["/simple/torch/"] += b'<a href="/simple/torch-2.10.0-variants.json">variants</a>'


def machine(driver=None, *gpus):
    cards = [{"name": f"GPU {each}", "compute_capability": each} for each in gpus]
    return Machine.from_json(
        {
            "os": "linux",
            "arch": "x86_64",
            "libc": {"name": "glibc", "version": "2.35"},
            "python": {"version": "3.12.4"},
            "nvidia": {"driver": driver, "gpus": cards} if gpus else None,
        }
    )


@pytest.fixture
def resolved(index):
    """A function that resolves against the variants of the index, for a machine."""

    def run(described, request=REQUEST, **more):
        add_variants(index, **more)
        sources = order_sources(trusted=True, index_url=f"{index.url}/simple").without(
            [OFFICIAL.url, PYPI.url]
        )
        return resolve_online(request, described, sources, offline=False, report=Recorder())[0]

    return run


@pytest.mark.parametrize(
    ("described", "label", "variant"),
    [
        (machine("570.124.06", "12.0"), "cu128", "cu128"),
        (machine("570.124.06", "6.1"), "cu126", "cu126"),  # no code for Pascal in cu128
        (machine(), "null", "cpu"),
    ],
)
def test_the_label_that_fits_is_chosen_and_explained(resolved, described, label, variant):
    """The plan says what the label asks for, and what an installer by the draft would take."""
    plan = resolved(described)
    assert (plan.variant, plan.torch.wheel.label) == (variant, label)
    assert plan.torch.wheel.filename == f"torch-2.10.0-{TAG}.whl"
    assert plan.torch.wheel.url.endswith(f"-{label}.whl")
    text = " / ".join(map(str, plan.reasons))
    assert f"the wheel variant {label}" in text
    assert "takes the same" in text


def test_a_label_that_the_machine_does_not_support_is_never_taken(resolved):
    """CUDA's minor versions would let cu128 run with this driver; the label's own rule does not, and counts."""
    plan = resolved(machine("560.35.05", "8.0"))
    assert plan.torch.wheel.label == "cu126"
    rejected = {each.variant: str(each.reason) for each in plan.rejected}
    assert "12.8 needs a driver of that CUDA, and this machine's is of 12.6" in rejected["cu128"]


def test_where_torchdoctor_differs_from_the_draft_it_says_why(resolved):
    """The provider looks at the most capable GPU alone; here one build has code for both."""
    plan = resolved(machine("570.124.06", "8.0", "6.1"))
    assert plan.torch.wheel.label == "cu126"
    assert any("takes cu128, in the order cu128 > cu126 > null" in str(text) for text in plan.reasons)


def test_a_companion_is_of_the_same_build_by_its_own_label(index, resolved):
    """Its index file says what its labels stand for; one that is named otherwise there is none of torch's build."""
    for label, built in (("cu128", "cu128"), ("x1", "cu126")):
        name, content = make_wheel("torchvision", "0.25.0", tag=TAG, built=f"0.25.0+{built}")
        index.add("/simple/torchvision/", f"{name.removesuffix('.whl')}-{label}.whl", content)
    file = {
        "variants": {each: {"nvidia": {"cuda_version_lower_bound": ["12.8"]}} for each in ("cu128", "x2")}
    }
    index.files["/simple/torchvision-0.25.0-variants.json"] = json.dumps(file).encode()
    index.pages["/simple/torchvision/"] += b'<a href="/simple/torchvision-0.25.0-variants.json">variants</a>'
    request = replace(REQUEST, excluded=frozenset({"torchaudio"}))
    plan = resolved(machine("570.124.06", "8.0"), request)
    assert [package.wheel.label for package in plan.packages] == ["cu128", "cu128"]


@pytest.mark.parametrize("variants", [None, {"variants": []}, {"variants": {"cu128": {"nvidia": []}}}])
def test_labels_that_nothing_explains_are_not_taken(resolved, variants):
    """Without the index's file, or with one that cannot be right."""
    with pytest.raises(NoSolution):
        resolved(machine("570.124.06", "12.0"), variants=variants)


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ('numpy; "nvidia" in variant_namespaces', True),
        ('numpy; "nvidia::sm_arch" in variant_features', True),
        ('numpy; "nvidia :: sm_arch :: 70_real" not in variant_properties', True),
        ('numpy; variant_label != "cu128"', False),
        ("numpy; 'cu126' == variant_label or python_version < '3'", False),
        ("numpy", True),
    ],
)
def test_markers_of_variants_are_decided(line, kept):
    """uv and pip of today do not know them."""
    decided = Requirement(without_variant_markers(line, "cu128", ["nvidia :: sm_arch :: 90_real"]))
    assert (decided.marker is None or decided.marker.evaluate()) is kept


def test_properties_are_met_as_the_providers_say():
    """A lower bound by the driver's CUDA, code of the same major, and nothing that is not understood."""
    described = machine("570.124.06", "8.6")
    assert driver_cuda(described) == (12, 8)
    assert rank_property(described, ("nvidia", "cuda_version_lower_bound", "12.6")) == (0, 2)
    assert rank_property(described, ("nvidia", "cuda_version_upper_bound", "13")) == (1, 0)
    assert rank_property(described, ("nvidia", "sm_arch", "80_real")) == (2, 6)
    assert rank_property(described, ("nvidia", "sm_arch", "80_virtual")) == (2, 99)
    for unmet in (
        "cuda_version_lower_bound :: 12.9",
        "sm_arch :: 89_real",
        "sm_arch :: 90_real",
        "else :: 1",
    ):
        feature, _, value = unmet.partition(" :: ")
        assert rank_property(described, ("nvidia", feature, value)) is None
    assert rank_property(described, ("intel", "device_ip", "30.0.4")) is None


@pytest.mark.process
@pytest.mark.parametrize("sidecar", [True, False])
def test_a_variant_is_locked_and_installed_under_the_name_that_installers_know(
    index, alone, tmp_path, sidecar
):
    """The lock has the true place and hash of the file; its build is proven by the file itself."""
    from torchdoctor.core.system.host import HostSystem
    from torchdoctor.requirements import StackRequest
    from torchdoctor.workflows.install import run_install
    from torchdoctor.workflows.install_model import InstallOptions
    from torchdoctor.workflows.source_options import SourceOptions

    add_variants(index, native_tag(), sidecar=sidecar)
    index.add("/simple/filelock/", *make_wheel("filelock", "3.29.0", tag="py3-none-any"))
    options = InstallOptions(
        folder=tmp_path / "env",
        cache=tmp_path / "cache",
        python=sys.executable,
        request=replace(REQUEST, variant="cpu"),
        sources=SourceOptions(trust_mirror=True, index_url=f"{index.url}/simple"),
        stack=StackRequest(),
        verify=False,
        hold=False,
    )
    result = run_install(options, system=HostSystem(environ={**os.environ, **alone}), report=Recorder())
    torch = next(wheel for wheel in result.lock.wheels if wheel.name == "torch")
    assert torch.filename == f"torch-2.10.0-{native_tag()}.whl"
    assert torch.url.endswith("-null.whl")
    assert {wheel.name for wheel in result.lock.wheels} == {"torch", "filelock"}
    site = next(Path(tmp_path / "env").glob("lib/python*/site-packages"))
    assert "2.10.0+cpu" in (site / "torch/version.py").read_text("utf-8")
