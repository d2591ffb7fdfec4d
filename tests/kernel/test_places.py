"""Kernel specs are looked for where Jupyter looks: compared with jupyter_core itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.detect.recorded_system import RecordedSystem
from torchdoctor.core.system import host_system
from torchdoctor.kernel.search_paths import jupyter_prefixes, kernel_search_path, user_kernel_folder

ASK = "import json; from jupyter_client.kernelspec import KernelSpecManager as K; print(json.dumps(K().kernel_dirs))"


def jupyters_own(environ):
    """Where the Jupyter of this very interpreter looks."""
    said = subprocess.run(
        [sys.executable, "-c", ASK], env=environ, capture_output=True, text=True, check=True
    )
    return list(dict.fromkeys(json.loads(said.stdout)))


@pytest.mark.process
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"JUPYTER_PATH": "/opt/a:/opt/b"},
        {"JUPYTER_DATA_DIR": "/srv/data"},
        {"XDG_DATA_HOME": "/srv/xdg", "IPYTHONDIR": "/srv/ipython"},
        {"JUPYTER_PREFER_ENV_PATH": "0", "JUPYTER_PATH": "/opt/a"},
        {"JUPYTER_PREFER_ENV_PATH": "no"},
        {"JUPYTER_PATH": f"{sys.prefix}/share/jupyter"},
    ],
    ids=str,
)
@pytest.mark.skipif(sys.platform != "linux", reason="the places of this platform are those of Linux")
def test_the_folders_are_those_of_jupyter_in_its_order(settings, tmp_path):
    """Whatever the variables say, what Jupyter finds is what is listed."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONNOUSERSITE": "1", **settings}
    places = kernel_search_path(host_system(environ), [Path(sys.prefix)])
    ours = [str(place.folder) for place in places]
    expected = jupyters_own(environ)
    assert [path for path in ours if path in expected] == expected
    # A Jupyter that is not in a venv, or that has IPython beside it, would look there too.
    more = {f"{tmp_path}/.local/share/jupyter/kernels", f"{tmp_path}/.ipython/kernels"}
    assert {path for path in ours if path not in expected} <= more


@pytest.mark.parametrize(
    ("platform", "environ", "folder"),
    [
        ("darwin", {"HOME": "/Users/a"}, "/Users/a/Library/Jupyter/kernels"),
        (
            "darwin",
            {"HOME": "/Users/a", "JUPYTER_PLATFORM_DIRS": "1"},
            "/Users/a/Library/Application Support/Jupyter/kernels",
        ),
        ("win32", {"USERPROFILE": "C:/U", "APPDATA": "C:/U/Roaming"}, "C:/U/Roaming/jupyter/kernels"),
        ("win32", {"USERPROFILE": "C:/U"}, "C:/U/.jupyter/data/kernels"),
        ("win32", {"LOCALAPPDATA": "C:/L", "JUPYTER_PLATFORM_DIRS": "yes"}, "C:/L/Jupyter/kernels"),
        ("linux", {"HOME": "/home/a"}, "/home/a/.local/share/jupyter/kernels"),
    ],
)
def test_the_users_folder_is_the_platforms(platform, environ, folder):
    """As jupyter_core documents it for each system."""
    assert user_kernel_folder(environ, platform=platform).as_posix() == folder


def test_a_jupyter_on_path_is_followed_to_its_environment():
    """A tool's script lies in ~/.local/bin and names the interpreter of its own environment."""
    system = RecordedSystem(
        files={
            "/home/a/.local/bin/jupyter-lab": "#!/home/a/pipx/venvs/jupyterlab/bin/python3.12\nimport sys\n",
            "/opt/x/bin/jupyter": "\x7fELF",
            "/opt/y/bin/jupyter": "#!/bin/sh\n'''exec' '/opt/a place/bin/python' \"$0\" \"$@\"\n",
        },
        environ={"PATH": "/home/a/.local/bin:/opt/x/bin:/opt/y/bin:relative", "VIRTUAL_ENV": "/v"},
    )
    assert [path.as_posix() for path in jupyter_prefixes(system, [Path("/more")])] == [
        "/v", "/home/a/pipx/venvs/jupyterlab", "/opt/x", "/opt/a place", "/more",
    ]  # fmt: skip


def test_a_venv_of_ones_own_comes_before_the_users_folder():
    """In a virtual environment Jupyter prefers what was registered there; elsewhere the user's."""
    inside = RecordedSystem(files={"/v/pyvenv.cfg": "home = /usr/bin\n"}, environ={"HOME": "/h"})
    kinds = [place.kind for place in kernel_search_path(inside, [Path("/v")], platform="linux")]
    assert kinds[:2] == ["environment", "user"]
    outside = RecordedSystem(environ={"HOME": "/h"})
    kinds = [place.kind for place in kernel_search_path(outside, [Path("/opt/tool")], platform="linux")]
    assert kinds[:2] == ["user", "environment"]
