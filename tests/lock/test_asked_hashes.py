"""Hashes of a requirements file against those of a lock."""

from __future__ import annotations

import pytest

from torchdoctor.errors import SourceFailed, UsageError
from torchdoctor.lock.asked_hashes import asked_hashes, check_asked_hashes
from torchdoctor.lock.model import Lock, LockedWheel
from torchdoctor.requirements import AskedRequirement


def asked(*hashes):
    return AskedRequirement(line="x==1", name="x", origin="requirements.txt:1", hashes=hashes)


def lock(sha256, name="x"):
    return Lock(
        wheels=(
            LockedWheel(
                name=name, version="1", filename=f"{name}-1-py3-none-any.whl", url="", sha256=sha256, size=1
            ),
        )
    )


def test_a_file_with_another_hash_is_refused():
    """The lock would install bytes that the file of requirements does not allow."""
    with pytest.raises(SourceFailed, match="is cc") as caught:
        check_asked_hashes(lock("cc"), asked_hashes([asked("sha256:aa", "sha256:BB")]))
    assert caught.value.code == "hash-mismatch"


@pytest.mark.parametrize("found", ["aa", "bb", None])
def test_a_file_with_one_of_the_hashes_passes(found):
    """Case does not matter, and a hash that is not known yet is checked later."""
    check_asked_hashes(lock(found), asked_hashes([asked("sha256:aa", "sha256:BB")]))


def test_a_package_without_hashes_is_not_checked():
    """Only what the file gives hashes for is held to them."""
    check_asked_hashes(lock("cc", name="other"), asked_hashes([asked("sha256:aa"), asked()]))


def test_hashes_of_another_kind_alone_are_refused():
    """Nothing could be checked with them."""
    with pytest.raises(UsageError, match="no sha256"):
        asked_hashes([asked("md5:aa")])
