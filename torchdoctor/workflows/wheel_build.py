"""Source distribution -> wheel, which is kept: uv runs its build backend in an environment of its own."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from torchdoctor.core.fs.own_files import is_own, make_own_folder
from torchdoctor.core.hashing import sha256_of
from torchdoctor.core.i18n import message
from torchdoctor.core.wheelfile import validate_wheel
from torchdoctor.errors import InstallFailed, NoSolution
from torchdoctor.workflows.offline_build import build_failure_reason, build_offline

if TYPE_CHECKING:
    from torchdoctor.core.progress import Reporter
    from torchdoctor.lock.model import LockRequest
    from wheels_index import Sdist

__all__ = ["build_wheel", "wheel_built_before"]

_TIMEOUT_SECONDS = 1800.0


def build_wheel(
    path: Path,
    sdist: Sdist,
    request: LockRequest,
    cache: Path,
    report: Reporter,
    *,
    isolated: bool = True,
    key: str | None = None,
    selects: str = "",
) -> Path:
    """Return the wheel of a source distribution; one that was built before is in a folder of its own below `cache`.

    `path` is an archive, or with a `key` of what is in it a folder, whose name and version only the wheel tells.
    `selects` is what else the result depends on. What the build needs comes from the indexes of `request` by way of the
    wheels beside `cache`, or where it is not `isolated` from the environment of its interpreter, which runs the build.
    Raises `InstallFailed` where the build fails or gives another package, `NoSolution` where it gives a wheel for this
    machine alone and the request is for another one, and what `build_offline` raises.
    """
    folder = cache / _key(key or sha256_of(path), request, selects)
    make_own_folder(folder, below=cache)
    wheel = _own_wheel(folder)
    if wheel is None:
        report.note(message("building {name} from its source", name=sdist.project))
        with tempfile.TemporaryDirectory(prefix="build-", dir=folder.parent) as name:
            made = _build(path, sdist, request, Path(name), report, cache=cache.parent, isolated=isolated)
            wheel = folder / made.name
            shutil.move(made, wheel)
    _refuse_foreign(wheel, sdist, request, is_named=key is None)
    report.stage(
        "build",
        message(
            "{filename} from its source, sha256 {digest}", filename=wheel.name, digest=sha256_of(wheel)[:16]
        ),
    )
    return wheel


def wheel_built_before(path: Path, request: LockRequest, cache: Path, *, selects: str = "") -> Path | None:
    """Return the wheel that was built of these very bytes for this interpreter; then none of their code runs again."""
    return _own_wheel(cache / _key(sha256_of(path), request, selects))


def _own_wheel(folder: Path) -> Path | None:
    """The wheel that we have put there: no hash says what it must be, so one of another user is none."""
    return next((path for path in sorted(folder.glob("*.whl")) if is_own(folder) and is_own(path)), None)


def _key(content: str, request: LockRequest, selects: str) -> str:
    """One folder for each source, interpreter and what else the result depends on: a wheel may be for one Python."""
    parts = [content, os.path.realpath(request.python), *([selects] if selects else [])]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:32]


def _build(
    path: Path,
    sdist: Sdist,
    request: LockRequest,
    work: Path,
    report: Reporter,
    *,
    cache: Path,
    isolated: bool,
) -> Path:
    finished = build_offline(
        path, "wheel", request, work, report, cache=cache, limit=_TIMEOUT_SECONDS, isolated=isolated
    )
    wheels = sorted((work / "dist").glob("*.whl"))
    if finished.status != 0 or len(wheels) != 1:
        raise InstallFailed(
            message(
                "{name} {version} cannot be built here: {why}",
                name=sdist.project,
                version=sdist.version,
                why=build_failure_reason(finished.stderr),
            ),
            fix=message("leave it out, or name a folder with a wheel of it: --find-links DIR"),
            code="build-failed",
        )
    validate_wheel(wheels[0], wheels[0].name)
    return wheels[0]


def _refuse_foreign(wheel: Path, sdist: Sdist, request: LockRequest, *, is_named: bool) -> None:
    try:
        name, version, _, tags = parse_wheel_filename(wheel.name)
    except InvalidWheelFilename:
        name, version, tags = None, None, frozenset()
    if name is None or (is_named and (name != sdist.project or version != sdist.version)):
        raise InstallFailed(
            message(
                "the sources of {name} {version} give {filename}",
                name=sdist.project,
                version=sdist.version,
                filename=wheel.name,
            ),
            fix=message("leave it out, and tell its authors"),
            code="build-failed",
        )
    if request.target is not None and not any(tag.platform == "any" for tag in tags):
        raise NoSolution(
            message(
                "{filename} is built for this machine, and not for the one that is asked for",
                filename=wheel.name,
            ),
            fix=message("run the command on that machine"),
            code="build-foreign",
        )
