"""Files against their RECORD, and libraries against their own headers."""

from __future__ import annotations

import os
import shutil
import struct
import sys
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.inventory.record import RecordRow, parse_record
from torchdoctor.inventory.truncated_libraries import HEADER, promised_size, truncated

posix = pytest.mark.skipif(sys.platform == "win32", reason="permissions and links")


def _wrong(env, depth="sizes", **more):
    records = env.take(depth=depth, **more).records
    return {(row.path, row.problem) for check in records.value or () for row in check.wrong}


def test_rows_are_read_as_installers_write_them():
    """A name with a comma is quoted; bytecode and lines that are none are left."""
    text = 'torch/a.py,sha256=x,5\n"torch/a,b.py",,\nnone\n../../bin/torchrun,sha256=y,7\ntorch/a.pyc,,\n,,\nx,,5a\n'
    assert list(parse_record(text)) == [
        RecordRow("torch/a.py", "sha256=x", 5), RecordRow("torch/a,b.py", None, None),
        RecordRow("../../bin/torchrun", "sha256=y", 7), RecordRow("x", None, None),
    ]  # fmt: skip


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader_of_records(text):
    """Rows come out, or none."""
    assert all(row.path for row in parse_record(text))


def test_a_sound_environment_has_nothing_wrong(env):
    """Absent, with the number of RECORDs that were read."""
    env.torch("2.13.0+cpu")
    env.put("numpy", "2.4.0")
    assert env.take(depth="hashes").records.source == "2 RECORD files"
    assert env.take(depth="hashes").records.state == "absent"


def test_what_is_missing_empty_or_changed_is_named(env):
    """An interrupted or a full disk's install; a changed byte needs the deeper look."""
    files = {f"torch/{name}": "text" for name in ("__init__.py", "gone.so", "short.so", "other.so")}
    env.put("torch", "2.13.0", files=files)
    (env.site / "torch/gone.so").unlink()
    (env.site / "torch/short.so").write_text("")
    (env.site / "torch/other.so").write_text("tent")
    assert _wrong(env) == {("torch/gone.so", "missing"), ("torch/short.so", "size")}
    assert _wrong(env, "hashes") == {*_wrong(env), ("torch/other.so", "hash")}
    check = env.take().records.value[0]
    assert (check.name, check.wrong_count, check.wrong[1].detail) == ("torch", 2, "0 bytes instead of 4")


def test_a_folder_in_the_place_of_a_file_is_missing(env):
    """What is there is not what was installed."""
    env.put("torch", "2.13.0", files={"torch/__init__.py": "", "torch/x": "text"})
    (env.site / "torch/x").unlink()
    (env.site / "torch/x").mkdir()
    assert _wrong(env) == {("torch/x", "missing")}


def test_thousands_of_missing_files_are_counted_and_a_few_are_named(env):
    """The report stays readable."""
    env.put("torch", "2.13.0", files={f"torch/f{n}": "" for n in range(300)})
    shutil.rmtree(env.site / "torch")
    check = env.take().records.value[0]
    assert (check.wrong_count, len(check.wrong)) == (300, 20)


def test_only_what_pytorch_lives_with_is_compared(env):
    """Another package's missing file is no business of ours."""
    env.put("requests", "2.32")
    shutil.rmtree(env.site / "requests")
    assert env.take().records.source == "0 RECORD files"


@posix
def test_a_record_that_names_a_device_or_a_link_without_end_is_harmless(env):
    """Nothing outside regular files is read."""
    info = env.put("torch", "2.13.0")
    (env.site / "loop").symlink_to("loop")
    os.mkfifo(env.site / "pipe")
    (info / "RECORD").write_text("/dev/zero,sha256=x,\nloop,sha256=x,\npipe,sha256=x,\n\x00,,\n")
    assert {problem for _, problem in _wrong(env, "hashes")} == {"missing", "unreadable"}


LIBRARY = next(Path(sysconfig.get_config_var("DESTSHARED") or "/nowhere").glob("_struct*.so"), None)


@pytest.mark.skipif(LIBRARY is None, reason="this Python has no extension module in a file")
@pytest.mark.parametrize("kept", [0, 1, 40, 200, 4096, 0.5, 0.9])
def test_a_library_cut_anywhere_is_known(tmp_path, kept):
    """A real one, cut in its headers, in its code and near its end; whole it is sound."""
    whole = LIBRARY.read_bytes()
    size = int(len(whole) * kept) if isinstance(kept, float) else kept
    (tmp_path / "cut.so").write_bytes(whole[:size])
    (tmp_path / "whole.so").write_bytes(whole)
    found = list(truncated([str(tmp_path / "cut.so"), str(tmp_path / "whole.so"), str(tmp_path / "gone.so")]))
    # Behind the last segment that is loaded stand names for debuggers only.
    assert found == [str(tmp_path / "cut.so")] or size >= promised_size(whole[:HEADER])


def _pe(sections):
    head = bytearray(b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40) + b"PE\0\0")
    head += struct.pack("<HHIIIHH", 0x8664, len(sections), 0, 0, 0, 16, 0) + b"\0" * 16
    for size, offset in sections:
        head += b".text\0\0\0" + struct.pack("<IIIIIIHHI", size, 0, size, offset, 0, 0, 0, 0, 0)
    return bytes(head)


def _macho(segments):
    head = struct.pack("<IIIIIIII", 0xFEEDFACF, 0x0100000C, 0, 6, len(segments), 0, 0, 0)
    return head + b"".join(
        struct.pack("<II16sQQQQIIII", 0x19, 72, b"__TEXT", 0, size, offset, size, 5, 5, 0, 0)
        for offset, size in segments
    )


@pytest.mark.parametrize(
    ("begin", "size"),
    [
        (_pe([(0x200, 0x400), (0x1000, 0x600)]), 0x1600),
        (_pe([]), 0),
        (_macho([(0, 0x4000), (0x4000, 0x200)]), 0x4200),
        (b"\x7fELF", HEADER),
        (b"#!/bin/sh", None),
        (b"", None),
    ],
)
def test_the_least_size_is_what_the_headers_promise(begin, size):
    """Windows' and macOS' forms, laid out by hand; cut headers; what is no library."""
    assert promised_size(begin) == size


@given(st.sampled_from([b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b""]), st.binary(max_size=400))
def test_no_bytes_break_the_reader_of_headers(magic, rest):
    """A size or nothing, and never for long."""
    size = promised_size(magic + rest)
    assert size is None or size >= 0


def test_a_library_of_zeros_is_damaged(env):
    """Its size is right: the room was taken before the power went."""
    env.put("torch", "2.13.0", files={"torch/__init__.py": "text", "torch/lib/libc10.so": b"\0" * 9000})
    assert env.take().truncated.value == (str(env.site / "torch/lib/libc10.so"),)


def test_a_header_that_points_beyond_all_memory_breaks_nothing():
    """It promises no size."""
    assert promised_size(b"\x7fELF\x02\x01" + b"\xff" * 4090) is None
