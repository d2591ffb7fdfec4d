"""What the installed torch requires, against what is installed."""

from __future__ import annotations

import pytest

from torchdoctor.doctor.requirements import unmet_requirements


@pytest.mark.parametrize(
    ("line", "installed", "description"),
    [
        ("sympy>=1.13", None, "torch requires sympy>=1.13, which is not installed"),
        ("sympy>=1.13", "1.12", "torch requires sympy>=1.13, but 1.12 is installed"),
        ("sympy>=1.13", "1.14", None),
        ('sympy>=1.13; platform_system == "Windows"', None, None),
        ('sympy>=1.13; extra == "opt"', None, None),
        ("torch==2.9.1", None, None),
        ("sympy >= ] nonsense", None, None),
        ("sympy>=1.13", "not-a-version", None),
    ],
)
def test_a_requirement_is_unmet_where_it_is_missing_or_of_another_version(site, line, installed, description):
    """By the markers of the environment's own Python; what cannot be read counts as met."""
    site.torch("2.9.1+cpu", requires=(line,))
    if installed:
        site.put("sympy", installed)
    unmet = unmet_requirements(site.take(), site.python)
    assert [row.description for row in unmet] == ([description] if description else [])


def test_without_torch_nothing_is_required(site):
    """A companion alone is a finding of its own."""
    site.put("torchvision", "0.24.1", requires=("numpy",))
    assert unmet_requirements(site.take(), site.python) == ()
