"""The metadata that an index gives beside a wheel is not believed over the wheel's own."""

from __future__ import annotations

import hashlib

import pytest

from tests.wheelmaker import make_wheel, metadata_of

pytestmark = pytest.mark.process


def lying(index, project, *, says, requires):
    """List a wheel whose metadata file says other requirements than the wheel."""
    filename, content = make_wheel(project, "1.0", tag="py3-none-any", requires=requires)
    path = index.add(f"/simple/{project}/", filename, content)
    _, other = make_wheel(project, "1.0", tag="py3-none-any", requires=says)
    told = metadata_of(other)
    before = hashlib.sha256(index.files[f"{path}.metadata"]).hexdigest().encode()
    index.files[f"{path}.metadata"] = told
    page = f"/simple/{project}/"
    index.pages[page] = index.pages[page].replace(before, hashlib.sha256(told).hexdigest().encode())


def test_what_the_wheel_requires_is_installed_too(torchdoctor, official, bare, tmp_path):
    """And said: the index is not right."""
    official.add("/simple/needed/", *make_wheel("needed", "2.0", tag="py3-none-any"))
    lying(official, "asked", says=(), requires=("needed>=2",))
    ran = torchdoctor("install", "env", *bare, "--with", "asked")
    assert ran.status == 0, ran.err
    assert "is not that of the wheels" in ran.err
    assert list((tmp_path / "work" / "env").glob("lib/python*/site-packages/needed-2.0.dist-info"))


def test_what_cannot_be_had_leaves_no_environment(torchdoctor, official, bare, tmp_path):
    """Nothing half is left."""
    lying(official, "asked", says=(), requires=("nowhere",))
    ran = torchdoctor("install", "env", *bare, "--with", "asked", "--json")
    assert ran.status in (3, 5)
    assert not (tmp_path / "work" / "env").exists()
