"""Plan -> Lock: uv resolves everything that the plan's packages need, over exactly the plan's files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.system import uv
from torchdoctor.errors import NoSolution, SourceFailed, UsageError
from torchdoctor.lock.model import Lock
from torchdoctor.lock.proof import in_words, premises_of
from torchdoctor.lock.target import environment_marker, requires_python
from torchdoctor.lock.uv_errors import missing_packages, packages_without_file, read_uv_error
from torchdoctor.lock.uv_inputs import OUTPUT, write_uv_inputs
from torchdoctor.lock.uv_output import read_uv_lock
from torchdoctor.requirements.known_names import similar_names
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from torchdoctor.errors import TorchdoctorError
    from torchdoctor.lock.model import LockRequest
    from torchdoctor.lock.uv_errors import UvError
    from torchdoctor.resolve import Plan
    from torchdoctor.sources.cutoff import Cutoff

__all__ = ["RequirementsUnmet", "compile_failure", "compile_lock", "run_compile"]

_TIMEOUT_SECONDS = 900.0
_SILENCE_SECONDS = 60.0  # as for pages that we read ourselves


class RequirementsUnmet(NoSolution):
    """No set of versions meets the requirements; `error` tells which projects are in the way, `stderr` is uv's text."""

    def __init__(self, message: str, *, fix: str, error: UvError, stderr: str = "") -> None:
        super().__init__(message, fix=fix, code="no-lock")
        self.error = error
        self.stderr = stderr
        self.silent_pages: tuple[str, ...] = ()  # that do not answer, and may have what is missing
        self.is_of_comparison = False  # of a solve that only tells why another torch is not taken


def compile_lock(
    plan: Plan,
    request: LockRequest,
    *,
    folder: Path,
    held: Mapping[str, Path] | None = None,
    on_wait: Callable[[float, str], None] | None = None,
) -> Lock:
    """Lock the plan's packages, what `request` asks for besides, and everything that these need.

    uv is offered torch and its companions on an index of our own that lists the plan's files and nothing else,
    and nothing is built from source. `folder` is empty and takes what uv reads and writes. `held` maps names of the
    plan's files to local copies, which uv reads instead of downloading. `on_wait(seconds, what)` is called at times.

    Raises `WholeFilesAsked` where uv needs a file without a hash that is not among the `whole_files` of the request,
    `SourceFailed` where an index cannot be read, `RequirementsUnmet` or another `NoSolution` where the
    requirements cannot be met, `UsageError` for a setting that uv does not take, and `InstallFailed` where uv is
    missing or takes longer than 15 minutes.
    """
    inputs = write_uv_inputs(plan, request, folder, held or {})
    finished = run_compile(
        [
            "--constraints", "constraints.txt", "--overrides", "overrides.txt", "--excludes", "excludes.txt",
            "--format", "pylock.toml", "--output-file", folder / OUTPUT, "--no-annotate",
        ],
        request,
        folder=folder,
        on_wait=on_wait,
        whole_files=request.offline,
    )  # fmt: skip
    if finished.status != 0:
        raise compile_failure(finished, inputs.refused, request.sources.limits.cutoff)
    return Lock(
        wheels=read_uv_lock(folder / OUTPUT, inputs),
        environment=environment_marker(request.machine) if request.machine else None,
        requires_python=requires_python(request.machine) if request.machine else None,
        variant=plan.variant if plan.packages else None,
    )


def run_compile(
    options: Sequence[str | Path],
    request: LockRequest,
    *,
    folder: Path,
    config: Path | None = None,
    on_wait: Callable[[float, str], None] | None = None,
    stopped: threading.Event | None = None,
    whole_files: bool = True,
) -> uv.UvResult:
    """Run `uv pip compile requirements.in` with these options for the request's machine, in `folder`.

    Its settings are `uv.toml` there, or those of `config`.
    """
    target = request.target or request.described
    return uv.run_uv(
        [
            "pip", "compile", "requirements.in", *options, "--python", request.python,
            "--config-file", config or folder / "uv.toml", "--only-binary", ":all:", "--no-header", "--quiet",
            *(["--prerelease", "allow"] if request.prereleases else []),
            *(["--offline"] if request.offline else []), *(target.options if target else ()),
        ],
        environ={**request.environ, **(target.environ if target else {})},
        folder=folder,
        limit=_TIMEOUT_SECONDS,
        silence=_SILENCE_SECONDS,
        on_wait=on_wait,
        stopped=stopped,
        whole_files=whole_files,
    )  # fmt: skip


def compile_failure(
    finished: uv.UvResult, refused: Mapping[str, str], cutoff: Cutoff | None = None
) -> TorchdoctorError:
    """Return the error for a run of uv that failed; `refused` says why files of folders were kept from it.

    `cutoff` is the time after which nothing counted.
    """
    error, text = read_uv_error(finished.stderr), finished.cause
    if error.code == "hash-mismatch":
        return SourceFailed(
            message("an index serves other bytes than the hash that it gives: {text}", text=text),
            fix=message("name another source with --index-url, --mirror or --find-links"),
            code="hash-mismatch",
        )
    if error.code == "setting":
        return UsageError(
            message("uv does not accept one of its settings: {text}", text=text),
            fix=message("correct or unset that variable: `env | grep UV_` shows them"),
            code="uv-setting",
        )
    if error.code == "cache":
        return SourceFailed(
            message("uv's cache cannot be used: {text}", text=text),
            fix=message("set UV_CACHE_DIR to a folder that can be written to and has room"),
            code="cache",
        )
    if error.code == "unreachable":
        return SourceFailed(
            message("an index could not be read while locking: {text}", text=text),
            fix=message(
                "check the network, or name a reachable index with --index-url or in pip's or uv's settings"
            ),
            code="unreachable",
        )
    return _no_lock(error, finished, refused, cutoff)


def _no_lock(
    error: UvError, finished: uv.UvResult, refused: Mapping[str, str], cutoff: Cutoff | None
) -> NoSolution:
    reasons = [reason for filename, reason in refused.items() if error.names(filename.partition("-")[0])]
    what = message(
        "no versions of the packages meet all requirements: {text}{why_not}",
        text=in_words(premises_of(finished.stderr)) or finished.cause,
        why_not=joined(["", *reasons], "; ") if reasons else "",
    )
    fix = _fix(finished.stderr)
    if cutoff is not None:
        late = message(
            "or name a later time with --exclude-newer: {origin} says that nothing from {moment} on counts, and an "
            "index that gives no times has nothing that counts",
            origin=cutoff.origin,
            moment=cutoff.shown or "?",
        )
        fix = joined([fix, late], "; ")
    if error.code in ("unsatisfiable", "unusable-file"):
        return RequirementsUnmet(what, fix=fix, error=error, stderr=finished.stderr)
    return NoSolution(what, fix=fix, code="no-lock")


def _fix(stderr: str) -> str:
    """Return what helps: another name, another version of what has no file here, or another source."""
    meant = [name for missing in missing_packages(stderr) for name in similar_names(missing)]
    if meant:
        names = joined(meant)
        return message("did you mean {names}? Else name a source that has it with --index-url", names=names)
    premises = premises_of(stderr)
    if premises and all(premise.kind == "asked" for premise in premises):
        return message("take one of them out, or change it")
    without_file = [name for name in packages_without_file(stderr) if name not in TORCH_PROJECTS]
    if without_file:
        return message(
            "leave {name} out with --without {name}, take a version that has a file with --override, or name a source "
            "that has one with --index-url or --find-links",
            name=without_file[0],
        )
    return message("name a source that has them with --index-url or --find-links")
