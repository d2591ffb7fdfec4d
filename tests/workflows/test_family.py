"""Which hold an environment gets: by known releases, by listings on disk, and where none is needed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.detect.recorded_system import RecordedSystem
from tests.wheelmaker import make_wheel
from torchdoctor.core.system import Completed
from torchdoctor.detect import Machine
from torchdoctor.detect.model import Libc, Python
from torchdoctor.sources.source import Source
from torchdoctor.workflows import family
from torchdoctor.workflows.family import hold_for, hold_of_lock, pypi_has_only
from wheels_index import bundled

if TYPE_CHECKING:
    from pathlib import Path

LINUX = Machine(
    os="linux", arch="x86_64", libc=Libc(name="glibc", version="2.36"), python=Python(version="3.12.4")
)
HELP = "  --torch-backend <X>\n  [possible values: auto, cpu,\n  cu126, xpu]\n"


@pytest.fixture
def system(monkeypatch) -> RecordedSystem:
    """A computer whose uv knows cpu, cu126 and xpu."""
    monkeypatch.setattr(family, "find_program", lambda *_: "uv")
    return RecordedSystem(commands={"uv pip install --help": Completed(argv=("uv",), status=0, stdout=HELP)})


def test_a_lock_from_the_official_index_is_held_by_known_releases(system):
    """No index is asked: the newest release that is known to have the family is the cap."""
    url = "https://download.pytorch.org/whl/cu126/torch-2.13.0%2Bcu126-cp312-cp312-manylinux_2_28_x86_64.whl"
    hold = hold_of_lock("cu126", {"torch": "2.13.0"}, LINUX, url, bundled(), system)
    with_family = [
        release.version
        for release in bundled().releases()
        if "cu126" in release.platforms["linux_x86_64"].variants
    ]
    assert hold.cap == str(with_family[0])
    assert hold.cap != str(bundled().versions()[0])
    assert (hold.pip_lines, hold.uv_backend) == (
        ("--extra-index-url https://download.pytorch.org/whl/cu126",), "cu126",
    )  # fmt: skip


def test_a_lock_from_elsewhere_keeps_what_it_names(system):
    """Where the family has newer releases is not known."""
    hold = hold_of_lock("cu126", {"torch": "2.13.0"}, LINUX, "https://example.org/t.whl", bundled(), system)
    assert (hold.caps, hold.pip_lines, hold.uv_backend) == ((("torch", "2.13.0"),), (), None)


def test_a_family_that_uv_does_not_know_is_given_by_its_pages(system):
    """Another value of UV_TORCH_BACKEND would make uv fail."""
    url = "https://download.pytorch.org/whl/rocm7.2/torch-2.13.0%2Brocm7.2-cp312-cp312-manylinux_2_28_x86_64.whl"
    hold = hold_of_lock("rocm7.2", {"torch": "2.13.0"}, LINUX, url, bundled(), system)
    assert hold.uv_backend is None
    assert "--find-links https://download.pytorch.org/whl/rocm7.2/torch/" in hold.uv_lines


def put(folder: Path, project: str, version: str) -> None:
    name, content = make_wheel(project, version, tag="cp312-cp312-manylinux_2_28_x86_64")
    (folder / name).write_bytes(content)


def test_a_folder_of_wheels_is_named_to_pip_alone(system, tmp_path):
    """pip passes over a folder that is gone, and uv fails; the caps are the newest wheels of the family in it."""
    for version in ("2.13.0+cu126", "2.14.0+cu126", "2.15.0+cu130"):
        put(tmp_path, "torch", version)
    source = Source(name="folder", url=tmp_path.as_uri(), layout="flat", origin="--find-links")
    hold = hold_for("cu126", {"torch": "2.13.0", "torchaudio": "2.13.0"}, LINUX, [source], system)
    assert hold.caps == (("torch", "2.14.0"), ("torchaudio", "2.13.0"))
    assert (hold.pip_lines, hold.uv_lines) == ((f"--find-links {tmp_path.as_uri()}",), ())


@pytest.mark.parametrize(
    "url",
    ["https://ada:s3cret@example.org/whl", "https://example.org/whl?token=s3cret", "http://example.org/whl"],
)
def test_a_place_that_may_not_be_written_is_not_asked(system, url):
    """Passwords and tokens are never written; pip passes over plain http on another machine."""
    source = Source(name="x", url=url, layout="pytorch", origin="--index-url")
    assert hold_for("cu126", {"torch": "2.13.0"}, LINUX, [source], system).pip_lines == ()


def test_where_pypi_has_one_family_nothing_is_held():
    """macOS and, for the CPU, Windows: pip cannot take another build."""
    assert pypi_has_only("cpu", replace(LINUX, os="macos", arch="arm64", libc=None), bundled())
    assert pypi_has_only("cpu", replace(LINUX, os="windows", libc=None), bundled())
    assert not pypi_has_only("cu126", replace(LINUX, os="windows", libc=None), bundled())
    assert not pypi_has_only("cpu", LINUX, bundled())
