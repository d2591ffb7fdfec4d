"""`torchdoctor index inspect`: of a file, and of a URL by ranges."""

from __future__ import annotations

import pytest

from tests.binaries import fatbin, make_elf
from tests.faults import Fault, FaultServer
from tests.wheelmaker import make_wheel

LIBRARY = make_elf(
    needed=("libtorch_cuda.so", "libcudart.so.13", "libc.so.6"),
    undefined=("_ZN3c104hearERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE",),
    versions={"libc.so.6": ("GLIBC_2.28",)},
    sections={".nv_fatbin": fatbin("sm_90", "compute_90")},
)
NAME, CONTENT = make_wheel("ext", "1.0", requires=("torch>=2.10",), modules={"ext/_C.so": LIBRARY})


@pytest.fixture
def served():
    """The wheel at a server that has ranges."""
    with FaultServer() as server:
        server.files[f"/{NAME}"] = CONTENT
        yield server


def test_of_a_file(torchdoctor, tmp_path):
    """What it requires, needs and was built for."""
    (tmp_path / NAME).write_bytes(CONTENT)
    ran = torchdoctor("index", "inspect", tmp_path / NAME)
    assert ran.status == 0, ran.err
    for line in (
        "links libtorch, and its parts for cuda",
        "CUDA: 13",
        "C++ ABI: C++11",
        "GPU code: sm_90, compute_90",
        "requires: torch>=2.10",
        "needs: libtorch_cuda.so, libcudart.so.13, libc.so.6",
        "glibc 2.28 or later",
    ):
        assert line in ran.out


def test_of_a_url(torchdoctor, served):
    """Read by ranges, of which the bytes are told."""
    document = torchdoctor("index", "inspect", f"{served.url}/{NAME}", "--json").json
    assert document["cuda_majors"] == [13]
    assert document["gpu"]["cubins"] == ["sm_90"]
    assert document["size"] == len(CONTENT)
    assert 0 < document["bytes_read"] <= len(CONTENT) * 2
    assert all("range" in seen.headers for seen in served.asked(f"/{NAME}"))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(ranges=False), "no-ranges"),
        (Fault(lie="offset"), "no-ranges"),
        (Fault(status=404), "absent"),
        (Fault(close_after=100), "unreachable"),
    ],
)
def test_a_server_that_cannot(torchdoctor, served, fault, kind):
    """An error with the reason, and the status for the network."""
    served.fault = lambda _seen: fault
    ran = torchdoctor("index", "inspect", f"{served.url}/{NAME}", "--json")
    assert ran.status == 4
    assert ran.json["error"]["kind"] == kind
    assert ran.json["error"]["fix"]


def test_what_is_no_wheel(torchdoctor, tmp_path, served):
    """A text, a folder and a name of nothing are wrong usage; the same of a URL."""
    (tmp_path / "text.whl").write_text("text")
    served.files["/text.whl"] = b"text"
    for name in (tmp_path / "text.whl", tmp_path, tmp_path / "nowhere.whl", f"{served.url}/text.whl"):
        ran = torchdoctor("index", "inspect", name, "--json")
        assert ran.status == 2, name
        assert ran.json["error"]["fix"]
