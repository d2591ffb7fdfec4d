"""The copies of torch and its companions, and which variant each is."""

from __future__ import annotations

from torchdoctor.inventory.distributions import read_folder
from torchdoctor.inventory.torch_packages import copies_in, duplicates_of


def copies(env):
    return list(copies_in(read_folder(str(env.site))))


def test_a_folder_without_metadata_is_a_copy(env):
    """Its version.py says its version."""
    (env.site / "torch").mkdir()
    (env.site / "torch/__init__.py").touch()
    (env.site / "torch/version.py").write_text("__version__ = '2.9.1+cu128'\n")
    (copy,) = copies(env)
    assert (copy.version, copy.distribution, copy.there, copy.variant.value) == (
        "2.9.1+cu128",
        None,
        True,
        "cu128",
    )


def test_metadata_without_a_folder_is_a_copy_that_is_gone(env):
    """An interrupted removal leaves it."""
    env.put("torch", "2.9.1", files={"other/__init__.py": ""})
    (copy,) = copies(env)
    assert (copy.version, copy.there) == ("2.9.1", False)


def test_of_two_metadata_the_one_of_version_py_counts(env):
    """By the public version: a local part may be missing in one of them."""
    env.put("torch", "2.4.0")
    env.torch("2.9.1", says="2.9.1+cpu")
    (copy,) = copies(env)
    assert copy.version == "2.9.1"


def test_a_record_of_conda_beside_its_own_metadata_is_no_duplicate(env):
    """Two of pip's are."""
    env.put("torch", "2.4.0")
    env.put("torch", "2.9.1")
    distributions = read_folder(str(env.site)).distributions
    assert [(name, len(found)) for name, found in duplicates_of(distributions)] == [("torch", 2)]
    assert list(duplicates_of(distributions[:1])) == []
