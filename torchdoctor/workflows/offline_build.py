"""A source, built by uv without any network: what the build needs was chosen, fetched and checked as packages are."""

from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Literal

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.system.uv import run_uv
from torchdoctor.core.wheelfile import validate_wheel
from torchdoctor.errors import NoSolution
from torchdoctor.lock.compile import RequirementsUnmet
from torchdoctor.lock.proof import in_words, premises_of
from torchdoctor.lock.sdist_contents import build_requirements
from torchdoctor.workflows.checked_wheels import fetch_checked
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system.uv import UvResult
    from torchdoctor.lock.model import LockRequest

__all__ = ["build_failure_reason", "build_offline"]

_MAX_ROUNDS = 4  # a backend that has what it asked for asks once more at most
_MAX_NEEDS = 200
_UNMET = "No solution found when resolving: "


def build_offline(
    path: Path,
    kind: Literal["wheel", "sdist"],
    request: LockRequest,
    work: Path,
    report: Reporter,
    *,
    cache: Path,
    limit: float,
    isolated: bool = True,
) -> UvResult:
    """Build a source distribution, or a wheel, into `work / "dist"`; the code of the source runs.

    What its pyproject.toml names, and then what its build backend asks for besides, comes from the indexes of
    `request` by way of the wheels in `cache`; `work` is empty. Where it is not `isolated`, the environment of
    the interpreter has it all. Raises `NoSolution` where nothing has it as a wheel, and `SourceFailed` for what cannot
    be fetched or is not vouched for; the result of uv tells whether the build itself failed.
    """
    needs = _plain(build_requirements(path)) if isolated else ()
    for attempt in range(_MAX_ROUNDS):
        folder = work / f"needs-{attempt}"
        folder.mkdir()
        if needs:
            _lay_out(needs, path, request, folder, report, cache)
        finished = run_uv(
            [
                "build", f"--{kind}", "--no-sources", "--no-config", "--offline", "--no-index", "--find-links", folder,
                "--cache-dir", work / "uv", "--out-dir", work / "dist", "--python", request.python,
                *([] if isolated else ["--no-build-isolation"]), path,
            ],
            environ=request.environ, folder=work, limit=limit,
            on_wait=lambda seconds, asked: report.waiting("build", seconds, asked),
        )  # fmt: skip
        more = _plain(_asked_for(finished.stderr)) if isolated and finished.status != 0 else ()
        if set(more) <= set(needs):
            break
        needs = tuple(dict.fromkeys((*needs, *more)))
    return finished


def build_failure_reason(stderr: str) -> str:
    """Return the last line that names an error of the project's code, else the last reason that uv gives."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.partition(":")[0].endswith(("Error", "Exception"))]
    causes = [line for line in lines if line.startswith(("error:", "cause:"))]
    return (errors or causes or lines or ["?"])[-1][:300]


def _lay_out(
    needs: tuple[str, ...], path: Path, request: LockRequest, folder: Path, report: Reporter, cache: Path
) -> None:
    """Put the checked wheels of what a build needs into `folder`. Nothing of it is built: its code was not agreed to.

    torch and its companions are not among them: a build against torch has the one that was chosen.
    """
    wanted = replace(
        request, extras=needs, optional=(), constraints=(), overrides=(), installed={}, preferred={}, upgrade=False,
        stand_ins=(), machine=None, target=None, excluded=frozenset(TORCH_PROJECTS),
    )  # fmt: skip
    run_dir = folder.with_name(f"{folder.name}-locks")
    run_dir.mkdir()
    try:
        wheelhouse = fetch_checked(wanted, cache, run_dir, report)
    except RequirementsUnmet as error:  # not of what is installed: nothing else can stand for it there
        reasons = [premise for premise in premises_of(error.stderr) if premise.kind != "asked"]
        raise _unmet(needs, path, in_words(reasons) or error.message) from error
    for fetched in wheelhouse.wheels:
        validate_wheel(fetched.path, fetched.wheel.filename)
        shutil.copyfile(fetched.path, folder / fetched.wheel.filename)


def _plain(lines: Iterable[str]) -> tuple[str, ...]:
    """Each requirement as it is written without anything else in its line; raises `NoSolution` for one by URL."""
    found: dict[str, None] = {}
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue  # uv refuses what it cannot read
        if requirement.url is not None or len(found) == _MAX_NEEDS:
            raise NoSolution(
                message(
                    "the build needs {name} from a URL, which nobody vouches for",
                    name=canonicalize_name(requirement.name),
                )
                if requirement.url is not None
                else message("the build needs more than {count} packages", count=_MAX_NEEDS),
                fix=message("leave it out, or name a folder with a wheel of it: --find-links DIR"),
                code="build-needs",
            )
        found[str(requirement)] = None
    return tuple(found)


def _asked_for(stderr: str) -> tuple[str, ...]:
    """Everything that the build needs, where uv says that the folder has not all of it.

    uv breaks its lines at the width of the terminal.

    >>> _asked_for('''  cause: No solution found when
    ...     resolving: `tool>=1`, `late==1.0 ;
    ...     os_name == 'posix'`
    ...   cause: Because `late` is missing''')
    ('tool>=1', "late==1.0 ; os_name == 'posix'")
    """
    _, _, rest = " ".join(stderr.split()).rpartition(_UNMET)
    parts = rest.split("`")
    asked = takewhile(lambda pair: pair[0].strip() in ("", ","), zip(parts[::2], parts[1::2], strict=False))
    return tuple(line for _, line in asked)


def _unmet(needs: tuple[str, ...], path: Path, why: str) -> NoSolution:
    return NoSolution(
        message(
            "{name} cannot be built: no wheels meet what its build needs ({needs}): {why}",
            name=path.name,
            needs=joined(needs[:10]),
            why=why,
        ),
        fix=message("name a folder or an index that has wheels of it: --find-links DIR, --index-url URL"),
        code="build-needs",
    )
