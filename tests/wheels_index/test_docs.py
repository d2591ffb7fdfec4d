"""The examples in the docstrings run."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".arch",
        ".gpu",
        ".index_page",
        ".matrix",
        ".peak_figures",
        ".release",
        ".snapshot",
        ".source_audit",
        ".variant",
        ".wheel",
    ],
)
def test_the_examples_of_a_module_hold(name):
    """What a docstring shows is what happens."""
    assert doctest.testmod(importlib.import_module(f"wheels_index{name}")).failed == 0


def test_every_exported_name_exists():
    """`from wheels_index import *` gives what `__all__` lists, and another name is an AttributeError."""
    import wheels_index

    assert all(hasattr(wheels_index, name) for name in wheels_index.__all__)
    assert not hasattr(wheels_index, "nothing")


def test_the_examples_of_its_readme_hold():
    """It is the page of the distribution."""
    from pathlib import Path

    import wheels_index

    readme = Path(wheels_index.__file__).parent / "README.md"
    assert doctest.testfile(str(readme), module_relative=False).failed == 0
