"""uv says in one sentence which platform it looked for and which ones a package has wheels for."""

from __future__ import annotations

import pytest

from torchdoctor.diagnose import diagnose_text

HINT = (
    "hint: You're on macOS (`{wanted}`), but `torch` (v2.2.2) only has wheels for the following platforms: "
    "`manylinux1_x86_64`, {listed}, `win_amd64`"
)
INTEL, ARM = "macosx_14_0_x86_64", "macosx_15_0_arm64"


@pytest.mark.parametrize(
    ("wanted", "listed", "intel"),
    [(INTEL, "`macosx_11_0_arm64`", True), (ARM, "`macosx_10_9_x86_64`", False)],
)
def test_what_a_package_has_is_not_what_the_machine_is(wanted, listed, intel):
    """A native Python on an ARM Mac is not one that is translated, nor an Intel Mac."""
    text = HINT.format(wanted=wanted, listed=listed)
    found = {finding.id for finding in diagnose_text(text).findings}
    assert bool(found & {"macos-rosetta-python", "macos-intel-unsupported"}) is intel, found
