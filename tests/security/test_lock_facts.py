"""A lock that gives a known file of torch another hash is not followed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.workflows.recorder import Recorder
from torchdoctor.errors import SourceFailed
from torchdoctor.lock.model import Lock, locked_wheel
from torchdoctor.workflows.lock_facts import check_known_hashes
from wheels_index import Wheel, bundled

PATH = Path("pylock.toml")
RELEASE = bundled().release("2.9.1")
TAGGED = next(w for w in RELEASE.wheels if w.project == "torch" and w.version.local == "cpu" and w.sha256)
UNTAGGED = next(w for w in RELEASE.pypi_wheels if w.project == "torch" and w.sha256)
TRITON = next(w for w in bundled().project("triton") if w.sha256)
EVIL = "1" * 64


def refused(wheel: Wheel, *, trusted: bool = False, report: Recorder | None = None) -> str | None:
    """The code of the error for a lock of this file; None where it is followed."""
    lock = Lock(wheels=(locked_wheel(wheel),))
    try:
        check_known_hashes(lock, PATH, bundled(), report or Recorder(), trusted=trusted)
    except SourceFailed as error:
        return error.code if wheel.filename in error.message else error.message
    return None


@pytest.mark.parametrize("wheel", [TAGGED, UNTAGGED], ids=["tagged", "untagged"])
@pytest.mark.parametrize(
    "url", ["https://mirror.example.org/f.whl", "http://pypi.org/simple/f.whl", "file:///f.whl"]
)
def test_another_hash_of_a_known_file_is_an_error(wheel: Wheel, url: str) -> None:
    """Whatever place the lock names."""
    assert refused(replace(wheel, url=url)) is None
    assert refused(replace(wheel, url=url, sha256=EVIL)) == "hash-conflict"


def other_spellings(name: str) -> list[str]:
    """Names that mean the same file to an installer; the last one is for one more kind of machine."""
    project, version, *rest, tags = name.removesuffix(".whl").split("-")
    public, _, local = version.partition("+")
    tail = "-".join([*rest, tags])
    return [
        f"Torch-{version}-{tail}.whl",
        f"{project}-{public}+{local.upper()}-{tail}.whl",
        f"{project}-{public}.0+{local}-{tail}.whl",
        f"{project}-v{version}-{tail}.whl",
        f"{project}-{version}-{'-'.join([*rest, f'linux_riscv64.{tags}'])}.whl",
    ]


@pytest.mark.parametrize("name", other_spellings(TAGGED.filename))
def test_another_spelling_of_a_known_name_is_held_to_its_hash(name: str) -> None:
    """An installer reads them all as one file."""
    right = Wheel.from_filename(name, url="https://mirror.example.org/f.whl", sha256=TAGGED.sha256)
    assert refused(right) is None
    assert refused(replace(right, sha256=EVIL)) == "hash-conflict"


def test_a_file_for_another_machine_is_not_held_to_a_known_hash() -> None:
    """Its version is known, and it is a file that no facts have."""
    name = (
        TAGGED.filename.replace("x86_64", "riscv64")
        .replace("aarch64", "riscv64")
        .replace("win_amd64", "win_arm32")
    )
    assert refused(Wheel.from_filename(name, url="https://example.org/f.whl", sha256=EVIL)) is None


def test_the_official_place_does_not_excuse_another_hash_of_a_tagged_name() -> None:
    """A name with a build tag is one file."""
    assert refused(replace(TAGGED, sha256=EVIL)) == "hash-conflict"


def test_a_name_without_a_tag_may_be_another_file_of_the_official_index() -> None:
    """PyPI and the official index have different bytes under one name; TLS says who serves them."""
    url = f"https://download.pytorch.org/whl/cpu/{UNTAGGED.filename}"
    assert refused(replace(UNTAGGED, url=url, sha256=EVIL)) is None


@pytest.mark.parametrize("host", ["files.pythonhosted.org", "mirror.example.org"])
def test_pypis_triton_is_not_that_of_the_official_index(host: str) -> None:
    """Most have other bytes under one name, and the facts know those of the official index alone."""
    assert refused(replace(TRITON, url=f"https://{host}/{TRITON.filename}", sha256=EVIL)) is None
    place = f"https://files.pythonhosted.org/packages/{UNTAGGED.filename}"
    assert refused(replace(UNTAGGED, url=place, sha256=EVIL)) is None


def test_a_file_that_no_facts_know_is_the_locks_own() -> None:
    """A lock may be newer than the facts."""
    name = "torch-2.99.0+cpu-cp312-cp312-manylinux_2_28_x86_64.whl"
    assert refused(Wheel.from_filename(name, url="https://example.org/f.whl", sha256=EVIL)) is None


def test_the_users_word_turns_the_error_into_a_warning() -> None:
    """`--trust-mirror`."""
    report = Recorder()
    assert refused(replace(TAGGED, sha256=EVIL), trusted=True, report=report) is None
    assert TAGGED.filename in report.warnings[0]
