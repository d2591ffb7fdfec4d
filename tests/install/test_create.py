"""A new environment is built next to its place and renamed into it, or nothing is left of it."""

from __future__ import annotations

import hashlib
import os
import sys

import pytest

from tests.install import killing
from tests.wheelmaker import make_wheel
from torchdoctor.core.system import host_system
from torchdoctor.detect import describe_python
from torchdoctor.errors import InstallFailed
from torchdoctor.fetch import FetchedWheel, Wheelhouse
from torchdoctor.install import create_environment, update_environment
from torchdoctor.install.model import InstallContext
from torchdoctor.install.record import read_record
from torchdoctor.install.wheel_layout import glob_site_packages
from torchdoctor.lock import LockedWheel

pytestmark = pytest.mark.process


@pytest.fixture
def context(tmp_path):
    (tmp_path / "run").mkdir()
    return InstallContext(
        python=describe_python(host_system(os.environ), sys.executable),
        run_dir=tmp_path / "run",
        lock_dir=tmp_path / "locks",
        environ=os.environ,
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "envs").mkdir()
    return tmp_path / "envs" / "env"


@pytest.fixture
def fetched(tmp_path):
    """Returns a fetched wheel of a name and version."""

    def fetched(name, version="1.0", **more):
        filename, content = make_wheel(name, version, tag="py3-none-any", **more)
        (tmp_path / filename).write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        locked = LockedWheel(
            name=name, version=version, filename=filename, url="", sha256=sha256, size=len(content)
        )
        return FetchedWheel(
            wheel=locked,
            path=tmp_path / filename,
            sha256=sha256,
            size=len(content),
            source="",
            first_seen=False,
        )

    return fetched


def installed(folder):
    """Return the packages in an environment."""
    return sorted(path.name for site in glob_site_packages(folder) for path in site.glob("*.dist-info"))


def test_an_environment_is_built_from_wheels_that_come_one_by_one(folder, context, fetched):
    """Those that were not added are installed at the end, and all have bytecode."""
    first, second = fetched("first"), fetched("second")
    with create_environment(folder, "new", context) as builder:
        builder.start()
        builder.add(first)
        environment = builder.finish(Wheelhouse(wheels=(first, second)), None)
    assert installed(folder) == ["first-1.0.dist-info", "second-1.0.dist-info"]
    assert environment.created
    assert len(list(folder.glob("lib/python*/site-packages/*/__pycache__/version.*.pyc"))) == 2
    assert [entry["name"] for entry in read_record(folder)["files"]] == ["first", "second"]
    assert killing.left_over(folder.parent) == []


def test_a_wheel_that_was_left_out_meanwhile_is_not_there(folder, context, fetched):
    """The environment is built again without it."""
    with create_environment(folder, "new", context) as builder:
        builder.start()
        builder.add(fetched("unwanted"))
        builder.finish(Wheelhouse(wheels=(fetched("wanted"),)), None)
    assert installed(folder) == ["wanted-1.0.dist-info"]


def test_nothing_is_left_of_an_environment_that_is_not_finished(folder, context, fetched):
    """Whatever ends the run."""

    def interrupted():
        with create_environment(folder, "new", context) as builder:
            builder.start()
            builder.add(fetched("first"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(folder.parent.iterdir()) == []


def test_a_second_run_is_refused(folder, context):
    """Before anything is unpacked."""
    with create_environment(folder, "new", context) as builder:
        builder.start()
        with create_environment(folder, "new", context) as other, pytest.raises(InstallFailed) as caught:
            other.start()
    assert caught.value.code == "busy"


def test_an_update_keeps_other_packages_and_is_refused_when_it_breaks_them(folder, context, fetched):
    """The environment is as it was then."""
    with create_environment(folder, "new", context) as builder:
        builder.finish(Wheelhouse(wheels=(fetched("lib"), fetched("user", requires=("lib<2",)))), None)
    python = describe_python(host_system(os.environ), folder / "bin" / "python")
    own = InstallContext(
        python=python, run_dir=context.run_dir, lock_dir=context.lock_dir, environ=os.environ
    )
    update_environment(Wheelhouse(wheels=(fetched("lib", "1.5"),)), folder, own)
    assert installed(folder) == ["lib-1.5.dist-info", "user-1.0.dist-info"]
    with pytest.raises(InstallFailed) as caught:
        update_environment(Wheelhouse(wheels=(fetched("lib", "2.0"),)), folder, own)
    assert caught.value.code == "conflict"
    assert installed(folder) == ["lib-1.5.dist-info", "user-1.0.dist-info"]
    assert killing.left_over(folder.parent) == []
