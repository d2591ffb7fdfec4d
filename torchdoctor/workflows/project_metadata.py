"""The metadata of a project whose requirements only its code tells: uv builds a source distribution of it."""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from torchdoctor.core.fs.regular_files import open_regular
from torchdoctor.core.i18n import message
from torchdoctor.core.system.uv import run_uv
from torchdoctor.errors import UsageError
from torchdoctor.lock.uv_inputs import exclude_newer_settings

if TYPE_CHECKING:
    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.sources import Sources

__all__ = ["build_failure_reason", "build_project_metadata", "index_settings"]

_TIMEOUT_SECONDS = 600.0
_MAX_METADATA_BYTES = 4 * 1024 * 1024


def build_project_metadata(
    folder: Path, *, python: PythonInfo, sources: Sources, offline: bool, system: System, report: Reporter
) -> str:
    """Return the PKG-INFO that the project's build backend writes; its code runs, in an environment of its own.

    What the backend needs comes from the user's indexes. Raises `UsageError` where the code fails.
    """
    with tempfile.TemporaryDirectory(prefix="torchdoctor-") as name:
        work = Path(name)
        (work / "uv.toml").write_text(tomli_w.dumps(index_settings(sources)), "utf-8")
        finished = run_uv(
            [
                "build", "--sdist", "--no-sources", "--config-file", work / "uv.toml", "--out-dir", work / "dist",
                "--python", python.executable, *(["--offline"] if offline else []), folder,
            ],
            environ=system.environ, folder=work, limit=_TIMEOUT_SECONDS,
            on_wait=lambda seconds, asked: report.waiting("project", seconds, asked),
        )  # fmt: skip
        text = _metadata(work / "dist") if finished.status == 0 else None
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


def index_settings(sources: Sources) -> dict[str, Any]:
    """Return uv's settings for a build: what it needs comes from these sources alone."""
    indexes: list[dict[str, Any]] = [{"url": source.url} for source in sources.indexes]
    if sources.default_index is not None:
        indexes.append({"url": sources.default_index.url})
    if indexes:
        indexes[-1]["default"] = True
    links = [source.url for source in sources.find_links]
    return {
        "index": indexes,
        "index-strategy": "unsafe-first-match",
        "find-links": links,
        **exclude_newer_settings(sources.limits.cutoff, {}),
    }


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


def build_failure_reason(stderr: str) -> str:
    """Return the last line that names an error of the project's code, else the end of what uv wrote."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.partition(":")[0].endswith(("Error", "Exception"))]
    return (errors or [line for line in lines if line.startswith("error:")] or lines or ["?"])[-1][:300]
