"""Which packages are imported, by what was asked for and by their metadata."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.requirements import AskedRequirement
from torchdoctor.verify.packages.model import ListedPackage
from torchdoctor.verify.packages.selection import applies, select_packages

LINUX = {"sys_platform": "linux", "python_version": "3.12", "platform_system": "Linux"}


def listed(name, *requires, modules=("m",), version="1.0", kind="", compiled=False):
    return ListedPackage(
        name=name, version=version, requires=requires, modules=modules, kind=kind, compiled=compiled
    )


def asked(line, name):
    return AskedRequirement(line=line, name=name, origin="requirements.txt:3")


def test_a_requirement_of_torch_counts_where_its_marker_applies():
    """Not that of an extra, and not that of another system."""
    packages = [
        listed("plain", "torch>=2"),
        listed("extra", 'torch; extra == "gpu"'),
        listed("windows", 'torch; sys_platform == "win32"'),
    ]

    assert select_packages((), packages, LINUX).order == ("plain",)


def test_a_package_without_modules_is_skipped_with_the_reason():
    """Type stubs have nothing to import."""
    selection = select_packages(
        [asked("pandas-stubs", "pandas-stubs")], [listed("pandas-stubs", modules=(), kind="stubs")], LINUX
    )

    result = selection.results["pandas-stubs"]
    assert (result.status, result.code) == ("skip", "no-modules")
    assert result.detail == "pandas-stubs 1.0: it has type stubs only, so there is nothing to import"


def test_torchvision_has_a_check_of_its_own_unless_it_was_asked_for():
    """Asked for and not there, it has to fail."""
    installed = [listed("torchvision", "torch==2.9.1")]

    assert select_packages((), installed, LINUX).order == ()
    assert select_packages([asked("torchvision", "torchvision")], installed, LINUX).order == ("torchvision",)


@given(st.text(max_size=60))
def test_any_line_of_metadata_can_be_judged(line):
    """What cannot be read applies."""
    assert applies(line, LINUX) in (True, False)
