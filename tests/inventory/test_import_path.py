"""Where imports look, and what is in their way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from torchdoctor.core.fact import absent
from torchdoctor.inventory.import_path import import_path, python_path, shadows, user_site


@pytest.mark.parametrize(
    ("platform", "text", "folders"),
    [("linux", "/a:/b", ("/a", "/b")), ("win32", r"C:\a;", ("C:\\a", ".")), ("linux", "", ())],
)
def test_pythonpath_is_split_as_the_interpreter_does(env, platform, text, folders):
    """An empty part is the current folder."""
    assert python_path({"PYTHONPATH": text}, replace(env.python, sys_platform=platform)) == folders


@pytest.mark.parametrize(
    ("settings", "environ", "used"),
    [
        ("include-system-site-packages = false\n", {}, False),
        ("include-system-site-packages = true\n", {}, True),
        ("include-system-site-packages = true\n", {"PYTHONNOUSERSITE": "1"}, False),
    ],
)
def test_a_virtual_environment_says_whether_the_user_site_counts(env, tmp_path, settings, environ, used):
    """In its pyvenv.cfg; a variable turns it off."""
    (env.prefix / "pyvenv.cfg").write_text(settings)
    python = replace(env.python, user_site=tmp_path)
    assert user_site(python, environ).value.used is used


def test_the_path_has_the_order_of_imports(env, tmp_path):
    """PYTHONPATH, standard library, site-packages, what .pth files added; each folder once."""
    path = ("/lib/python312.zip", str(env.site), str(tmp_path / "editable"))
    folders = import_path(
        replace(env.python, path=path), {"PYTHONPATH": f"{tmp_path}:{tmp_path}"}, absent("here")
    )
    assert [folder.origin for folder in folders] == [
        "PYTHONPATH", "standard library", "site-packages", ".pth file",
    ]  # fmt: skip


def test_a_file_named_like_a_module_is_a_shadow(env, tmp_path):
    """A folder without `__init__.py` gives way to the real package, so it is none."""
    (tmp_path / "torch.py").touch()
    (tmp_path / "numpy").mkdir()
    (tmp_path / "random.py").touch()
    found = shadows(tmp_path, import_path(env.python, {}, absent("here")))
    assert [(row.module, row.where) for row in found] == [
        ("torch", "current folder"),
        ("random", "current folder"),
    ]
