"""The variant of a build, by its version."""

from __future__ import annotations

import pytest

from torchdoctor.inventory.build_variant import local_variant, variant_of_version_file


@pytest.mark.parametrize(
    ("version", "variant"),
    [
        ("2.13.0+cu130", "cu130"),
        ("2.13.0+cpu", "cpu"),
        ("2.13.0", None),
        ("nonsense+cpu", None),
        (None, None),
    ],
)
def test_the_local_part_names_the_variant(version, variant):
    """None where there is none, or no version."""
    assert local_variant(version) == variant


def test_a_version_file_names_the_variant_in_its_version():
    """The line is read, never run."""
    assert variant_of_version_file("__version__ = '2.9.1+rocm6.4'\n") == "rocm6.4"
    assert variant_of_version_file("raise SystemExit\n") is None
