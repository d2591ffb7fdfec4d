"""An environment that is changed while an install is solved for it is left alone."""

from __future__ import annotations

import pytest

from torchdoctor.errors import InstallFailed
from torchdoctor.install.changed_meanwhile import refuse_changed_environment


@pytest.fixture
def site(tmp_path):
    """A folder of packages, and a function that puts one there."""

    def put(name, version):
        (tmp_path / f"{name}-{version}.dist-info").mkdir()
        (tmp_path / f"{name}-{version}.dist-info" / "METADATA").write_text(f"Name: {name}\n", "utf-8")

    put("typing_extensions", "4.12")
    return tmp_path, put


def test_what_is_as_it_was_read_is_changed(site):
    """Names are compared as pip does."""
    folder, _ = site
    refuse_changed_environment([folder], {"typing-extensions": "4.12", "elsewhere": "1"}, folder)


@pytest.mark.parametrize(("name", "version"), [("torch", "2.9.1"), ("numpy", "2.0")])
def test_what_another_program_put_there_meanwhile_is_named(site, name, version):
    """A new package, or another version."""
    folder, put = site
    put(name, version)
    with pytest.raises(InstallFailed) as caught:
        refuse_changed_environment([folder], {"typing-extensions": "4.12", "numpy": "1.26"}, folder)
    assert (caught.value.code, name in caught.value.message) == ("changed-meanwhile", True)


def test_a_second_copy_of_what_was_read_is_no_change(site):
    """A repair of an environment with two copies goes on."""
    folder, put = site
    put("typing_extensions", "4.13")
    refuse_changed_environment([folder], {"typing-extensions": "4.12"}, folder)


def test_where_nothing_was_read_nothing_is_compared(site):
    """An install of a kernel's needs reads none."""
    folder, _ = site
    refuse_changed_environment([folder], {}, folder)
