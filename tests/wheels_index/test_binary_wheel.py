"""Wheels: their libraries are read where they lie, without unpacking what is not needed."""

from __future__ import annotations

import functools
import io
import json
import random
import zipfile
import zlib
from http.client import HTTPMessage
from urllib.request import Request

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.binaries import fatbin, make_elf
from tests.loopback import Fault, LoopbackIndex
from tests.wheelmaker import make_wheel
from wheels_index.__main__ import main
from wheels_index.binary import (
    BinaryError,
    BlockReader,
    BytesReader,
    Damaged,
    FileReader,
    NotRead,
    inspect_wheel,
)
from wheels_index.binary.deflate_blocks import decode_from_middle
from wheels_index.binary.remote import _SafeRedirects
from wheels_index.binary.zip_member import DeflatedMember

NEW = "_ZN3c106detail14torchCheckFailEPKcS2_jRKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"


def code_like(size, seed=1):
    """Bytes that deflate as machine code does: repeated words between others."""
    chance = random.Random(seed)  # noqa: S311
    words = [chance.randbytes(8) for _ in range(20_000)]
    return b"".join(chance.choices(words, k=size // 8))


class Counting(BytesReader):
    """Counts what is read."""

    bytes_read = 0

    def read_at(self, offset, length):
        self.bytes_read += length
        return super().read_at(offset, length)


def deflated(content, level=6):
    """A deflate stream without head and checksum."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


@pytest.mark.parametrize("level", [1, 6, 9])
def test_the_end_of_a_stream_without_its_beginning(level):
    """Bytes that are said to be known are right, and at the end all are known."""
    content = code_like(2_000_000)
    packed = deflated(content, level)
    part = decode_from_middle(packed[-200_000:], max_bytes=1 << 24, must_end=True)
    assert part is not None
    assert part.ended
    assert content.endswith(part.content[-20_000:])
    assert part.known(len(part.content) - 20_000, 20_000)
    start = len(content) - len(part.content)
    wrong = [
        place
        for place in range(0, len(part.content) - 64, 64)
        if part.known(place, 64)
        and part.content[place : place + 64] != content[start + place : start + place + 64]
    ]
    assert wrong == []


def test_a_stream_of_stored_blocks():
    """Bytes that cannot be packed are stored, and are found all the same."""
    content = random.Random(3).randbytes(400_000)  # noqa: S311
    part = decode_from_middle(deflated(content)[-150_000:], max_bytes=1 << 24, must_end=True)
    assert part is not None
    assert content.endswith(part.content)


@given(st.binary(max_size=3000))
def test_any_bytes_can_be_tried(content):
    """None raises, and what unpacks is bounded."""
    part = decode_from_middle(content, max_bytes=1 << 16, must_end=False)
    assert part is None or len(part.content) <= 1 << 16


def test_a_member_is_read_at_both_ends():
    """A few hundred kilobytes of a member of many megabytes, and the same bytes as unpacked."""
    content = code_like(24_000_000)
    packed = Counting(deflated(content))
    member = DeflatedMember(packed, len(content), max_bytes=4 << 20)
    for offset in (0, 5000, len(content) - 90_000, len(content) - 100, 60_000):
        assert member.read_at(offset, 100) == content[offset : offset + 100]
    assert packed.bytes_read < 1 << 20 < packed.size
    with pytest.raises(NotRead):
        member.read_at(len(content) // 2, 100)


def test_every_byte_can_be_read_without_a_limit():
    """In any order, behind what is kept too."""
    content = code_like(6_000_000)
    member = DeflatedMember(BytesReader(deflated(content)), len(content))
    for offset in (3_000_000, 10, 5_999_000, 2_999_999, 4_500_000):
        assert member.read_at(offset, 1000) == content[offset : offset + 1000]


def test_a_directory_that_lies_about_a_size():
    """Fewer bytes than it says end as an error, not as a wait."""
    packed = BytesReader(deflated(b"abc" * 100))
    with pytest.raises(Damaged):
        DeflatedMember(packed, 5000).read_at(4000, 10)
    with pytest.raises(Damaged):
        DeflatedMember(packed, 20).read_at(10, 20)


def extension(size=0):
    """A wheel with an extension whose code for GPUs has `size` bytes for each architecture."""
    library = make_elf(
        needed=("libtorch_cuda.so", "libc10.so", "libcudart.so.12"),
        undefined=(NEW,),
        versions={"libc.so.6": ("GLIBC_2.17",)},
        sections={
            ".nv_fatbin": b"".join(fatbin("sm_80", "sm_90", code=code_like(size, seed)) for seed in range(6))
        },
    )
    return make_wheel("ext", "1.0", requires=("torch>=2",), modules={"ext/_C.so": library, "ext/a.py": "1"})


def deflated_wheel(content):
    """The same wheel, with its files deflated as those of PyPI are."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as given,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in given.namelist():
            archive.writestr(name, given.read(name))
    return made.getvalue()


def test_a_wheel_s_metadata_and_libraries():
    """Requirements, needed libraries, code for GPUs, C++ ABI and the least glibc."""
    _, content = extension(64)
    found = inspect_wheel(BytesReader(content))
    assert (found.name, found.version, found.requires) == ("ext", "1.0", ("torch>=2",))
    (entry,) = found.libraries
    assert entry.path == "ext/_C.so"
    assert entry.library is not None
    assert entry.library.needed == ("libtorch_cuda.so", "libc10.so", "libcudart.so.12")
    assert entry.library.cxx11_abi is True
    assert entry.library.glibc == "2.17"
    assert entry.library.gpu is not None
    assert entry.library.gpu.cubins == ("sm_80", "sm_90")


def test_a_large_wheel_is_read_by_its_headers():
    """Its needs by a twentieth of it; its code for GPUs in some places, which is said."""
    content = deflated_wheel(extension(2_000_000)[1])
    reader = Counting(content)
    (entry,) = inspect_wheel(reader, max_bytes=8 << 20, gpu="none").libraries
    assert entry.library is not None
    assert entry.library.needed == ("libtorch_cuda.so", "libc10.so", "libcudart.so.12")
    assert entry.library.torch_symbols == (NEW,)
    assert reader.bytes_read < len(content) / 20
    (entry,) = inspect_wheel(BytesReader(content), max_bytes=8 << 20, gpu="some").libraries
    assert entry.library is not None
    assert entry.library.gpu is not None
    assert set(entry.library.gpu.cubins) <= {"sm_80", "sm_90"}
    assert entry.library.gpu.cubins
    assert not entry.library.gpu.complete


def test_a_library_that_is_none_has_a_problem():
    """It is named, and the others are read."""
    _, content = make_wheel(
        "ext", "1.0", modules={"ext/a.so": "text", "ext/b.so": make_elf(needed=("libm.so.6",))}
    )
    first, second = inspect_wheel(BytesReader(content)).libraries
    assert first.library is None
    assert first.problem
    assert second.library is not None
    assert second.library.needed == ("libm.so.6",)


WHEEL = deflated_wheel(extension(64)[1])


@given(
    st.lists(st.tuples(st.integers(0, len(WHEEL) - 1), st.integers(0, 255)), max_size=8),
    st.integers(0, len(WHEEL)),
)
@settings(max_examples=300)
def test_no_damaged_wheel_raises_anything_else(changes, end):
    """Bytes changed anywhere and a cut end make an error of ours or a result."""
    damaged = bytearray(WHEEL)
    for place, value in changes:
        damaged[place] = value
    try:
        inspect_wheel(BytesReader(bytes(damaged[:end])), max_bytes=1 << 20)
    except BinaryError:
        return


def test_a_directory_that_is_too_large_is_not_read():
    """A zip whose directory has more bytes than any wheel's."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for number in range(300):
            archive.writestr(zipfile.ZipInfo(f"{number:>05}{'x' * 60_000}"), b"")
    with pytest.raises(NotRead):
        inspect_wheel(BytesReader(made.getvalue()))


def test_blocks_are_read_once():
    """Small reads beside each other are one large one, whatever their order."""
    content = bytes(range(256)) * 2000
    counted = Counting(content)
    reader = BlockReader(counted, block_bytes=4096, max_blocks=8)
    for offset in (5000, 4096, 8191, 0, 300):
        assert reader.read_at(offset, 50) == content[offset : offset + 50]
    assert counted.bytes_read <= 3 * 4096
    assert reader.read_at(1, 200_000) == content[1:200_001]
    with pytest.raises(Damaged):
        reader.read_at(len(content), 1)


def test_the_command(tmp_path, capsys):
    """`python -m wheels_index inspect` prints it as text and as JSON, and ends with 2 for another file."""
    name, content = extension(64)
    (tmp_path / name).write_bytes(content)
    assert main(["inspect", str(tmp_path / name)]) == 0
    shown = capsys.readouterr().out
    assert "CUDA: 12" in shown
    assert "GPU code: sm_80, sm_90" in shown
    assert main(["inspect", str(tmp_path / name), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["cuda_majors"] == [12]
    assert document["links_torch"] is True
    assert document["torch_gpu"] == ["cuda"]
    assert document["libraries"][0]["glibc"] == "2.17"
    (tmp_path / "text.whl").write_text("text")
    assert main(["inspect", str(tmp_path / "text.whl")]) == 2
    assert main(["inspect", str(tmp_path / "nowhere.whl")]) == 2
    assert "error" in capsys.readouterr().err


def test_a_file_is_read_in_pieces(tmp_path):
    """As it lies on the disk."""
    (tmp_path / "a").write_bytes(b"0123456789")
    with FileReader(tmp_path / "a") as reader:
        assert reader.size == 10
        assert reader.read_at(3, 4) == b"3456"
        with pytest.raises(Damaged):
            reader.read_at(8, 4)


@pytest.fixture
def server():
    """A server on this machine."""
    with LoopbackIndex() as index:
        yield index


def test_a_wheel_on_a_server_is_read_in_pieces(server, capsys):
    """It says the same as of the file."""
    name, content = extension(64)
    server.files[f"/{name}"] = content
    assert main(["inspect", f"{server.url}/{name}", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["file"], document["size"], document["cuda_majors"]) == (name, len(content), [12])


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.org/a-1.0-py3-none-any.whl", "only https is read"),
        ("https://user:secret@example.org/a.whl", "a URL with a password is not read"),
        ("{server}/nowhere.whl", "the server answers 403"),
        ("{server}/moved.whl", "only https is read"),
        ("{server}/page.whl", "no range requests"),
        ("http://127.0.0.1:9/a.whl", "refused"),
    ],
)
def test_what_cannot_be_read_from_a_server_is_said(server, capsys, url, words):
    """One line with the reason, without a password, and status 2."""
    server.pages["/page.whl"] = b"not a file"
    server.files["/moved.whl"] = b"x"
    server.faults["/moved.whl"] = Fault(status=302, location="http://example.org/other.whl")
    assert main(["inspect", url.format(server=server.url)]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("asked", "led_to", "refused"),
    [
        ("https://example.org/a.whl", "https://other.example/a.whl", False),
        ("https://example.org/a.whl", "http://other.example/a.whl", True),
        ("https://example.org/a.whl", "http://127.0.0.1:8080/admin", True),
        ("http://127.0.0.1:8080/a.whl", "http://localhost:8080/b.whl", False),
        ("https://example.org/a.whl", "file:///etc/passwd", True),
    ],
)
def test_a_server_leads_to_no_place_of_this_machine(asked, led_to, refused):
    """But one on this machine, to another there."""
    answer = io.BytesIO()
    asked_for = Request(asked)  # noqa: S310  # what it leads to is the test
    redirect = functools.partial(
        _SafeRedirects().redirect_request, asked_for, answer, 302, "Found", HTTPMessage(), led_to
    )
    if refused:
        with pytest.raises(NotRead):
            redirect()
    else:
        assert redirect().full_url == led_to
    assert answer.closed == refused
