"""Where the files of wheels and of installed packages lie."""

from __future__ import annotations

import io
import zipfile

import pytest

from torchdoctor.install.wheel_layout import (
    files_of_installed,
    files_of_wheel,
    glob_site_packages,
    metadata_folders,
)


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "lib" / "python3.11" / "site-packages"
    folder.mkdir(parents=True)
    return folder


def wheel(path, **files):
    """Write a zip file with the members named; `__` stands for a slash."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    path.write_bytes(content.getvalue())
    return path


def test_condas_link_is_no_second_package_folder(tmp_path, site):
    """`lib/python3.1` is `lib/python3.11`."""
    (tmp_path / "lib" / "python3.1").symlink_to("python3.11")
    assert len(glob_site_packages(tmp_path)) == 1


def test_modules_data_and_scripts_of_a_wheel_have_their_places(tmp_path, site):
    """As the binary distribution format says."""
    path = wheel(
        tmp_path / "p-1-py3-none-any.whl",
        **{
            "p/a.py": "",
            "p-1.data/scripts/run": "",
            "p-1.data/data/share/x": "",
            "p-1.data/purelib/b.py": "",
        },
    )
    assert set(files_of_wheel(tmp_path, site, path)) == {
        "lib/python3.11/site-packages/p/a.py",
        "bin/run",
        "share/x",
        "lib/python3.11/site-packages/b.py",
    }


def test_the_commands_that_a_wheel_declares_are_its_files(tmp_path, site):
    """Under the names that Linux and Windows give them, whatever the encoding of the rest."""
    text = b"[console_scripts]\nrun = p:main\n# \xff\n"
    path = wheel(tmp_path / "p-1-py3-none-any.whl", **{"p-1.dist-info/entry_points.txt": text})
    assert {"bin/run", "bin/run.exe"} <= set(files_of_wheel(tmp_path, site, path))


@pytest.mark.parametrize("record", [b"\xff\xfe,,\n", b'"' + b"x" * 200_000, b"a\0b,,\n"])
def test_a_record_that_cannot_be_read_names_nothing(tmp_path, site, record):
    """The package's metadata is still its own."""
    metadata = site / "p-1.dist-info"
    metadata.mkdir()
    (metadata / "RECORD").write_bytes(record)
    assert list(files_of_installed(tmp_path, site, metadata)) == [
        "lib/python3.11/site-packages/p-1.dist-info/RECORD"
    ]


def test_files_outside_of_the_environment_are_not_a_packages_own(tmp_path, site):
    """A RECORD may name anything."""
    (tmp_path.parent / "thesis.txt").touch()
    metadata = site / "p-1.dist-info"
    metadata.mkdir()
    (metadata / "RECORD").write_text(f"../../../../thesis.txt,,\n{tmp_path.parent}/thesis.txt,,\n")
    assert not [name for name in files_of_installed(tmp_path, site, metadata) if "thesis" in name]


def test_metadata_is_found_by_the_normalised_name(site):
    """`Typing_Extensions` is typing-extensions."""
    (site / "Typing_Extensions-4.0.dist-info").mkdir()
    (site / "other-1.dist-info").mkdir()
    assert [path.name for path in metadata_folders(site, {"typing-extensions"})] == [
        "Typing_Extensions-4.0.dist-info"
    ]
