"""Variants: what each needs, also those that are newer than the data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheels_index import UnknownVariant, newest_first, rules, variant


@pytest.mark.parametrize(
    ("name", "linux", "windows"),
    [
        ("cu118", "450.80.02", "452.39"),
        ("cu121", "525.60.13", "528.33"),
        ("cu124", "525.60.13", "528.33"),
        ("cu128", "525.60.13", "528.33"),
        ("cu130", "580", "580"),
        ("cu132", "580", "580"),
    ],
)
def test_a_cuda_variant_needs_the_driver_of_its_major(name, linux, windows):
    """Minor-version compatibility: the least driver is that of the CUDA major, per OS."""
    assert dict(variant(name).minimum_driver) == {"linux": linux, "windows": windows}


def test_a_new_variant_of_a_known_cuda_major_takes_its_rule_by_name():
    """cu136 is not in the data: it gets CUDA 13's least driver, and says by which rule."""
    new = variant("cu136")
    assert (new.known, new.kind, new.toolkit) == (False, "cuda", (13, 6))
    assert dict(new.minimum_driver) == {"linux": "580", "windows": "580"}
    assert new.rule == "CUDA 13.x minor-version compatibility"
    assert new.source is None


def test_a_variant_of_a_new_cuda_major_has_no_driver_and_no_rule():
    """Of cu140 nothing is known but its toolkit: the driver is unknown, not guessed."""
    new = variant("cu140")
    assert (new.known, new.toolkit, new.rule) == (False, (14, 0), None)
    assert dict(new.minimum_driver) == {"linux": None, "windows": None}


def test_a_known_variant_names_no_rule():
    """cu134 is in the data, though unconfirmed on the index; a rule is named only for what is not."""
    assert (variant("cu134").known, variant("cu134").rule) == (True, None)


def test_rocm_variants_know_their_targets_and_where_blas_fails():
    """gfx906 works up to rocm6.3; from rocm6.4 it is compiled in and has no BLAS."""
    assert variant("rocm6.3").blas_unusable_gfx == ()
    old = variant("rocm6.4")
    assert "gfx906" in (old.gfx or ())
    assert "gfx906" in old.blas_unusable_gfx


def test_a_new_rocm_has_unknown_targets():
    """Of rocm8.0 the targets are unknown; the rule on rocBLAS is applied and named."""
    new = variant("rocm8.0")
    assert (new.known, new.gfx, new.toolkit) == (False, None, (8, 0))
    assert new.rule is not None
    assert "6.4" in new.rule


def test_the_triton_packages_of_rocm_and_xpu_are_named():
    """ROCm and XPU builds need their own triton from the same index, under two names over time."""
    assert variant("rocm7.2").accelerator_packages == ("triton-rocm", "pytorch-triton-rocm")
    assert variant("xpu").accelerator_packages == ("triton-xpu", "pytorch-triton-xpu")
    assert variant("cu124").accelerator_packages == ()


def test_variants_sort_as_versions():
    """rocm7.14 is newer than rocm7.2, and cu132 than cu130."""
    names = ["rocm7.2", "cu118", "cpu", "cu132", "xpu", "rocm7.14", "cu130"]
    assert newest_first(names) == ("cu132", "cu130", "cu118", "rocm7.14", "rocm7.2", "xpu", "cpu")


def test_pascal_and_older_have_a_last_driver_branch_and_turing_has_none():
    """R580 is the last branch for Maxwell to Volta, R470 for Kepler."""
    assert [rules().last_driver_branch(c) for c in ((3, 7), (6, 1), (7, 0), (7, 5))] == [470, 580, 580, None]


def test_every_rule_has_a_source():
    """No rule stands without a source."""
    assert all(rules().sources.values())
    assert {"ptx", "wsl", "blackwell", "xpu", "rocm"} <= rules().sources.keys()


HOSTILE = [
    "",
    "cu",
    "auto",
    "CU124",
    "cu1234",
    "cu12\uff14",
    "rocm",
    "rocm6",
    "../cpu",
    "cpu\n",
    "cu" + "1" * 10**6,
]


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: name[:8] or "empty")
def test_what_is_no_variant_is_refused(name):
    """A name that no variant can have raises UnknownVariant, a ValueError, with a short message."""
    with pytest.raises(UnknownVariant) as caught:
        variant(name)
    assert len(str(caught.value)) < 200


@given(st.one_of(st.text(), st.from_regex(r"(cu|rocm|cpu|xpu)[0-9.]{0,9}", fullmatch=True)))
def test_any_text_is_a_variant_or_unknown(name):
    """Nothing but UnknownVariant comes out, and every variant sorts."""
    try:
        found = variant(name)
    except UnknownVariant:
        return
    assert found.name == name
    assert found.order >= variant("cpu").order
