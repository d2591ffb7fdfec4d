"""The stages as functions for Python programs: each takes what the stage before returned, and prints nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.bench import BenchReport
    from torchdoctor.core.progress import Reporter
    from torchdoctor.detect import Detection, Machine
    from torchdoctor.diagnose import Diagnosis
    from torchdoctor.doctor import CheckUp, InspectOptions
    from torchdoctor.resolve import Plan, Request
    from torchdoctor.verify import VerifyReport
    from torchdoctor.workflows import InstallOptions, InstallResult

__all__ = ["bench", "checkup", "detect", "diagnose", "install", "resolve", "verify"]


def detect(python: str | None = None, *, environ: Mapping[str, str] | None = None) -> Detection:
    """Return the `Machine` and every fact with its source, in well under a second and without torch.

    `python` is what `--python` takes: a path, an environment, a version; by default the base interpreter of the one
    that runs this. Raises `EnvironmentUnusable` when there is no such interpreter.
    """
    from torchdoctor import detect as stage
    from torchdoctor.core.system import host_system

    system = host_system(os.environ if environ is None else environ)
    return stage.detect(system, python=stage.find_python(system, python))


def resolve(machine: Machine, request: Request | None = None) -> Plan:
    """Choose the build that fits a machine, this one or any other, without a look at this machine or the network.

    The answer is based on the releases that torchdoctor knows. Raises `NoSolution` with the reasons when no build
    fits.
    """
    from torchdoctor.resolve import Request as PlanRequest
    from torchdoctor.resolve import resolve as resolve_from_facts

    return resolve_from_facts(machine, request or PlanRequest())


def install(options: InstallOptions, *, reporter: Reporter | None = None) -> InstallResult:
    """Run the pipeline: detect, resolve, lock, fetch, install, register a kernel, verify.

    `reporter` gets the progress and is asked for consent. Without one nobody is asked and what needs consent is
    refused; `options.assume_yes` gives consent beforehand. Raises a `TorchdoctorError` for every failure; an
    environment that existed before is then unchanged.
    """
    from torchdoctor.core.progress import SilentReporter
    from torchdoctor.core.system import host_system
    from torchdoctor.workflows import run_install

    return run_install(options, system=host_system(os.environ), report=reporter or SilentReporter())


def verify(environment: Path | str, *, quick: bool = False) -> VerifyReport:
    """Check that PyTorch works in an environment (its folder, or an interpreter), with the environment's interpreter.

    It may be another user's, unless this is the administrator. Raises `EnvironmentUnusable` when that interpreter does
    not run.
    """
    from torchdoctor import verify as stage
    from torchdoctor.core.system.environment_trust import trust_what_was_named

    trust_what_was_named(_interpreter(environment))
    return stage.verify(_interpreter(environment), quick=quick)


def bench(environment: Path | str, *, device: str | None = None) -> BenchReport:
    """Measure the speed of an environment on its best device, or on the named one.

    Raises `EnvironmentUnusable` when the environment's interpreter does not run, `UsageError` for an unknown device.
    """
    from torchdoctor.bench import bench as measure
    from torchdoctor.core.system.environment_trust import trust_what_was_named

    trust_what_was_named(_interpreter(environment))
    return measure(_interpreter(environment), device=device)


def checkup(environment: Path | str, *, how: InspectOptions | None = None) -> tuple[CheckUp, Diagnosis]:
    """Return what `torchdoctor doctor` sees of this machine and an environment, and its diagnosis: causes first.

    Each finding has its fix. Raises `EnvironmentUnusable` when the environment's interpreter does not run, or when
    this user has no home folder and neither TORCHDOCTOR_CACHE_DIR nor TORCHDOCTOR_DATA_DIR is set.
    """
    from torchdoctor.core.fs.user_folders import user_folders
    from torchdoctor.core.progress import SilentReporter
    from torchdoctor.core.system import host_system
    from torchdoctor.doctor import InspectOptions
    from torchdoctor.workflows import DoctorOptions, run_doctor

    result = run_doctor(
        _interpreter(environment),
        DoctorOptions(inspection=how or InspectOptions()),
        system=host_system(os.environ),
        folders=user_folders(os.environ),
        report=SilentReporter(),
    )
    return result.check_up, result.diagnosis


def diagnose(text: str) -> Diagnosis:
    """Say what is wrong from a pasted report, log or traceback alone, without a look at this machine."""
    from torchdoctor.diagnose import diagnose_text

    return diagnose_text(text)


def _interpreter(environment: Path | str) -> Path:
    from torchdoctor.install.location import interpreter_of

    path = Path(environment).expanduser()
    return path.absolute() if path.is_file() else interpreter_of(path.absolute())
