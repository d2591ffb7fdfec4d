"""A vendor's package that exists as a source package alone: what it selects is known once it is built.

AMD's `rocm` looks at the machine where it is built, and at ROCM_SDK_TARGET_FAMILY, for what it requires:
https://github.com/ROCm/TheRock/blob/main/build_tools/packaging/python/templates/rocm/src/rocm_sdk/_dist_info.py
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from torchdoctor.core.hashing import sha256_of
from torchdoctor.core.i18n import message
from torchdoctor.errors import NoSolution
from torchdoctor.workflows.vendor_builds import gpus_of
from wheels_index import Wheel

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.lock.model import LockRequest
    from torchdoctor.workflows.source_builds import SourceBuilds
    from wheels_index import Sdist

__all__ = ["build_part"]


def build_part(sdist: Sdist, builds: SourceBuilds, request: LockRequest) -> Wheel:
    """Return the wheel of a source package, built here after consent alone, since its own code runs.

    What was built before for the same GPUs is taken without a question: nothing runs. Raises `NoSolution` without
    consent, for another machine than this one, whatever was agreed, and for compiled code or for what is built against
    torch: no vendor has such a part. Raises `SourceFailed` where its bytes are not those that the index announces (that
    it announces none is said), `InstallFailed` where the build fails.
    """
    from torchdoctor.lock.sdist_contents import inspect_sdist
    from torchdoctor.workflows.wheel_build import build_wheel, wheel_built_before

    if request.target is not None:
        raise _for_another_machine(sdist)
    path = _fetch(sdist, builds)
    contents = inspect_sdist(path)
    if contents.compiles or contents.needs_torch:
        raise _more_than_a_selection(sdist)
    cache, selects = builds.cache / "built", _what_it_selects_by(request)
    if (
        not builds.is_agreed(sdist.project)
        and wheel_built_before(path, request, cache, selects=selects) is None
    ):
        builds.require_consent([(sdist, contents)])
    wheel = build_wheel(path, sdist, request, cache, builds.report, selects=selects)
    return Wheel.from_filename(
        wheel.name, url=wheel.absolute().as_uri(), sha256=sha256_of(wheel), size=wheel.stat().st_size
    )


def _fetch(sdist: Sdist, builds: SourceBuilds) -> Path:
    """Return the file; AMD's pages may give no hash, then the one that it has is said."""
    from torchdoctor.sources.sdists import fetch_archive, fetch_sdist

    if sdist.sha256 is not None:
        return fetch_sdist(sdist, builds.cache / "sdists")
    path = fetch_archive(sdist.url, builds.cache / "sdists")
    builds.report.note(
        message(
            "no index gives a hash for {filename}; recorded {sha256}",
            filename=sdist.filename,
            sha256=sha256_of(path),
        )
    )
    return path


def _for_another_machine(sdist: Sdist) -> NoSolution:
    return NoSolution(
        message(
            "{name} {version} is a source package that selects its parts by the machine where it is built, and "
            "that is not the one that is asked for",
            name=sdist.project,
            version=sdist.version,
        ),
        fix=message("run the command on that machine"),
        code="build-foreign",
    )


def _more_than_a_selection(sdist: Sdist) -> NoSolution:
    return NoSolution(
        message(
            "{name} {version} has no wheel, and its sources are more than a selection of packages",
            name=sdist.project,
            version=sdist.version,
        ),
        fix=message("ask for another build with --variant or --torch"),
        code="vendor-part-missing",
    )


def _what_it_selects_by(request: LockRequest) -> str:
    """What of the machine and of the environment the result depends on, besides the source and the interpreter."""
    gpus = sorted(gpus_of(request.machine)) if request.machine is not None else []
    family = request.environ.get("ROCM_SDK_TARGET_FAMILY", "")
    return json.dumps({"gpus": gpus, "family": family})
