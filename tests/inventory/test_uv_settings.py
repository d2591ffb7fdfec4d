"""uv's files are found where uv looks, the nearest first."""

from __future__ import annotations

import sys

import pytest

from torchdoctor.inventory.uv_settings import flatten_uv_table, read_uv_tables


def tables(environ, folder):
    return [(path, table) for path, table in read_uv_tables(environ, folder)]


def test_the_nearest_project_is_read_and_those_above_it_are_not(tmp_path):
    """uv stops at the first folder that has settings."""
    (tmp_path / "uv.toml").write_text("offline = true\n")
    inner = tmp_path / "a/b"
    inner.mkdir(parents=True)
    (tmp_path / "a/pyproject.toml").write_text("[tool.uv]\nnative-tls = true\n")
    found = tables({"XDG_CONFIG_DIRS": str(tmp_path / "none")}, inner)
    assert found[:1] == [(str(tmp_path / "a/pyproject.toml"), {"native-tls": True})]
    assert (str(tmp_path / "uv.toml"), {"offline": True}) not in found


def test_a_uv_toml_goes_before_the_pyproject_beside_it(tmp_path):
    """https://docs.astral.sh/uv/concepts/configuration-files/."""
    (tmp_path / "uv.toml").write_text("offline = true\n")
    (tmp_path / "pyproject.toml").write_text("[tool.uv]\nnative-tls = true\n")
    assert tables({"XDG_CONFIG_DIRS": str(tmp_path / "none")}, tmp_path)[0][1] == {"offline": True}


@pytest.mark.skipif(sys.platform == "win32", reason="the folders are those of Unix")
def test_the_user_s_file_and_the_system_s_come_last(tmp_path):
    """After the project's; XDG_CONFIG_HOME goes before HOME."""
    for name in ("own", "shared"):
        (tmp_path / name / "uv").mkdir(parents=True)
        (tmp_path / name / "uv/uv.toml").write_text(f"name = '{name}'\n")
    environ = {
        "XDG_CONFIG_HOME": str(tmp_path / "own"), "XDG_CONFIG_DIRS": str(tmp_path / "shared"), "HOME": "/x",
    }  # fmt: skip
    assert [table for _, table in tables(environ, tmp_path)][:2] == [{"name": "own"}, {"name": "shared"}]


def test_a_named_file_is_the_only_one(tmp_path):
    """UV_CONFIG_FILE; and UV_NO_CONFIG turns all files off."""
    (tmp_path / "uv.toml").write_text("offline = true\n")
    (tmp_path / "named.toml").write_text("offline = false\n")
    named = {"UV_CONFIG_FILE": str(tmp_path / "named.toml")}
    assert tables(named, tmp_path) == [(str(tmp_path / "named.toml"), {"offline": False})]
    assert tables(named | {"UV_NO_CONFIG": "1"}, tmp_path) == []


def test_a_broken_file_is_passed_over(tmp_path):
    """uv warns about it itself."""
    (tmp_path / "uv.toml").write_text("offline = \n")
    assert tables({"UV_CONFIG_FILE": str(tmp_path / "uv.toml")}, tmp_path) == []


def test_a_table_is_flattened_to_dotted_keys():
    """Lists of scalars are one value; a value that lies too deep is left out."""
    table = {
        "pip": {"extra": ["a", 1, True]},
        "index": [{"url": "u"}],
        "x": {"y": {"z": {"deep": {"no": 1}}}},
    }
    assert list(flatten_uv_table(table)) == [("pip.extra", "a 1 True"), ("index.url", "u")]
