"""A torch that would become older or do less: told, and done only where that was asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.specifiers import SpecifierSet

from tests.detect.recorded_system import paper_python
from tests.inventory.site import Environment
from tests.workflows.recorder import Recorder
from torchdoctor.detect import Libc, Machine, Nvidia, NvidiaGpu, Python
from torchdoctor.errors import InstallFailed
from torchdoctor.resolve import Request, resolve
from torchdoctor.resolve.family_order import is_lesser_family
from torchdoctor.workflows.install_model import InstallOptions
from torchdoctor.workflows.lesser_build import confirm_lesser_build, find_lesser_build
from torchdoctor.workflows.target_environment import TargetEnvironment
from wheels_index import bundled

BARE = Machine(
    os="linux", arch="x86_64", python=Python(version="3.12.4"), libc=Libc(name="glibc", version="2.36")
)
OLD_DRIVER = replace(
    BARE, nvidia=Nvidia(driver="535.54.03", gpus=(NvidiaGpu(name="NVIDIA L4", compute_capability="8.9"),))
)


@pytest.fixture
def site(tmp_path):
    """An environment of real files."""
    return Environment(tmp_path / "env")


def lesser(site, plan, machine=BARE, asked=None):
    """What a plan would take from the environment `site`."""
    python = replace(paper_python(), site_packages=(site.site,))
    target = TargetEnvironment(folder=Path("env"), kind="venv", python=python)
    inputs = SimpleNamespace(
        target=target, existing_lock=None, machine=machine, asked=asked or Request()
    )  # what of the inputs is looked at
    options = InstallOptions(folder=Path("env"), cache=Path("cache"))
    return find_lesser_build(options, inputs, plan, bundled())


def plan_of(version, variant):
    request = Request(torch=SpecifierSet(f"=={version}"), variant=variant, allow_cuda_without_gpu=True)
    return resolve(BARE, request, bundled())


@pytest.mark.parametrize(
    ("before", "after", "is_lesser"),
    [
        ("cu130", "cpu", True),
        ("cu130", "cu126", True),
        ("rocm7.2", "rocm6.4", True),
        ("cpu", "cu126", False),
        ("cu126", "cu130", False),
        ("cu130", "rocm7.2", False),
        ("cu130", "cu130", False),
        (None, "cpu", False),
        ("no variant at all", "cpu", False),
    ],
)
def test_a_family_is_less_for_the_cpu_alone_or_for_an_older_toolkit(before, after, is_lesser):
    """Another maker's GPU is another thing, and of an unknown build nothing is said."""
    assert is_lesser_family(before, after) is is_lesser


@pytest.mark.parametrize(
    ("installed", "asked", "options"),
    [
        ("2.9.1+cu128", Request(), "--torch 2.8.0 --variant cpu"),
        ("2.8.0+cu128", Request(), "--variant cpu"),
        ("2.9.1+cpu", Request(), "--torch 2.8.0"),
        ("2.9.1+cpu", Request(torch=SpecifierSet(">=2")), "--torch 2.8.0"),
        ("2.9.1+cu128", Request(variant="cpu"), "--torch 2.8.0"),
        ("2.9.1+cu128", Request(torch=SpecifierSet("==2.8.0")), "--variant cpu"),
        ("2.9.1+cu128", Request(torch=SpecifierSet("<2.9"), variant="cpu"), None),
        ("2.7.0+cpu", Request(), None),
    ],
)
def test_what_is_lost_unasked_is_told_with_the_options_that_ask_for_it(site, installed, asked, options):
    """A version that leaves the installed one out and a named variant are asked for."""
    site.torch(installed)
    found = lesser(site, plan_of("2.8.0", "cpu"), asked=asked)
    assert (found.options if found else None) == options


def test_a_build_that_cannot_use_the_gpu_makes_way_for_any_other(site):
    """The driver is too old for CUDA 13: cu126 is a repair and no loss."""
    site.torch("2.9.1+cu130")
    plan = plan_of("2.8.0", "cu126")
    assert lesser(site, plan, OLD_DRIVER) is None
    assert lesser(site, plan, BARE) is not None


@pytest.mark.parametrize(
    ("answer", "allowed", "assume_yes", "refused"),
    [
        (None, False, False, True),
        (None, False, True, True),
        (True, False, True, True),
        (False, False, False, True),
        (True, False, False, False),
        (None, True, False, False),
    ],
)
def test_without_a_person_or_the_option_nothing_is_changed(site, answer, allowed, assume_yes, refused):
    """Consent to changes, given beforehand, is none to this; the error says how to ask for it."""
    site.torch("2.9.1+cu128")
    found = lesser(site, plan_of("2.8.0", "cpu"))
    report = Recorder(answer=answer)
    if not refused:
        confirm_lesser_build(found, report, allowed=allowed, assume_yes=assume_yes)
    else:
        with pytest.raises(InstallFailed) as raised:
            confirm_lesser_build(found, report, allowed=allowed, assume_yes=assume_yes)
        assert (raised.value.code, raised.value.exit_status) == ("downgrade", 5)
        assert "torchdoctor install env --torch 2.8.0 --variant cpu" in str(raised.value.fix)
        assert "torch 2.9.1+cu128, and what fits and can be had is torch 2.8.0+cpu" in str(raised.value)
    could_be_taken = allowed or (answer is not None and not assume_yes)
    assert len(report.warnings) == could_be_taken


@pytest.mark.parametrize(("answer", "refused"), [(None, True), (True, False), (False, False)])
def test_a_dry_run_asks_nobody_and_is_refused_where_the_run_would_be(site, answer, refused):
    """On a terminal the run would ask, so it shows the changes with a warning."""
    site.torch("2.9.1+cu128")
    found, report = lesser(site, plan_of("2.8.0", "cpu")), Recorder(answer=answer)
    if refused:
        with pytest.raises(InstallFailed):
            confirm_lesser_build(found, report, allowed=False, assume_yes=False, dry_run=True)
    else:
        confirm_lesser_build(found, report, allowed=False, assume_yes=False, dry_run=True)
        assert len(report.warnings) == 1
    assert report.questions == []
