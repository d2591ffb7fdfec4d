"""A lock and what is installed decide what is fetched."""

from __future__ import annotations

import hashlib

import pytest
from packaging.version import Version

from tests.wheelmaker import make_wheel
from tests.workflows.recorder import Recorder
from torchdoctor.errors import InstallFailed
from torchdoctor.lock import Lock, LockedWheel
from torchdoctor.lock.model import LockRequest
from torchdoctor.resolve import Plan, PlannedPackage
from torchdoctor.sources import order_sources
from torchdoctor.workflows.acquire import fetch_lock
from torchdoctor.workflows.acquire_model import AcquireContext

PLAN = Plan(
    variant="cpu",
    index_url="",
    packages=tuple(
        PlannedPackage(name=name, version=Version("1.0"), known="live", wheel=None, source=None)
        for name in ("torch", "torchvision")
    ),
    reasons=(),
)


@pytest.fixture
def context(tmp_path):
    """A function that gives the context of a run that has these versions installed."""

    def make(installed=None, reinstall=()):
        request = LockRequest(
            python=tmp_path / "python",
            sources=order_sources(offline=True),
            environ={},
            installed=installed or {},
            offline=True,
        )
        run_dir = tmp_path / "run"
        run_dir.mkdir()
        return AcquireContext(
            lock_request=request, cache=tmp_path / "cache", run_dir=run_dir, reinstall=frozenset(reinstall)
        )

    return make


@pytest.fixture
def locked(tmp_path):
    """A function that gives a wheel on this disk as a lock has it."""

    def make(project, built="1.0+cpu"):
        name, content = make_wheel(project, "1.0", built=built)
        (tmp_path / name).write_bytes(content)
        return LockedWheel(
            name=project,
            version="1.0",
            filename=name,
            url=(tmp_path / name).as_uri(),
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
        )

    return make


def _names(acquired):
    return [fetched.wheel.name for fetched in acquired.wheelhouse.wheels]


def test_the_files_of_a_lock_are_fetched_after_consent(context, locked):
    """The lock is shown before anything is fetched, and each file is passed on."""
    lock, seen, files = Lock(wheels=(locked("torch"), locked("torchvision"))), [], []
    report = Recorder()
    acquired = fetch_lock(context(), PLAN, lock, report, seen.append, files.append)
    assert (seen, _names(acquired)) == ([lock], ["torch", "torchvision"])
    assert {fetched.wheel.name for fetched in files} == {"torch", "torchvision"}
    assert report.stages["fetch"].startswith("2 files")


def test_what_is_installed_is_not_fetched_again(context, locked):
    """Unless it is named as one to reinstall."""
    lock = Lock(wheels=(locked("torch"), locked("torchvision")))
    installed = {"torch": "1.0", "torchvision": "1.0"}
    acquired = fetch_lock(context(installed, ["torch"]), PLAN, lock, Recorder(), lambda _: None)
    assert _names(acquired) == ["torch"]


def test_torch_says_of_which_variant_a_lock_is(context, locked):
    """Where the lock does not: another tool has made it."""
    lock = Lock(wheels=(locked("torch", "1.0+cu126"), locked("torchvision", "1.0+cu126")))
    acquired = fetch_lock(context(), PLAN, lock, Recorder(), lambda _: None)
    assert acquired.plan.variant == "cu126"


def test_a_lock_of_two_builds_is_refused(context, locked):
    """Nothing of it is installed."""
    lock = Lock(wheels=(locked("torch"), locked("torchvision", "1.0+cu126")), variant="cpu")
    with pytest.raises(InstallFailed) as refused:
        fetch_lock(context(), PLAN, lock, Recorder(), lambda _: None)
    assert refused.value.code == "foreign-build"
