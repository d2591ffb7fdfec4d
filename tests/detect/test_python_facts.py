"""What is told of the target interpreter, and the environments that go by a name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.detect.recorded_system import RecordedSystem, paper_python, said
from tests.detect.test_python import _line
from torchdoctor.core.system import host_system
from torchdoctor.detect import describe_python, find_python
from torchdoctor.detect.python.describe import parse_description
from torchdoctor.detect.python.facts import abi_of, distributor_of, python_facts
from torchdoctor.detect.python.named_environments import conda_environments, find_environment_by_name
from torchdoctor.errors import EnvironmentUnusable

HOME = "/home/user"


@pytest.mark.parametrize(
    ("changes", "abi"),
    [
        ({}, "cp312"),
        ({"version": "3.13.1", "free_threaded": True}, "cp313t"),
        ({"debug": True}, "cp312d"),
        ({"implementation": "pypy", "version": "3.11.11"}, "pp311"),
        ({"implementation": "graalpy", "version": "3.11.7"}, "graalpy311"),
    ],
)
def test_the_abi_is_that_of_its_extension_modules(changes, abi):
    """Version, free-threading and a debug build show in the tag."""
    assert abi_of(paper_python(**changes)) == abi


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("/home/user/.local/share/uv/python/cpython-3.12.4-linux-x86_64-gnu", "uv"),
        (r"C:\Users\user\AppData\Roaming\uv\python\cpython-3.12.4-windows-x86_64-none", "uv"),
        ("/home/user/.pyenv/versions/3.12.4", "pyenv"),
        (r"C:\Users\user\.pyenv\pyenv-win\versions\3.12.4", "pyenv"),
        (r"C:\Program Files\WindowsApps\PythonSoftwareFoundation.Python.3.12_3.12.1264.0_x64__x", "Microsoft Store"),
        ("/opt/homebrew/opt/python@3.12/Frameworks/Python.framework/Versions/3.12", "Homebrew"),
        ("/Library/Frameworks/Python.framework/Versions/3.12", "python.org"),
        (r"C:\Users\user\AppData\Local\Programs\Python\Python312", "python.org"),
        ("/Library/Developer/CommandLineTools/Library/Frameworks/Python3.framework/Versions/3.9", "Xcode"),
        ("/usr", "the system"),
        ("/srv/tools/python", None),
    ],
)  # fmt: skip
def test_who_made_it_shows_in_its_place(place, name):
    """The folder of the base interpreter; a place that is nobody's is no guess."""
    assert distributor_of(paper_python(base_prefix=Path(place)), conda=False) == name


def test_a_conda_environment_is_known_by_its_records():
    """conda-meta beside the interpreter."""
    system = RecordedSystem(files={"/opt/conda/envs/vision/conda-meta/history": ""})
    python = paper_python(prefix=Path("/opt/conda/envs/vision"), base_prefix=Path("/opt/conda/envs/vision"))
    facts = python_facts(python, system)
    assert facts["python.conda_environment"].value is True
    assert facts["python.distributor"].value == "conda"


@pytest.mark.parametrize(
    ("translated", "state", "value"),
    [(True, "found", True), (False, "found", False), (None, "unknown", None)],
)
def test_rosetta_is_the_processs_own_word(translated, state, value):
    """On a Mac; where it could not ask, that is unknown."""
    fact = python_facts(paper_python(sys_platform="darwin", translated=translated), RecordedSystem())[
        "python.translated"
    ]
    assert (fact.state, fact.value) == (state, value)


def test_the_fields_that_came_later_may_be_missing_or_odd():
    """An answer without them is read; a value of another kind counts as none."""
    odd = parse_description(_line(path="x", user_site=5, translated="no", abi_flags=None, debug=1))
    plain = parse_description(_line())
    assert odd == plain
    assert (plain.path, plain.user_site, plain.translated, plain.abi_flags, plain.debug) == (
        (),
        None,
        None,
        "",
        False,
    )


@pytest.mark.process
def test_the_running_interpreter_tells_its_path():
    """Its own site-packages is on it, and its user site has a place."""
    info = describe_python(host_system(os.environ), sys.executable)
    assert {str(place) for place in info.site_packages} & set(info.path)
    assert info.user_site is not None
    assert info.abi_flags == sys.abiflags


def test_the_stores_alias_is_no_python():
    """Windows' own words, and how to be rid of it."""
    answer = said("", status=49, stderr=(
        "Python was not found; run without arguments to install from the Microsoft Store, or disable this shortcut "
        "from Settings > Apps > Advanced app settings > App execution aliases."
    ))  # fmt: skip
    with pytest.raises(
        EnvironmentUnusable, match="is the alias that Windows has for the Microsoft Store"
    ) as caught:
        describe_python(RecordedSystem(commands={"python.exe": answer}), "python.exe")
    assert caught.value.code == "store-alias"


@pytest.mark.process
@pytest.mark.parametrize("name", ["VIRTUAL_ENV", "CONDA_PREFIX"])
def test_active_is_the_environment_of_this_shell(tmp_path, name):
    """The one that is activated, by either tool's variable."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    system = host_system({**os.environ, "VIRTUAL_ENV": "", "CONDA_PREFIX": "", name: str(tmp_path / "env")})
    assert find_python(system, "active").prefix == tmp_path / "env"


def test_active_without_one_is_told():
    """Not another one in its place."""
    with pytest.raises(EnvironmentUnusable, match="no environment is active"):
        find_python(RecordedSystem(), "active")


def test_an_active_environment_that_is_gone_is_told():
    """The variable outlives the folder."""
    with pytest.raises(EnvironmentUnusable, match="/gone, which VIRTUAL_ENV names,"):
        find_python(RecordedSystem(environ={"VIRTUAL_ENV": "/gone"}), "active")


def _conda(*folders: str, **more: str) -> dict[str, str]:
    files = {f"{folder}/{part}": "" for folder in folders for part in ("bin/python", "conda-meta/history")}
    return {**files, **more}


WORLD = RecordedSystem(
    environ={"HOME": HOME, "PYENV_ROOT": f"{HOME}/.pyenv", "CONDA_EXE": "/srv/conda/bin/conda"},
    files=_conda(
        "/srv/conda", "/srv/conda/envs/vision", f"{HOME}/miniforge3", f"{HOME}/miniforge3/envs/vision",
        "/data/envs/audio",
        **{
            f"{HOME}/.conda/environments.txt": "/data/envs/audio\n\n/data/envs/gone\n",
            f"{HOME}/.pyenv/versions/demo/bin/python": "",
        },
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("vision", "/srv/conda/envs/vision"),
        ("audio", "/data/envs/audio"),
        ("base", "/srv/conda"),
        ("demo", f"{HOME}/.pyenv/versions/demo"),
        ("gone", None),
        ("../vision", None),
        ("", None),
    ],
)
def test_an_environment_goes_by_its_name(name, place):
    """conda's list, the `envs` of the conda in use before another's, then pyenv's."""
    found = find_environment_by_name(WORLD, name)
    assert found == (Path(place) / "bin/python" if place else None)


def test_what_is_not_there_is_told_with_condas_environments():
    """They are among what there is."""
    with pytest.raises(EnvironmentUnusable, match=r"vision \(/srv/conda/envs/vision/bin/python\)"):
        find_python(WORLD, "visoin")


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader_of_condas_list(text):
    """Lines that name nothing are left."""
    system = RecordedSystem(environ={"HOME": HOME}, files={f"{HOME}/.conda/environments.txt": text})
    assert list(conda_environments(system)) == []


@pytest.mark.process
@pytest.mark.parametrize("path", sorted(Path.home().glob(".pyenv/versions/3.*/bin/python")), ids=str)
def test_every_python_of_this_machine_describes_itself(path):
    """From 3.6 on; those that lie here stand for others."""
    info = describe_python(host_system(os.environ), path)
    assert info.version.startswith(path.parts[-3].rpartition(".")[0])
    assert info.path
