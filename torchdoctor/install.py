"""The whole line in order: detect, resolve, lock, fetch, install, kernel, verify."""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from torchdoctor import environment, kernel, proof
from torchdoctor.errors import InstallFailed, NoSolution, SourceFailed, UsageError
from torchdoctor.fetch import FetchProgress, digest_of, fetch
from torchdoctor.index_store import known_index
from torchdoctor.lock import lock, locked_wheel
from torchdoctor.machine import describe_python, detect, find_python, supported_tags
from torchdoctor.net import get_page
from torchdoctor.newer import rank_with_newer
from torchdoctor.plan import LeftOut, Plan, Request
from torchdoctor.resolve import choose
from torchdoctor.sources.built import built_variant
from torchdoctor.sources.order import sources_in_order
from torchdoctor.sources.settings import read_settings
from torchdoctor.sources.shelf import SourceShelf, local_path
from torchdoctor.sources.source import OFFICIAL
from torchdoctor.urls import redacted
from wheels_index import bundled, variant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.tags import Tag

    from torchdoctor.environment import Environment
    from torchdoctor.fetch import FetchedWheel, Wheelhouse
    from torchdoctor.kernel import Kernel
    from torchdoctor.lock import Lock
    from torchdoctor.machine import Detection, Machine, PythonInfo, World
    from torchdoctor.plan import PlannedPackage, Ranking
    from torchdoctor.proof import CheckResult, VerifyReport
    from torchdoctor.sources.order import Sources
    from torchdoctor.sources.source import Source
    from wheels_index import Snapshot, Wheel

__all__ = [
    "InstallOptions",
    "InstallResult",
    "Reporter",
    "SourceOptions",
    "decide",
    "gather_sources",
    "install",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceOptions:
    """Where to look, as the options say."""

    index_url: str | None = None
    find_links: tuple[str, ...] = ()
    mirror: str | None = None
    offline: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallOptions:
    """What `install` was asked to do. `extras` are requirement lines besides torch and its companions."""

    folder: Path
    cache: Path
    data: Path | None = None
    python: str | None = None
    request: Request = field(default_factory=Request)
    sources: SourceOptions = field(default_factory=SourceOptions)
    extras: tuple[str, ...] = ()
    kernel_name: str | None = None
    display_name: str | None = None
    overwrite_kernel: bool = False
    verify: bool = True
    dry_run: bool = False


class Reporter(FetchProgress, Protocol):
    """What the line tells while it works. A reporter never decides anything but `confirm`."""

    def stage(self, name: str, text: str) -> None:
        """A stage is done: what was decided and why."""

    def note(self, text: str) -> None:
        """Something worth knowing on the way."""

    def detail(self, text: str) -> None:
        """Something for those who asked for more."""

    def warn(self, text: str) -> None:
        """Something the user should know before relying on the result."""

    def waiting(self, what: str, seconds: float) -> None:
        """Still at it after so many seconds."""

    def check(self, result: CheckResult) -> None:
        """One check of verify is done."""

    def confirm(self, question: str) -> bool:
        """Ask; False where nobody can answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallResult:
    """What came out; the later parts are None when the line was asked to stop before them."""

    detection: Detection
    plan: Plan
    lock: Lock | None = None
    wheelhouse: Wheelhouse | None = None
    environment: Environment | None = None
    kernel: Kernel | None = None
    verification: VerifyReport | None = None

    @property
    def exit_status(self) -> int:
        """0 when all that was asked for is there and passed, 1 when verify found a problem."""
        return 1 if self.verification is not None and not self.verification.passed else 0


def install(options: InstallOptions, *, world: World, report: Reporter) -> InstallResult:
    """Run the line; every failure is a `TorchdoctorError` and leaves what was there before as it was."""
    state = environment.examine(options.folder)
    python = _interpreter(options, state, world)
    with ThreadPoolExecutor(1) as beside:
        asked = beside.submit(gather_sources, options.sources, world, python, report)
        detection = detect(world, python=python)
        report.stage("detect", detection.summary())
        sources = asked.result()
    plan, sources = decide(
        options.request, options.sources, detection.machine, sources, report, data=options.data
    )
    if options.dry_run:
        return InstallResult(detection=detection, plan=plan)
    with tempfile.TemporaryDirectory(prefix="torchdoctor-") as work:
        plan, locked, house = _bring(options, plan, python, sources, Path(work), world, report)
        made = _put(options, locked, house, python, Path(work), world, report)
    registered = _register(options, made, plan, world, report)
    verification = _verify(made, report) if options.verify else None
    return InstallResult(
        detection=detection,
        plan=plan,
        lock=locked,
        wheelhouse=house,
        environment=made,
        kernel=registered,
        verification=verification,
    )


def _interpreter(options: InstallOptions, state: environment.State, world: World) -> PythonInfo:
    """The environment's own interpreter where there is one, else the one asked for or that runs this."""
    if state != "venv":
        return find_python(world, options.python)
    inside = describe_python(world, environment.interpreter_of(options.folder))
    if options.python is not None:
        asked = find_python(world, options.python)
        if asked.version != inside.version:
            raise UsageError(
                f"{options.folder} has Python {inside.version}, and --python asks for {asked.version}",
                fix="leave out --python, or name another folder: torchdoctor install ENV",
            )
    return inside


def gather_sources(options: SourceOptions, world: World, python: PythonInfo, report: Reporter) -> Sources:
    """Every source in order: the options', the official index, pip's and uv's settings, PyPI."""
    settings = read_settings(world, pythons=(python.executable, Path(sys.executable)), folder=Path.cwd())
    for row in settings:
        report.detail(f"{row.origin}: {redacted(row.place)} is handed to uv, which does not read it itself")
    return sources_in_order(
        index_url=options.index_url,
        find_links=options.find_links,
        mirror_name=options.mirror,
        configured=settings,
        offline=options.offline,
    )


def decide(
    request: Request,
    options: SourceOptions,
    machine: Machine,
    sources: Sources,
    report: Reporter,
    *,
    data: Path | None = None,
) -> tuple[Plan, Sources]:
    """The plan over what the sources in reach really have, and the sources less those out of reach.

    `data` is the user's data folder, where `index update` keeps what it saw. A release newer than all that
    is known is taken up from the page of the first source that has the variant.
    """
    snapshot = known_index(data, report.note) if data is not None else bundled()
    shelves = [
        SourceShelf(source=source, on_unreachable=lambda source, why: report.note(_unreached(source, why)))
        for source in sources.torch
    ]
    ranking, snapshot = rank_with_newer(
        machine,
        request,
        snapshot,
        shelves,
        today=datetime.now(timezone.utc).date().isoformat(),
        requires=lambda shelf, wheels: {} if options.offline else _requires(shelf, wheels, snapshot, report),
    )
    tags = supported_tags(machine)
    plan = choose(ranking, shelves, machine=machine, request=request, snapshot=snapshot, tags=tags)
    if plan is None:
        plan = _last_resort(ranking, shelves, machine, request, snapshot, tags, report, options)
    plan = _with_known_hashes(_with_accelerator_wheels(plan, shelves, tags), snapshot)
    _tell(plan, report)
    return plan, sources.without(row.source.url for row in shelves if row.failure)


def _requires(
    shelf: SourceShelf, wheels: Sequence[Wheel], snapshot: Snapshot, report: Reporter
) -> dict[str, tuple[str, ...]]:
    """What the companions of a release that is not known yet declare of torch."""
    from torchdoctor.index_update import declared_by

    notes: list[str] = []
    found = declared_by(wheels, snapshot, base=shelf.source.url, read=get_page, notes=notes)
    for text in notes:
        report.detail(text)
    return found


def _unreached(source: Source, why: str) -> str:
    return why if source.name in why else f"{source.name}: {why}"


def _last_resort(
    ranking: Ranking,
    shelves: Sequence[SourceShelf],
    machine: Machine,
    request: Request,
    snapshot: Snapshot,
    tags: Sequence[Tag],
    report: Reporter,
    options: SourceOptions,
) -> Plan:
    """A CUDA build on a machine that cannot use it, with the user's word for it; else the reason for nothing."""
    consenting = replace(request, cuda_on_cpu=True)
    plan = choose(ranking, shelves, machine=machine, request=consenting, snapshot=snapshot, tags=tags)
    if plan is None:
        raise _nowhere(ranking, shelves, options)
    if request.cuda_on_cpu:
        return plan
    torch = plan.torch
    size = f"{torch.wheel.size / 1e6:.0f} MB and " if torch.wheel and torch.wheel.size else ""
    what = (
        f"no source in reach has a CPU build of torch for this Python; {torch.source} has torch {torch.version}, "
        f"a {plan.variant} build: {size}several GB of CUDA packages that this machine cannot use"
    )
    if report.confirm(f"{what}. Install it all the same?"):
        return plan
    raise NoSolution(
        what,
        fix="take it all the same with --yes, or name a source of CPU builds with --index-url, "
        "--mirror or --find-links",
        kind="cuda-build-for-cpu",
    )


def _nowhere(
    ranking: Ranking, shelves: Sequence[SourceShelf], options: SourceOptions
) -> NoSolution | SourceFailed:
    best = ranking.candidates[0]
    failed = [shelf.name for shelf in shelves if shelf.failure]
    asked = ", ".join(shelf.name for shelf in shelves) or "none (--offline leaves only folders)"
    message = f"no source in reach has torch {best.torch} or an older release as a {best.variant} build"
    if failed or options.offline:
        return SourceFailed(
            f"{message}; asked: {asked}; out of reach: {', '.join(failed) or 'all but folders'}",
            fix="check the network and the proxy settings, try `--mirror nju`, or name a folder with --find-links",
            kind="no-source",
        )
    return NoSolution(
        f"{message} for this Python; asked: {asked}",
        fix="ask for another release with --torch, or another Python with --python",
        kind="no-wheel",
    )


def _with_accelerator_wheels(plan: Plan, shelves: Sequence[SourceShelf], tags: Sequence[Tag]) -> Plan:
    """Add what only the PyTorch index has, such as triton for ROCm, so that it comes from there alone."""
    names = variant(plan.variant).accelerator_packages
    if not names:
        return plan
    supported = frozenset(tags)
    shelf = next(row for row in shelves if row.name == plan.torch.source)
    wheels = tuple(
        wheel
        for name in names
        for wheel in shelf.wheels(name, plan.variant)
        if not wheel.yanked and wheel.tags & supported
    )
    return replace(plan, accelerator_wheels=wheels)


def _with_known_hashes(plan: Plan, snapshot: Snapshot) -> Plan:
    return replace(plan, packages=tuple(_with_known_hash(row, plan, snapshot) for row in plan.packages))


def _with_known_hash(row: PlannedPackage, plan: Plan, snapshot: Snapshot) -> PlannedPackage:
    """A file named as an official build must be that build; a folder's files are hashed where they lie.

    Only names with a build tag are held to the official hash: without one the same name stands for other
    bytes on PyPI.
    """
    wheel = row.wheel
    if wheel is None:
        return row
    known = None
    if wheel.version.local is not None:
        release = snapshot.release(plan.torch.version)
        known = next((w.sha256 for w in release.wheels if w.filename == wheel.filename and w.sha256), None)
    found = wheel.sha256
    if found is None and known is None and wheel.url is not None and wheel.url.startswith("file:"):
        found = digest_of(local_path(wheel.url))
    if found is not None and known is not None and found != known and row.source == OFFICIAL.name:
        raise SourceFailed(
            f"{row.source} lists {wheel.filename} with SHA-256 {found[:16]}…, and {known[:16]}… was recorded for it",
            fix="report this to the PyTorch project before installing it",
            kind="hash-conflict",
        )
    return replace(row, wheel=replace(wheel, sha256=found or known))


def _tell(plan: Plan, report: Reporter) -> None:
    by_source: dict[str, list[str]] = {}
    for row in plan.packages:
        by_source.setdefault(row.source or "?", []).append(f"{row.name} {row.version}")
    served = "; ".join(f"{', '.join(names)} from {source}" for source, names in by_source.items())
    report.stage("resolve", f"{served}: {'; '.join(plan.reasons)}")
    for rejected in plan.rejected:
        report.detail(f"not {rejected.variant}: {rejected.because}")
    for text in plan.warnings:
        report.warn(text)
    for left in plan.left_out:
        report.warn(f"{left.name} is left out: {left.because}")


def _bring(
    options: InstallOptions,
    plan: Plan,
    python: PythonInfo,
    sources: Sources,
    work: Path,
    world: World,
    report: Reporter,
) -> tuple[Plan, Lock, Wheelhouse]:
    """Lock and fetch; a companion that turns out to be of another build is left out and the rest locked anew."""
    for attempt in range(1 + len(plan.packages)):
        folder = work / f"lock-{attempt}"
        folder.mkdir()
        ahead = _ahead(options, plan, report)
        started = time.monotonic()
        locked = lock(
            plan,
            python=python.executable,
            sources=sources,
            extras=options.extras,
            constraints=plan.constraints,
            folder=folder,
            environ=world.environ,
            held={row.wheel.filename: row.path for row in ahead},
            offline=options.sources.offline,
            on_wait=lambda seconds: report.waiting("lock", seconds),
        )
        report.stage("lock", f"{len(locked.wheels)} packages in {time.monotonic() - started:.1f} s (PEP 751)")
        house = fetch(
            locked.wheels,
            cache=options.cache / "wheels",
            progress=report,
            offline=options.sources.offline,
            held=ahead,
        )
        _tell_fetched(house, report)
        foreign = _foreign_build(plan, house)
        if foreign is None:
            return plan, locked, house
        plan = _without(plan, foreign, options.request, report)
    raise AssertionError("every companion was left out and one is still foreign")


def _ahead(options: InstallOptions, plan: Plan, report: Reporter) -> tuple[FetchedWheel, ...]:
    """Fetch before locking what has no metadata beside it: uv would read the whole file only for that."""
    wheels = [row.wheel for row in plan.packages if row.wheel is not None]
    needed = [locked_wheel(w) for w in wheels if not w.has_metadata and not (w.url or "").startswith("file:")]
    if not needed:
        return ()
    return fetch(
        needed, cache=options.cache / "wheels", progress=report, offline=options.sources.offline
    ).wheels


def _tell_fetched(house: Wheelhouse, report: Reporter) -> None:
    by_source: dict[str, list[int]] = {}
    for row in house.wheels:
        place = row.source if "://" not in row.source else row.source.split("/")[2]
        by_source.setdefault(place, []).append(row.size)
    total = sum(row.size for row in house.wheels)
    parts = (f"{len(sizes)} from {place}" for place, sizes in sorted(by_source.items()))
    report.stage(
        "fetch", f"{len(house.wheels)} files, {total / 1e6:.1f} MB, hashes checked: {', '.join(parts)}"
    )
    for row in house.wheels:
        report.detail(f"{row.wheel.filename} from {row.source}, SHA-256 {row.sha256}")
        if row.first_seen:
            report.note(f"no index gives a hash for {row.wheel.filename}; recorded {row.sha256}")


def _foreign_build(plan: Plan, house: Wheelhouse) -> tuple[str, str] | None:
    """The name and build of a package that is not of the plan's variant, by its own version.py."""
    planned = {row.name for row in plan.packages}
    for row in house.wheels:
        if row.wheel.name in planned:
            built = built_variant(row.path, row.wheel.name)
            if built is not None and built != plan.variant:
                return row.wheel.name, built
    return None


def _without(plan: Plan, foreign: tuple[str, str], request: Request, report: Reporter) -> Plan:
    name, built = foreign
    because = f"its file is a {built} build, and this environment is {plan.variant}"
    if name == "torch" or name in request.required:
        raise InstallFailed(
            f"{name} cannot be installed: {because}",
            fix=f"name a source that has {name} as a {plan.variant} build, or ask for `--variant {built}`",
            kind="foreign-build",
        )
    report.warn(f"{name} is left out: {because}")
    return replace(
        plan,
        packages=tuple(row for row in plan.packages if row.name != name),
        left_out=(*plan.left_out, LeftOut(name=name, because=because)),
    )


def _put(
    options: InstallOptions,
    locked: Lock,
    house: Wheelhouse,
    python: PythonInfo,
    work: Path,
    world: World,
    report: Reporter,
) -> Environment:
    started = time.monotonic()
    made = environment.install(
        locked,
        house,
        options.folder,
        python=python.executable,
        work=work,
        locks=options.cache / "locks",
        environ=world.environ,
        on_wait=lambda seconds: report.waiting("install", seconds),
    )
    what = "made" if made.created else "changed"
    report.stage(
        "install",
        f"{options.folder} {what} with Python {python.version}, bytecode compiled, {time.monotonic() - started:.1f} s",
    )
    return made


def _register(
    options: InstallOptions, made: Environment, plan: Plan, world: World, report: Reporter
) -> Kernel | None:
    if options.kernel_name is None:
        return None
    display = options.display_name or f"Python (PyTorch {plan.torch.version.public} {plan.variant})"
    registered = kernel.register(
        made.python,
        name=options.kernel_name,
        display_name=display,
        environ=world.environ,
        overwrite=options.overwrite_kernel,
    )
    report.stage("kernel", f"{registered.name} ({display}) ran a cell with torch {registered.torch}")
    return registered


def _verify(made: Environment, report: Reporter) -> VerifyReport:
    started = time.monotonic()
    verification = proof.verify(made.python, on_result=report.check)
    counts: dict[str, Any] = {}
    for row in verification.checks:
        counts[row.status] = counts.get(row.status, 0) + 1
    shown = ", ".join(f"{count} {status}" for status, count in counts.items())
    report.stage("verify", f"{shown} in {time.monotonic() - started:.1f} s")
    return verification
