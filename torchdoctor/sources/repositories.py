"""A git repository at one revision: cloned, checked out, and kept by its commit."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from torchdoctor.core.fs.own_files import make_own_folder
from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import SourceFailed, UsageError

if TYPE_CHECKING:
    from torchdoctor.core.system import System

__all__ = ["Checkout", "RepositoryUrl", "check_out", "parse_repository_url"]

_SCHEMES = ("https", "http", "ssh", "git", "file")  # `ext::` and others would run commands
_SECONDS = 900.0
# Filters of files are programs that the user's settings name; Git LFS has no part in building Python packages.
# A server that sends almost nothing for a minute is given up: https://git-scm.com/docs/git-config#httplowSpeedLimit
_SETTINGS = (
    "-c", "filter.lfs.smudge=", "-c", "filter.lfs.process=", "-c", "filter.lfs.required=false",
    "-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=60",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryUrl:
    """The parts of `git+https://host/path.git@revision#subdirectory=folder`."""

    url: str  # what git is given
    revision: str | None
    subdirectory: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkout:
    """The files of one commit."""

    folder: Path
    commit: str


def parse_repository_url(text: str) -> RepositoryUrl:
    """Split the URL of a requirement; raises `UsageError` for a scheme other than https, http, ssh, git and file."""
    kind, _, rest = text.partition("+")
    parts = urlsplit(rest)
    if kind.lower() != "git" or parts.scheme not in _SCHEMES:
        raise UsageError(
            message("{url} is not the URL of a git repository", url=redact_url(text)),
            fix=message("write git+https://HOST/PATH@REVISION, with https, http, ssh, git or file"),
            code="repository-url",
        )
    path, _, named = parts.path.rpartition("@") if "@" in parts.path else (parts.path, "", "")
    revision = unquote(named)
    subdirectory = (parse_qs(parts.fragment).get("subdirectory") or [""])[0]
    if revision.startswith("-") or ".." in Path(subdirectory).parts or Path(subdirectory).is_absolute():
        raise UsageError(
            message("{url} names a revision or a folder that cannot be one", url=redact_url(text)),
            fix=message("correct what stands behind @ or subdirectory="),
            code="repository-url",
        )
    return RepositoryUrl(
        url=urlunsplit((parts.scheme, parts.netloc, path, parts.query, "")),
        revision=revision or None,
        subdirectory=subdirectory,
    )


def check_out(wanted: RepositoryUrl, cache: Path, system: System) -> Checkout:
    """Return the files of the revision, with those of submodules, in a folder of its own below `cache`.

    Raises `SourceFailed` where git is missing or fails, and for a revision that the repository has not.
    """
    make_own_folder(cache, below=cache)
    work = Path(tempfile.mkdtemp(prefix="clone-", dir=cache))
    clone = work / "clone"
    try:
        # Without the content of old commits, where the server can do that; tags are there: they make versions.
        _git(
            system,
            wanted,
            ["clone", "--quiet", "--no-checkout", "--filter=blob:none", "--", wanted.url, str(clone)],
        )
        commit = _commit(system, wanted, clone)
        _git(system, wanted, ["-C", str(clone), "checkout", "--quiet", "--detach", commit])
        if (clone / ".gitmodules").is_file():
            _git(
                system, wanted, ["-C", str(clone), "submodule", "--quiet", "update", "--init", "--recursive"]
            )
        name = hashlib.sha256(f"{wanted.url} {commit}".encode()).hexdigest()[:32]
        folder = cache / name / _folder_name(wanted.url)
        make_own_folder(folder.parent, below=cache)
        shutil.rmtree(folder, ignore_errors=True)  # an earlier build may have left files in it
        clone.replace(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if not (folder / wanted.subdirectory).is_dir():
        raise _failed(
            wanted, message("it has no folder {folder}", folder=wanted.subdirectory), "no-such-revision"
        )
    return Checkout(folder=folder, commit=commit)


def _commit(system: System, wanted: RepositoryUrl, clone: Path) -> str:
    names = [f"origin/{wanted.revision}", wanted.revision] if wanted.revision else ["HEAD"]
    for name in names:
        found = system.run(
            [
                "git",
                "-C",
                str(clone),
                "rev-parse",
                "--verify",
                "--quiet",
                "--end-of-options",
                f"{name}^{{commit}}",
            ]
        )
        if found.ok:
            return found.stdout.strip()
    # What no branch or tag leads to, such as refs/pull/7/head.
    fetched = system.run(
        ["git", *_SETTINGS, "-C", str(clone), "fetch", "--quiet", "--", "origin", str(wanted.revision)],
        timeout=_SECONDS,
    )
    found = system.run(["git", "-C", str(clone), "rev-parse", "FETCH_HEAD"])
    if not fetched.ok or not found.ok:
        raise _failed(
            wanted,
            message(
                "it has no branch, tag or commit {revision}",
                revision=sanitize_line(wanted.revision or "HEAD"),
            ),
            "no-such-revision",
        )
    return found.stdout.strip()


def _git(system: System, wanted: RepositoryUrl, words: list[str]) -> None:
    done = system.run(["git", *_SETTINGS, *words], timeout=_SECONDS)
    if done.failure == "missing":
        raise _failed(wanted, message("git is not installed"), "no-git")
    if not done.ok:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith(("fatal:", "error:", "ssh:"))]
        text = (errors or lines or [done.cause])[0].removeprefix("fatal: ")
        raise _failed(
            wanted, sanitize_line(text.replace(wanted.url, redact_url(wanted.url)), limit=300), "unreachable"
        )


def _folder_name(url: str) -> str:
    name = urlsplit(url).path.rstrip("/").rpartition("/")[2].removesuffix(".git")
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)[:80].lstrip(".") or "repository"


def _failed(wanted: RepositoryUrl, why: str, code: str) -> SourceFailed:
    fixes = {
        "no-git": message("install git, or name a wheel or an archive of sources instead"),
        "no-such-revision": message("name a branch, tag, commit or folder that it has"),
    }
    return SourceFailed(
        message("the repository {url} cannot be read: {why}", url=redact_url(wanted.url), why=why),
        fix=fixes.get(code, message("check the URL, the network and your rights: git ls-remote URL")),
        code=code,
    )
