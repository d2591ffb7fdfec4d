"""The metadata of a project whose requirements only its code tells: uv builds a source distribution of it."""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.fs.regular_files import open_regular
from torchdoctor.core.i18n import message
from torchdoctor.errors import UsageError
from torchdoctor.lock.model import LockRequest
from torchdoctor.workflows.offline_build import build_failure_reason, build_offline

if TYPE_CHECKING:
    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.sources import Sources

__all__ = ["build_project_metadata"]

_TIMEOUT_SECONDS = 600.0
_MAX_METADATA_BYTES = 4 * 1024 * 1024


def build_project_metadata(
    folder: Path,
    *,
    python: PythonInfo,
    sources: Sources,
    offline: bool,
    cache: Path,
    system: System,
    report: Reporter,
) -> str:
    """Return the PKG-INFO that the project's build backend writes; its code runs, in an environment of its own.

    What the backend needs comes from the user's indexes by way of `cache`. Raises `UsageError` where the code fails,
    and what `build_offline` raises.
    """
    request = LockRequest(python=python.executable, sources=sources, environ=system.environ, offline=offline)
    with tempfile.TemporaryDirectory(prefix="torchdoctor-") as name:
        finished = build_offline(
            folder, "sdist", request, Path(name), report, cache=cache, limit=_TIMEOUT_SECONDS
        )
        text = _metadata(Path(name, "dist")) if finished.status == 0 else None
    if text is None:
        raise UsageError(
            message(
                "{folder}: its build does not say what it needs: {why}",
                folder=folder,
                why=build_failure_reason(finished.stderr),
            ),
            fix=message("name a file of requirements with -r FILE"),
            code="project-build",
        )
    return text


def _metadata(dist: Path) -> str | None:
    """The PKG-INFO at the top of the archive."""
    archive = next(iter(sorted(dist.glob("*.tar.gz"))), None)
    if archive is None:
        return None
    try:
        with open_regular(archive) as file, tarfile.open(fileobj=file, mode="r:gz") as members:
            for member in members:
                if member.isfile() and member.name.endswith("/PKG-INFO") and member.name.count("/") == 1:
                    content = members.extractfile(member)
                    if content is not None and member.size <= _MAX_METADATA_BYTES:
                        return content.read().decode("utf-8", "replace")
    except (OSError, tarfile.TarError, EOFError):
        return None
    return None
