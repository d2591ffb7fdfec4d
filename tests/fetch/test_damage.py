"""A wheel's own checksums tell where it is damaged."""

from __future__ import annotations

import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fetch.conftest import WHEEL, heavy_wheel
from torchdoctor.core.wheelfile import check_member, members
from torchdoctor.fetch.transfer.segments import SEGMENT_BYTES

STORED = heavy_wheel(1, stored=True, member=100_000)
DEFLATED = heavy_wheel(1, member=100_000)


def damages(path):
    with path.open("rb") as file:
        found = [(row, check_member(file, row)) for row in members(path)]
    return [(row, damage) for row, damage in found if damage is not None]


@pytest.mark.parametrize("content", [STORED, DEFLATED, WHEEL], ids=["stored", "deflated", "large"])
def test_a_right_wheel_is_right(tmp_path, content):
    """No member is suspected."""
    path = tmp_path / "x.whl"
    path.write_bytes(content)
    assert damages(path) == []


@given(kind=st.sampled_from([STORED, DEFLATED]), place=st.floats(0, 0.9), length=st.integers(1, 5000))
def test_a_damaged_place_is_within_what_is_suspected(tmp_path_factory, kind, place, length):
    """Wherever bytes are turned over in a member's data, a suspected stretch holds the first of them."""
    path = tmp_path_factory.mktemp("w") / "x.whl"
    path.write_bytes(kind)
    rows = members(path)
    start = int(place * (rows[-1].end - 1))
    wrong = bytearray(kind)
    for index in range(start, min(start + length, rows[-1].end)):
        wrong[index] ^= 0xFF
    path.write_bytes(wrong)
    found = damages(path)
    hit = next(row for row in rows if row.start <= start < row.end)
    in_header = start < hit.start + 30 + len(hit.info.filename)
    if not in_header:
        assert any(damage.start <= start < damage.end for _, damage in found)
        assert all(damage.near is None or damage.near < damage.end for _, damage in found)


def test_a_block_of_rubbish_in_a_large_member_is_found_close_by(tmp_path):
    """Reading a compressed member fails soon behind the wrong bytes, so few segments are suspected first."""
    path = tmp_path / "x.whl"
    content = bytearray(heavy_wheel(8, member=8_000_000))
    start = len(content) // 2
    content[start : start + 65536] = bytes(65536)
    path.write_bytes(content)
    ((_, damage),) = damages(path)
    assert damage.near is not None
    assert start <= damage.near < start + 65536 + 2 * SEGMENT_BYTES


@given(data=st.binary(max_size=400))
def test_rubbish_is_no_wheel_and_no_crash(tmp_path_factory, data):
    """Whatever a server sent."""
    path = tmp_path_factory.mktemp("r") / "x.whl"
    path.write_bytes(data)
    assert members(path) is None or not members(path)


def test_a_member_that_claims_to_be_small_is_read_no_further(tmp_path):
    """A bomb's size is a lie; inflating stops where the lie shows."""
    path = tmp_path / "x.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(50_000_000))
    (row,) = members(path)
    row.info.file_size = 1000
    with path.open("rb") as file:
        assert check_member(file, row) is not None
        assert file.tell() < path.stat().st_size
