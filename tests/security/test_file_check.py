"""What lies in an environment is what the checked wheels hold, whoever unpacked them or changed it meanwhile."""

from __future__ import annotations

import os
import sys
import zipfile

import pytest

from tests.security.wheels import saved
from torchdoctor.core.wheelfile import placements
from torchdoctor.errors import InstallFailed
from torchdoctor.fetch import FetchedWheel, Wheelhouse
from torchdoctor.install import unpack
from torchdoctor.install.file_check import FileCheck
from torchdoctor.lock import LockedWheel

SITE = "lib/python3.11/site-packages"
PLACES = {"packages": SITE, "commands": "bin", "headers": "include/site/python3.11", "data": "."}
MODULES = {
    "needed/core.so": b"\x7fELF" * 100, "needed-1.0.data/scripts/tool": "#!python\nprint('tool')\n",
    "needed-1.0.data/scripts/sh": "#!/bin/sh\n", "needed-1.0.data/headers/x.h": "int x;",
    "needed-1.0.data/data/share/x": "x", "needed-1.0.data/platlib/needed/plat.py": "", "LICENSE": "mine",
}  # fmt: skip


def fetched(path, project="needed"):
    """The wheel as the fetch gives it."""
    wheel = LockedWheel(
        name=project, version="1.0", filename=path.name, url=path.as_uri(), sha256="0" * 64, size=None
    )
    return FetchedWheel(
        wheel=wheel, path=path, sha256="0" * 64, size=path.stat().st_size, source="", first_seen=False
    )


def put(stage, wheel):
    """Unpack as uv does, with the first line of scripts as uv writes it."""
    with zipfile.ZipFile(wheel.path) as archive:
        for location, name in placements(archive.namelist(), wheel.wheel.name):
            place, _, rest = location.partition("/")
            target = stage / PLACES[place] / rest
            target.parent.mkdir(parents=True, exist_ok=True)
            content = archive.read(name)
            if content.startswith(b"#!python\n"):
                content = f"#!{stage}/bin/python\n".encode() + content.partition(b"\n")[2]
            target.write_bytes(content)


@pytest.fixture
def wheel(tmp_path):
    return fetched(saved(tmp_path, "needed", modules=MODULES))


@pytest.fixture
def stage(tmp_path, wheel):
    folder = tmp_path / "stage"
    put(folder, wheel)
    return folder


@pytest.fixture
def check(stage):
    made = FileCheck(stage, lambda: [stage / SITE])
    yield made
    made.close()


def test_files_of_every_scheme_are_right(check, wheel):
    """Packages, scripts, headers and data, as uv lays them out."""
    assert check.wrong([wheel]) == {}


def test_headers_are_found_where_conda_has_them(check, wheel, stage):
    """Its folder is another one than that of a virtual environment."""
    (stage / "include/site/python3.11").rename(stage / "include/python3.11")
    assert check.wrong([wheel]) == {}


@pytest.mark.parametrize(
    "place",
    [
        f"{SITE}/needed/core.so", f"{SITE}/needed/plat.py", f"{SITE}/needed-1.0.dist-info/METADATA", f"{SITE}/LICENSE",
        "bin/tool", "bin/sh", "include/site/python3.11/needed/x.h", "share/x",
    ],
)  # fmt: skip
@pytest.mark.parametrize("how", ["changed", "gone", "link"])
def test_a_file_that_is_another_one_is_found(check, wheel, stage, tmp_path, place, how):
    """Of the same size and with the same times; gone; or a link to the right content."""
    path, copy = stage / place, tmp_path / "copy"
    before, content = path.stat(), path.read_bytes()
    path.unlink()
    if how == "changed":
        path.write_bytes(content[:-1] + b"!" if content else b"!")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif how == "link":
        copy.write_bytes(content)
        path.symlink_to(copy)
    assert list(check.wrong([wheel])) == ["needed"]


def test_a_change_after_the_first_look_is_found(check, wheel, stage):
    """Files are hashed while others are unpacked; a later wheel or program can change them."""
    assert check.wrong([wheel]) == {}
    path = stage / SITE / "needed" / "core.so"
    before, content = path.stat(), path.read_bytes()
    with path.open("r+b") as file:
        file.write(content[::-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert check.wrong([wheel]) == {"needed": "needed/core.so"}


@pytest.mark.parametrize(
    ("head", "right"),
    [
        (b"#!/home/a/env/bin/python\n", True),
        (b"""#!/bin/sh\n'''exec' "$(dirname -- "$(realpath -- "$0")")"/'python' "$0" "$@"\n' '''\n""", True),
        (b"""#!/bin/sh\n'''exec' '/home/a b/python' "$0" "$@"\n' '''\n""", True),
        (b"""#!/bin/sh\n'''exec' evil; '/home/python' "$0" "$@"\n' '''\n""", False),
        (b"""#!/bin/sh\n'''exec' "$(evil)" "$0" "$@"\n' '''\n""", False),
        (b"#!/bin/sh\nevil\n", False),
        (b"", False),
    ],
)
def test_of_a_script_only_the_line_of_its_interpreter_may_differ(check, wheel, stage, head, right):
    """It is written anew for each environment."""
    (stage / "bin" / "tool").write_bytes(head + b"print('tool')\n")
    assert (check.wrong([wheel]) == {}) is right


def test_a_wheel_that_writes_over_another_ones_file_is_found_in_either_order(check, stage, wheel, tmp_path):
    """Its RECORD can give the hash of the other file: what lies there is in one of the two wheels another one."""
    other = fetched(saved(tmp_path, "other", modules={"needed/core.so": b"evil" * 100}), "other")
    put(stage, other)
    assert list(check.wrong([wheel, other])) == ["needed"]


def test_of_two_builds_of_one_program_each_file_is_that_of_one(check, stage, tmp_path):
    """Which of OpenCV's builds was unpacked last does not matter; what neither holds does."""
    builds = [
        fetched(saved(tmp_path, project, modules={"cv2/a.py": project}), project)
        for project in ("opencv-python", "opencv-python-headless")
    ]
    for build in builds:
        put(stage, build)
    assert check.wrong(builds) == {}
    (stage / SITE / "cv2" / "a.py").write_text("evil()")
    assert set(check.wrong(builds)) == {"opencv-python", "opencv-python-headless"}


def test_licences_and_tests_that_lie_beside_the_packages_may_be_anothers(check, stage, wheel, tmp_path):
    """One of them is there, and it is whole."""
    other = fetched(saved(tmp_path, "other", modules={"LICENSE": "another"}), "other")
    put(stage, other)
    assert check.wrong([wheel, other]) == {}
    (stage / SITE / "LICENSE").write_text("nobody's")
    assert set(check.wrong([wheel, other])) == {"needed", "other"}


def test_bytecode_that_a_wheel_brings_along_may_be_compiled_anew(tmp_path):
    """Its source is in the wheel and was checked; bytecode without one is a file like any other."""
    cached = "__pycache__/version.cpython-311.pyc"
    wheel = fetched(saved(tmp_path, "needed", modules={f"needed/{cached}": b"1", "needed/alone.pyc": b"1"}))
    put(tmp_path / "stage", wheel)
    check = FileCheck(tmp_path / "stage", lambda: [tmp_path / "stage" / SITE])
    (tmp_path / "stage" / SITE / "needed" / cached).write_bytes(b"2")
    assert check.wrong([wheel]) == {}
    (tmp_path / "stage" / SITE / "needed" / "alone.pyc").write_bytes(b"2")
    assert check.wrong([wheel]) == {"needed": "needed/alone.pyc"}
    check.close()


@pytest.mark.process
@pytest.mark.parametrize("times", [1, 2])
def test_what_was_changed_while_it_was_unpacked_is_unpacked_again_and_refused_the_second_time(
    wheel, tmp_path, monkeypatch, times
):
    """As when somebody writes into what uv has unpacked, before it is put into the environment."""
    stage, left = tmp_path / "new", [None] * times
    (stage / "bin").mkdir(parents=True)
    (stage / "bin" / "python").symlink_to(sys.executable)

    def install(stage, wheels, *_args, **_options):
        put(stage, wheels[0])
        if left:
            left.pop()
            (stage / SITE / "needed" / "core.so").write_bytes(b"EVIL" * 100)

    monkeypatch.setattr(unpack, "install_wheels", install)
    unpacker = unpack.StreamingUnpacker(stage, tmp_path, {}, site_packages=[stage / SITE])
    house = Wheelhouse(wheels=(wheel,))
    try:
        if times == 1:
            unpacker.finish(house, None)
            assert (stage / SITE / "needed" / "core.so").read_bytes() == MODULES["needed/core.so"]
            return
        with pytest.raises(InstallFailed, match=r"needed/core\.so of needed is not what its wheel holds"):
            unpacker.finish(house, None)
    finally:
        unpacker.close()


@pytest.mark.process
@pytest.mark.parametrize(
    ("left", "refused"),
    [
        ("evil.pth", True),
        ("needed/more.py", True),
        ("needed/__pycache__/more.cpython-311.pyc", True),
        ("evil-1.0.dist-info/RECORD", True),
        ("needed-1.0.dist-info/more.txt", True),
        ("needed/__pycache__/plat.cpython-311.pyc", False),
        ("needed-1.0.dist-info/INSTALLER", False),
    ],
)
def test_a_new_environment_has_no_file_that_none_of_its_wheels_has(
    wheel, tmp_path, monkeypatch, left, refused
):
    """As when a lying wheel of the same name was unpacked before; what uv itself makes is no such file."""
    stage = tmp_path / "new"

    def prepare():
        (stage / SITE).mkdir(parents=True)
        (stage / "bin").mkdir()
        (stage / "bin" / "python").symlink_to(sys.executable)
        (stage / SITE / "_virtualenv.pth").touch()

    def install(stage, wheels, *_args, **_options):
        put(stage, wheels[0])
        (stage / SITE / left).parent.mkdir(parents=True, exist_ok=True)
        (stage / SITE / left).touch()

    monkeypatch.setattr(unpack, "install_wheels", install)
    unpacker = unpack.StreamingUnpacker(stage, tmp_path, {}, prepare=prepare)
    try:
        if not refused:
            unpacker.finish(Wheelhouse(wheels=(wheel,)), None)
            return
        with pytest.raises(InstallFailed, match="none of its wheels has it"):
            unpacker.finish(Wheelhouse(wheels=(wheel,)), None)
    finally:
        unpacker.close()
