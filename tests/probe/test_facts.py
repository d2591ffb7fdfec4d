"""The build's tag, from the version or from what torch was built with."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from torchdoctor.probe import facts


@pytest.mark.parametrize(
    ("version", "cuda", "hip", "variant"),
    [
        ("2.13.0+cpu", None, None, "cpu"),
        ("2.4.1+cu124", "12.4", None, "cu124"),
        ("2.13.0", "13.0", None, "cu130"),
        ("2.9.0+rocm6.4", None, "6.4.43482", "rocm6.4"),
        ("2.6.0a0+ecf3bae40a.nv25.01", "12.8", None, "cu128"),
        ("2.13.0", None, None, "cpu"),
    ],
)
def test_the_variant_comes_from_the_version_or_from_what_it_was_built_with(version, cuda, hip, variant):
    """PyPI's build carries no tag, a vendor's another."""
    torch = SimpleNamespace(__version__=version, version=SimpleNamespace(cuda=cuda, hip=hip))

    assert facts.variant(torch) == variant
