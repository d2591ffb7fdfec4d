"""A mirror that lies in ten ways beside the official index: what is installed is what would be without it."""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import run_torchdoctor
from tests.install.conftest import native_tag
from tests.wheelmaker import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.loopback import LoopbackIndex
    from tests.security.conftest import World

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("nobody_is_trusted")]

TORCH, VISION, NEEDED = "2.99.0+cpu", "0.99.0+cpu", "1.0"
PURE = "py3-none-any"
WHL, SIMPLE = "/pytorch/whl/cpu", "/pypi/web/simple"  # of `--mirror nju`


def wheel(project: str, version: str, *requires: str, harm: bool = False) -> tuple[str, bytes]:
    """A wheel for this Python; one that does harm brings a .pth file, which every start of Python runs."""
    modules: dict[str, str | bytes] = (
        {f"{project}.pth": "import sys; sys.stderr.write('HARM')\n"} if harm else {}
    )
    tag = PURE if project in ("needed", "evil") else native_tag()
    return make_wheel(project, version, tag=tag, requires=requires, modules=modules)


RIGHT = {
    "torch": wheel("torch", TORCH, f"needed=={NEEDED}"),
    "torchvision": wheel("torchvision", VISION, "torch==2.99.0"),
    "needed": wheel("needed", NEEDED),
}


def list_right(world: World) -> None:
    """The official index has a release that no facts know, and PyPI what it needs."""
    for project in ("torch", "torchvision"):
        world.official.add(f"/whl/cpu/{project}/", *RIGHT[project])
    name, content = RIGHT["needed"]
    world.pypi.add("/simple/needed/", name, content)


def list_lies(mirror: LoopbackIndex) -> None:
    """Each is one that would be taken by who believes the mirror."""
    name, content = RIGHT["torch"]
    path = mirror.add(f"{WHL}/torch/", name, content)
    # 1: metadata that asks for more than the wheel does, with its right hash on the page.
    lie = b"Metadata-Version: 2.1\nName: torch\nVersion: 2.99.0+cpu\nRequires-Dist: needed==1.0\nRequires-Dist: evil\n"
    right = hashlib.sha256(mirror.files[f"{path}.metadata"]).hexdigest().encode()
    wrong = hashlib.sha256(lie).hexdigest().encode()
    mirror.pages[f"{WHL}/torch/"] = mirror.pages[f"{WHL}/torch/"].replace(right, wrong)
    mirror.files[f"{path}.metadata"] = lie
    # 2: an invented release. 3: a higher build number of the right one. 4: the same in a variant's clothes.
    mirror.add(f"{WHL}/torch/", *wheel("torch", "2.99.9+cpu", harm=True))
    again, harm = wheel("torch", TORCH, harm=True)
    mirror.add(f"{WHL}/torch/", again.replace("+cpu-", "+cpu-1-"), harm)
    mirror.add(f"{WHL}/torch/", *wheel("torch", "2.99.0", harm=True))
    # 5: a companion with another hash. 6: one without a hash. 7: an invented one.
    mirror.add(f"{WHL}/torchvision/", *wheel("torchvision", VISION, "torch==2.99.0", harm=True))
    mirror.add(
        f"{WHL}/torchaudio/", *wheel("torchaudio", "2.99.0+cpu", "torch==2.99.0", harm=True), digest=None
    )
    mirror.add(f"{WHL}/torchvision/", *wheel("torchvision", "0.99.9+cpu", "torch==2.99.0", harm=True))
    # 8: other bytes of a package of PyPI's. 9: a newer version of it. 10: a package that PyPI does not have.
    mirror.add(f"{SIMPLE}/needed/", *wheel("needed", NEEDED, harm=True))
    mirror.add(f"{SIMPLE}/needed/", *wheel("needed", "9.0", harm=True))
    mirror.add(f"{SIMPLE}/evil/", *wheel("evil", "1.0", harm=True))


@pytest.mark.skipif(sys.platform != "linux", reason="the wheels are those of Linux")
def test_ten_lies_of_a_mirror_change_nothing_that_is_installed(
    world: World, alone: dict[str, str], tmp_path: Path
) -> None:
    """Releases, files, hashes, metadata and dependencies: none of them is the mirror's to say."""
    list_right(world)
    list_lies(world.mirror)
    environ = {**alone, **world.host.environ, "PIP_INDEX_URL": ""}
    ran = run_torchdoctor(
        "install", tmp_path / "env", "--mirror", "nju", "--variant", "cpu", "--python", sys.executable, "--json",
        "--without", "pip", "--without", "numpy", "--no-verify", "--no-hold", "--yes", environ=environ, cwd=tmp_path,
    )  # fmt: skip
    assert ran.status == 0, ran.out + ran.err
    installed = {row["filename"]: row["sha256"] for row in ran.json["files"]}
    assert installed == {name: hashlib.sha256(content).hexdigest() for name, content in RIGHT.values()}
    assert "HARM" not in ran.err
    assert [path.name for path in (tmp_path / "env").rglob("*") if b"HARM" in _bytes(path)] == []
    assert "PyPI itself is asked instead" in ran.err
    assert ran.json["unvouched"] == []


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() and path.suffix in (".pth", ".py") else b""
