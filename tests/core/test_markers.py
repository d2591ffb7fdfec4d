"""Markers from anywhere: those that hold, those that do not, and those that mean nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import InvalidMarker, Marker

from torchdoctor.core.markers import marker_holds

LINUX = {"sys_platform": "linux", "python_version": "3.12", "python_full_version": "3.12.4"}
NAMES = ["sys_platform", "python_version", "python_full_version", "extra", "os_name", "platform_release"]
VALUES = ["linux", "3.12", "x", "", "3.12.*", "aaa", "1.0+local"]


@pytest.mark.parametrize(
    ("text", "extras", "expected"),
    [
        ("sys_platform == 'linux'", (), True),
        ("sys_platform == 'win32'", (), False),
        ("extra == 'fast'", (), False),
        ("extra == 'fast'", ("slow", "fast"), True),
        ("'a' in 'aaa'", (), None),
        ("python_version ~= 'x'", (), None),
    ],
)
def test_a_marker_holds_or_not_or_means_nothing(text, extras, expected):
    """packaging raises for the last."""
    assert marker_holds(Marker(text), LINUX, extras) is expected


def test_no_marker_always_holds():
    """As of a line without one."""
    assert marker_holds(None, {}) is True


@given(
    left=st.sampled_from([*NAMES, *map(repr, VALUES)]),
    operator=st.sampled_from(["==", "!=", "<", ">=", "~=", "===", "in", "not in"]),
    right=st.sampled_from([*NAMES, *map(repr, VALUES)]),
)
def test_no_marker_that_packaging_reads_raises(left, operator, right):
    """Whatever it compares."""
    try:
        marker = Marker(f"{left} {operator} {right}")
    except InvalidMarker:
        return
    assert marker_holds(marker, LINUX) in (True, False, None)
