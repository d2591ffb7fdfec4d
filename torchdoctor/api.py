"""The stages as functions, for Python programs: each takes what the one before gave, and prints nothing."""

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
    from torchdoctor.resolve.model import Plan, Request
    from torchdoctor.verify import VerifyReport
    from torchdoctor.workflows.install import InstallOptions, InstallResult

__all__ = ["bench", "checkup", "detect", "diagnose", "install", "resolve", "verify"]


def detect(python: str | None = None, *, environ: Mapping[str, str] | None = None) -> Detection:
    """Look at this machine: the `Machine` and every fact with its source, in well under a second, without torch.

    `python` is what `--python` takes: a path, an environment, a version; by default the base interpreter of
    the one that runs this. Raises `EnvironmentUnusable` when there is no such interpreter.
    """
    from torchdoctor import detect as stage
    from torchdoctor.core.system import host_system

    system = host_system(os.environ if environ is None else environ)
    return stage.detect(system, python=stage.find_python(system, python))


def resolve(machine: Machine, request: Request | None = None) -> Plan:
    """Choose the build that fits a machine, this one or any other; touches neither machine nor network.

    The answer rests on the facts that came with torchdoctor. Raises `NoSolution`, which says what stands
    in the way, when nothing fits.
    """
    from torchdoctor.resolve.model import Request as Asked
    from torchdoctor.resolve.offline import resolve_offline

    return resolve_offline(machine, request or Asked())


def install(options: InstallOptions, *, reporter: Reporter | None = None) -> InstallResult:
    """Run the whole line: detect, resolve, lock, fetch, install, kernel, verify.

    `reporter` hears of progress and is asked for consent; without one nobody is asked, and what needs consent is
    refused. Every failure is a `TorchdoctorError` and leaves what was there before as it was.
    """
    from torchdoctor.core.progress import SilentReporter
    from torchdoctor.core.system import host_system
    from torchdoctor.workflows.install import install as run

    return run(options, system=host_system(os.environ), report=reporter or SilentReporter())


def verify(environment: Path | str, *, quick: bool = False) -> VerifyReport:
    """Prove that PyTorch works in an environment (its folder, or an interpreter), by its own interpreter."""
    from torchdoctor import verify

    return verify.verify(_interpreter(environment), quick=quick)


def bench(environment: Path | str, *, device: str | None = None) -> BenchReport:
    """Measure an environment on its best device, or on the one named."""
    from torchdoctor.bench import bench

    return bench(_interpreter(environment), device=device)


def checkup(environment: Path | str, *, how: InspectOptions | None = None) -> tuple[CheckUp, Diagnosis]:
    """Look at this machine and an environment, and judge what was seen: causes first, each with its fix."""
    from torchdoctor.core.system import host_system
    from torchdoctor.detect import describe_python
    from torchdoctor.diagnose.engine import diagnose
    from torchdoctor.doctor import InspectOptions, inspect
    from torchdoctor.doctor.evidence import evidence_from
    from torchdoctor.doctor.live_signs import live_rules
    from wheels_index import bundled

    system = host_system(os.environ)
    seen = inspect(
        system,
        describe_python(system, _interpreter(environment)),
        here=Path.cwd(),
        cache=Path.home(),
        index=bundled(),
        how=how or InspectOptions(),
    )
    return seen, diagnose(evidence_from(seen), rules=live_rules())


def diagnose(text: str) -> Diagnosis:
    """Say what is wrong from a pasted report, log or traceback alone; nothing of this machine is looked at."""
    from torchdoctor.diagnose.engine import diagnose_text

    return diagnose_text(text)


def _interpreter(environment: Path | str) -> Path:
    from torchdoctor.install.location import interpreter_of

    place = Path(environment).expanduser()
    return place.absolute() if place.is_file() else interpreter_of(place.absolute())
