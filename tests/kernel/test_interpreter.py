"""What the command of a kernel runs, and what is installed there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.detect.recorded_system import RecordedSystem
from torchdoctor.kernel.interpreter import (
    package_folders,
    package_version,
    prefix_of,
    python_in,
    resolve_kernel_command,
    torch_version_and_variant,
)

PREFIX = Path("/envs/a")
SITE = "/envs/a/lib/python3.11/site-packages"


def system(*paths, environ=None, **texts):
    """A system with these files; `texts` have a text by the last part of their path."""
    return RecordedSystem(
        files={path: texts.get(Path(path).stem, "") for path in paths}, environ=environ or {}
    )


def test_condas_link_is_no_second_package_folder():
    """`lib/python3.1` is a link to `lib/python3.11`."""
    alias = SITE.replace("python3.11", "python3.1")
    files = (f"{SITE}/numpy/version.py", f"{alias}/numpy/version.py", "/envs/a/pyvenv.cfg")
    assert package_folders(system(*files), PREFIX) == (Path(SITE),)


def test_a_venv_sees_the_packages_of_its_base_only_if_it_says_so():
    """And PYTHONPATH of the kernel comes first."""
    base = "/usr/lib/python3/dist-packages"
    files = (f"{SITE}/x.py", f"{base}/y.py", "/envs/a/pyvenv.cfg")
    closed = system(*files, pyvenv="home = /usr/bin\ninclude-system-site-packages = false\n")
    opened = system(*files, pyvenv="home = /usr/bin\ninclude-system-site-packages = true\n")
    assert package_folders(closed, PREFIX) == (Path(SITE),)
    assert package_folders(opened, PREFIX) == (Path(SITE), Path(base))
    assert package_folders(closed, PREFIX, [("PYTHONPATH", "/mine")])[0] == Path("/mine")


@pytest.mark.parametrize("name", ["bin/python", "bin/python3", "Scripts/python.exe", "python.exe"])
def test_the_python_of_an_environment_is_found(name):
    """On every system, and in conda's environments on Windows."""
    assert python_in(system(f"/envs/a/{name}"), PREFIX) == PREFIX / name
    assert prefix_of(PREFIX / name) == PREFIX


def test_a_command_that_is_only_python_runs_jupyters_own():
    """Wherever another python is on PATH."""
    files = system("/envs/a/bin/python", "/usr/bin/python", environ={"PATH": "/usr/bin"})
    command = resolve_kernel_command(files, "python", PREFIX)
    assert (command.program, command.jupyters_own) == (PREFIX / "bin/python", True)


def test_another_program_is_looked_up_on_path():
    """One that is not there has no program."""
    files = system("/usr/bin/julia", environ={"PATH": "/bin:/usr/bin"})
    found = resolve_kernel_command(files, "julia", None)
    assert (found.program, found.is_python) == (Path("/usr/bin/julia"), False)
    assert resolve_kernel_command(files, "/opt/python3.12", None).program is None
    assert resolve_kernel_command(files, "/opt/python3.12", None).is_python


def test_versions_are_read_from_the_names_of_metadata_folders():
    """An egg-info of an old setuptools counts, another package of a longer name does not."""
    folders = [Path(SITE)]
    assert package_version(system(f"{SITE}/numpy-1.0.dist-info/METADATA"), folders, "numpy") == "1.0"
    assert package_version(system(f"{SITE}/numpy-2.0-py3.11.egg-info/PKG-INFO"), folders, "numpy") == "2.0"
    assert package_version(system(f"{SITE}/numpy-extras-1.0.dist-info/METADATA"), folders, "numpy") is None


def test_the_variant_of_torch_is_in_its_version_file():
    """Else in its version."""
    metadata = f"{SITE}/torch-2.13.0+cu130.dist-info/METADATA"
    assert torch_version_and_variant(system(metadata), [Path(SITE)]) == ("2.13.0+cu130", "cu130")
    plain = system(
        f"{SITE}/torch-2.13.0.dist-info/METADATA",
        f"{SITE}/torch/version.py",
        version="__version__ = '2.13.0+cpu'\n",
    )
    assert torch_version_and_variant(plain, [Path(SITE)]) == ("2.13.0", "cpu")
    assert torch_version_and_variant(system(), [Path(SITE)]) == (None, None)
