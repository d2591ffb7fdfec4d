"""What no honest wheel holds is refused before anything unpacks it."""

from __future__ import annotations

import contextlib
import io
import stat
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wheelmaker import make_wheel
from torchdoctor.core.wheelfile import validate_wheel
from torchdoctor.core.wheelfile.member_names import device_name
from torchdoctor.errors import InstallFailed

NAME = "needed-1.0-py3-none-any.whl"
INFO = "needed-1.0.dist-info"


def written(folder, files, *, record=True, attr=None, name=NAME):
    """A wheel with these members and, with `record`, a RECORD that lists them."""
    rows = {
        f"{INFO}/METADATA": "Metadata-Version: 2.1\nName: needed\nVersion: 1.0\n",
        f"{INFO}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **files,
    }
    if record:
        rows[f"{INFO}/RECORD"] = (
            "".join(f'"{row}",,{len(text)}\n' for row, text in rows.items()) + f"{INFO}/RECORD,,\n"
        )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for row, text in rows.items():
            info = zipfile.ZipInfo(row)
            info.compress_type = zipfile.ZIP_DEFLATED
            if attr is not None and row in files:
                info.external_attr = attr << 16
            archive.writestr(info, text)
    path = folder / name
    path.write_bytes(made.getvalue())
    return path


def refused(path, name=NAME):
    """Why the wheel is refused."""
    with pytest.raises(InstallFailed) as caught:
        validate_wheel(path, name)
    assert caught.value.code == "bad-wheel"
    return caught.value.message


def test_an_honest_wheel_tells_what_it_unpacks_to(tmp_path):
    """The bytes of all its files."""
    name, content = make_wheel("needed", "1.0", tag="py3-none-any")
    (tmp_path / name).write_bytes(content)
    with zipfile.ZipFile(tmp_path / name) as archive:
        assert validate_wheel(tmp_path / name, name) == sum(row.file_size for row in archive.infolist())


@pytest.mark.parametrize(
    "member",
    [
        "../evil.py", "needed/../../evil.py", "/etc/evil", "C:/evil.py", "needed\\..\\evil.py", "needed//evil.py",
        "./evil.py", "needed/evil\n.py", "NUL", "needed/aux.py", "needed/com1.txt", "needed/name.", "needed/name ",
        "needed/name.py:stream",
    ],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused(tmp_path, member):
    """Upwards, from the root, a drive, a device, a stream: none of it is a file of a package."""
    assert member.split("/")[0][:1] in refused(written(tmp_path, {member: "x"}))


def test_names_that_differ_by_case_alone_are_refused(tmp_path):
    """On most Macs and on Windows one would take the other's place."""
    assert "case does not count" in refused(written(tmp_path, {"needed/a.py": "x", "needed/A.py": "y"}))


def test_a_link_is_refused(tmp_path):
    """A wheel holds files; a link could lead anywhere."""
    path = written(tmp_path, {"needed/link": "/etc/passwd"}, attr=stat.S_IFLNK | 0o777)
    assert "is a link or a device" in refused(path)


def test_a_zip_bomb_is_refused(tmp_path):
    """128 MiB of zeros in 130 KB: more than any build has ever held."""
    path = written(tmp_path, {"needed/zeros": "\0" * (128 << 20)})
    assert path.stat().st_size < 1 << 20
    assert "would unpack to" in refused(path)


def test_a_file_twice_is_refused(tmp_path):
    """Which of the two is right nobody can tell."""
    path = written(tmp_path, {"needed/a.py": "x"})
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("needed/a.py", "y")
    assert "is there twice" in refused(path)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"torch-2.13.0.dist-info/METADATA": "x"}, "2 metadata folders"),
        ({"torch-2.13.0.data/scripts/x": "x"}, "named after another package"),
        ({"needed-1.0.data/elsewhere/x": "x"}, "outside of the package's folders"),
        ({"needed-1.0.data/data/pyvenv.cfg": "x"}, "a part of the environment itself"),
        ({"needed-1.0.data/scripts/python": "x"}, "a part of the environment itself"),
        ({"needed-1.0.data/data/bin/python3.11": "x"}, "a part of the environment itself"),
        ({"needed-1.0.data/data/Scripts/Python.exe": "x"}, "a part of the environment itself"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_a_file_outside_of_the_packages_own_folders_is_refused(tmp_path, files, why):
    """Another package's metadata, the environment's own interpreter."""
    assert why in refused(written(tmp_path, files))


def test_a_record_that_lists_other_files_is_refused(tmp_path):
    """Unlisted, absent, of another size, or no RECORD at all."""
    assert "has no RECORD" in refused(written(tmp_path, {"needed/a.py": "x"}, record=False))
    for listed, why in (
        ("", "is not in its RECORD"),
        ("needed/a.py,,1\nneeded/b.py,,1\n", "is in its RECORD and not in the file"),
        ("needed/a.py,,7\n", "has 1 bytes, and its RECORD says 7"),
    ):
        rows = f"{INFO}/METADATA,,\n{INFO}/WHEEL,,\n{INFO}/RECORD,,\n{listed}"
        path = written(tmp_path, {"needed/a.py": "x", f"{INFO}/RECORD": rows}, record=False)
        assert why in refused(path)


@pytest.mark.parametrize("name", ["NUL", "nul", "aux.h", "COM1", "lpt9.txt", "con.tar.gz"])
def test_devices_of_windows_are_known(name):
    """With any ending, in any case."""
    assert device_name(name)


@pytest.mark.parametrize("name", ["null", "auxiliary.py", "com", "com10", "console", "config.con"])
def test_names_that_only_look_like_devices_are_files(name):
    """They are common in real packages."""
    assert not device_name(name)


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_rubbish_is_refused_and_nothing_else_happens(tmp_path_factory, content):
    """Whatever bytes there are, the answer is ours."""
    path = tmp_path_factory.getbasetemp() / "rubbish.whl"
    path.write_bytes(b"PK\x03\x04" + content)
    refused(path)


@given(st.integers(0, 3000), st.integers(0, 255))
@settings(max_examples=200, deadline=None)
def test_one_changed_byte_is_no_crash(tmp_path_factory, place, byte):
    """A damaged archive is refused or still one; zipfile's many errors stay inside."""
    name, content = make_wheel("needed", "1.0", tag="py3-none-any")
    changed = bytearray(content)
    changed[place % len(changed)] = byte
    path = tmp_path_factory.getbasetemp() / "changed.whl"
    path.write_bytes(bytes(changed))
    with contextlib.suppress(InstallFailed):
        validate_wheel(path, name)


def test_install_refuses_it_and_leaves_nothing(torchdoctor, official, bare, tmp_path):
    """A wheel of an index whose hash is right, and that would write beside the environment."""
    evil = written(tmp_path, {"../../../evil.py": "x"})
    official.add("/simple/needed/", NAME, evil.read_bytes())
    ran = torchdoctor("install", tmp_path / "env", *bare, "--with", "needed", "--json")
    assert ran.status in (4, 5), ran.out
    assert ran.json["error"]["kind"] == "bad-wheel"
    assert "leads out of its folder" in ran.json["error"]["message"]
    assert not (tmp_path / "env").exists()
    assert not list(Path(tmp_path).rglob("evil.py"))


def test_a_wheel_in_a_folder_is_looked_at_before_uv_reads_it(torchdoctor, official, bare, tmp_path):
    """--find-links with a bad wheel beside good ones: it is passed over, which is said."""
    folder = tmp_path / "links"
    folder.mkdir()
    written(folder, {"../../../evil.py": "x"})
    ran = torchdoctor(
        "install", tmp_path / "env", *bare, "--find-links", folder, "--with", "needed", "--json"
    )
    assert ran.status == 3, ran.out + ran.err
    assert "leads out of its folder" in ran.json["error"]["message"]
    assert not list(Path(tmp_path).rglob("evil.py"))
