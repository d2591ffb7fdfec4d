"""Wheel variants: names with a label, the file that tells what labels stand for, and their order."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheels_index import Wheel, parse_page
from wheels_index.wheel import split_label
from wheels_index.wheel_variants import (
    VariantsFile,
    build_of_label,
    label_order,
    parse_property,
    parse_variants,
)

PLAIN = "torch-2.10.0-cp312-cp312-manylinux_2_28_x86_64.whl"
LABELLED = "torch-2.10.0-cp312-cp312-manylinux_2_28_x86_64-cu128.whl"
LABELS = st.text(string.digits + string.ascii_lowercase + "_.", min_size=1, max_size=64)


@given(LABELS, st.booleans())
def test_a_label_is_the_last_part_of_a_name(label, has_build):
    """With a build number or without; the rest is the name that installers of today read."""
    plain = PLAIN.replace("-cp312-cp312", "-1-cp312-cp312") if has_build else PLAIN
    assert split_label(f"{plain.removesuffix('.whl')}-{label}.whl") == (plain, label)
    assert split_label(plain) == (plain, None)


@pytest.mark.parametrize("label", ["CU128", "cu-128", "", "ä", "x" * 65])
def test_what_no_label_can_be_is_none(label):
    """Such a name stays one that no wheel can have."""
    assert split_label(f"{PLAIN.removesuffix('.whl')}-{label}.whl")[1] != label or label == ""


def test_a_page_tells_variants_from_other_wheels():
    """Only who knows what a label stands for may take its wheel, so they are apart."""
    page = parse_page(
        f'<a href="{PLAIN}">x</a><a href="{LABELLED}#sha256={"a" * 64}">x</a>'
        '<a href="../torch-2.10.0-variants.json">x</a><a href="javascript:x-variants.json">x</a>',
        url="https://example.org/simple/torch/",
    )
    assert [wheel.filename for wheel in page.wheels] == [PLAIN]
    assert [(wheel.filename, wheel.label) for wheel in page.labelled] == [(PLAIN, "cu128")]
    assert page.labelled[0].url.endswith(LABELLED)
    assert dict(page.variant_files) == {
        "torch-2.10.0": "https://example.org/simple/torch-2.10.0-variants.json"
    }


def test_one_label_with_two_digests_is_rejected_alone():
    """The wheel without a label, whose name is otherwise the same, stays."""
    page = parse_page(
        f'<a href="{PLAIN}#sha256={"c" * 64}">x</a><a href="{LABELLED}#sha256={"a" * 64}">x</a>'
        f'<a href="{LABELLED}#sha256={"b" * 64}">x</a>',
        url="https://example.org/simple/torch/",
    )
    assert (len(page.wheels), len(page.labelled), page.rejected_total) == (1, 0, 1)


def test_the_drafts_own_example_is_read():
    """Of an earlier draft too, whose providers are passed over."""
    file = parse_variants(
        json.dumps(
            {
                "$schema": "https://variants-schema.wheelnext.dev/v0.0.2.json",
                "default-priorities": {"namespace": ["nvidia"]},
                "providers": {"nvidia": {"requires": ["nvidia-variant-provider"]}},
                "variants": {"null": {}, "cu126": {"nvidia": {"sm_arch": ["75_real", "80_real"]}}},
            }
        )
    )
    assert file.namespaces == ("nvidia",)
    assert file.labels["cu126"] == (("nvidia", "sm_arch", "75_real"), ("nvidia", "sm_arch", "80_real"))


@pytest.mark.parametrize(
    "found",
    [[], {"nvidia": []}, {"nvidia": {"sm_arch": []}}, {"nvidia": {"sm_arch": ["A B"]}}, {"N": {"a": ["b"]}}],
)
def test_a_label_whose_properties_cannot_be_right_is_left_out(found):
    """Half of a rule would let in what the other half keeps out."""
    assert parse_variants(json.dumps({"variants": {"cu128": found, "null": {}}})).labels == {"null": ()}


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: (
    st.lists(inner) | st.dictionaries(st.text(), inner)
)))  # fmt: skip
def test_whatever_the_file_holds_it_is_read_or_refused(document):
    """Never another error, and never a property that is not one."""
    for text in (json.dumps(document), json.dumps({"variants": document}), str(document)):
        try:
            file = parse_variants(text)
        except ValueError:
            continue
        for properties in file.labels.values():
            for each in properties:
                assert parse_property(" :: ".join(each)) == each


def test_a_file_that_is_too_large_or_too_deep_is_refused():
    """It comes from outside."""
    for text in (" " * (5 * 1024 * 1024), "[" * 200_000):
        with pytest.raises(ValueError, match=r"bytes|JSON|nested|Expecting"):
            parse_variants(text)


def test_labels_come_in_the_order_of_the_draft():
    """The namespace decides first, then the best value of each feature, then how much is asked; null is last."""
    file = VariantsFile(
        namespaces=("nvidia", "x86_64"),
        labels={
            "null": (),
            "v3": (("x86_64", "level", "v3"),),
            "cu130": (("nvidia", "cuda", "13.0"), ("nvidia", "cuda", "12.0")),
            "cu128": (("nvidia", "cuda", "12.8"),),
            "cu128_v3": (("nvidia", "cuda", "12.8"), ("x86_64", "level", "v3")),
            "cu134": (("nvidia", "cuda", "13.4"),),
        },
    )
    ranks = {"13.0": (0, 0), "12.8": (0, 1), "12.0": (0, 2), "v3": (0, 0)}
    order = label_order(file, lambda wanted: ranks.get(wanted[2]), file.labels)
    assert order == ("cu130", "cu128_v3", "cu128", "v3", "null")


def test_the_build_that_a_label_stands_for():
    """By its name, or by the CUDA that it asks for; a label that tells neither is none of PyTorch's."""
    assert build_of_label("rocm7.1", ()) == "rocm7.1"
    assert build_of_label("gpu", [("nvidia", "cuda_version_lower_bound", "12.8")]) == "cu128"
    assert build_of_label("gpu", [("nvidia", "sm_arch", "90_real")]) is None
    assert Wheel.from_filename(LABELLED).label == "cu128"
