"""Requirements that name a repository or an archive of sources: wheels are built of them before anything is chosen.

Then they take part in the choice as any other package does: with their metadata, their hash and a version.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from packaging.requirements import Requirement
from packaging.utils import (
    InvalidSdistFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

from torchdoctor.core.hashing import sha256_of
from torchdoctor.core.i18n import message
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import SourceFailed
from torchdoctor.lock.sdist_contents import inspect_sdist
from torchdoctor.requirements.direct import is_repository
from torchdoctor.sources.listing import local_path
from torchdoctor.sources.repositories import check_out, parse_repository_url
from torchdoctor.sources.sdists import fetch_archive
from torchdoctor.workflows.build_rounds import needs_of
from torchdoctor.workflows.source_model import BuildsAgainstTorch, counting_requirements
from torchdoctor.workflows.wheel_build import build_wheel
from wheels_index import TORCH_PROJECTS, Sdist

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.core.system import System
    from torchdoctor.lock.model import LockRequest
    from torchdoctor.requirements import AskedRequirement, StackRequest
    from torchdoctor.workflows.source_builds import SourceBuilds

__all__ = ["DirectSource", "with_direct_sources"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectSource:
    """The sources of one requirement on this disk."""

    path: Path  # an archive or a folder
    sdist: Sdist  # its version is a stand-in where only its build tells one
    key: str  # of exactly these sources


def with_direct_sources(
    stack: StackRequest, request: LockRequest, builds: SourceBuilds, system: System
) -> tuple[StackRequest, dict[str, str]]:
    """Return the stack in which these requirements are those of a built wheel, and the names of the packages.

    By the name that was asked for; one that was guessed from a URL may be another.

    The user has agreed to run their code. `request` names the interpreter, the machine and the indexes of what a build
    needs. Raises `BuildsAgainstTorch` for one that needs the torch that is not chosen yet, `SourceFailed` for what
    cannot be read, `InstallFailed` where a build fails.
    """
    requirements: list[AskedRequirement] = []
    links = list(stack.find_links)
    names: dict[str, str] = {}
    for asked in stack.requirements:
        requirement = Requirement(asked.line)
        if not _is_source(requirement):
            requirements.append(asked)
            continue
        source = _fetch(requirement, asked, request, builds, system)
        contents = inspect_sdist(_folder_of(source, requirement))
        if contents.needs_torch and builds.plan_only:
            requires = counting_requirements(contents.requires or (), request.machine, requirement.extras)
            requirements += needs_of(requires, asked.name)
            builds.report.warn(
                message("{name} is built against the installed torch: install builds it", name=asked.name)
            )
            continue
        if contents.needs_torch:
            sdist = replace(source.sdist, version=Version(contents.version or str(source.sdist.version)))
            path = _folder_of(source, requirement)
            raise BuildsAgainstTorch(sdist, path, contents, agreed=True, key=source.key)
        wheel = build_wheel(
            _folder_of(source, requirement), source.sdist, request, builds.cache / "built", builds.report,
            key=source.key,
        )  # fmt: skip
        name, version, _, _ = parse_wheel_filename(wheel.name)
        names[asked.name] = name
        extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
        requirements.append(replace(asked, line=f"{name}{extras}=={version}", name=name, hashes=()))
        links.append(str(wheel.parent))
    return replace(stack, requirements=tuple(requirements), find_links=tuple(links)), names


def _is_source(requirement: Requirement) -> bool:
    url = requirement.url
    if url is None or canonicalize_name(requirement.name) in TORCH_PROJECTS:
        return False
    return is_repository(url) or not urlsplit(url).path.lower().endswith(".whl")


def _folder_of(source: DirectSource, requirement: Requirement) -> Path:
    """Where the project is: a part of a repository may be one."""
    url = requirement.url or ""
    return source.path / parse_repository_url(url).subdirectory if is_repository(url) else source.path


def _fetch(
    requirement: Requirement,
    asked: AskedRequirement,
    request: LockRequest,
    builds: SourceBuilds,
    system: System,
) -> DirectSource:
    url = requirement.url or ""
    if request.offline and not url.startswith(("file:", "git+file:")):
        raise SourceFailed(
            message("{url} cannot be read offline", url=redact_url(url)),
            fix=message("leave --offline out, or name a wheel of {name} in a folder", name=asked.name),
            code="offline",
        )
    builds.report.note(
        message("reading the sources of {name} from {url}", name=asked.name, url=redact_url(url))
    )
    if is_repository(url):
        wanted = parse_repository_url(url)
        checkout = check_out(wanted, builds.cache / "sources", system)
        sdist = _sdist(asked.name, url, f"0+g{checkout.commit[:8]}", checkout.commit)
        return DirectSource(path=checkout.folder, sdist=sdist, key=f"{checkout.commit} {wanted.subdirectory}")
    if "subdirectory" in parse_qs(urlsplit(url).fragment):
        raise SourceFailed(
            message("{url}: a folder of an archive is not built", url=redact_url(url)),
            fix=message("name the repository: git+URL#subdirectory=FOLDER"),
            code="subdirectory",
        )
    hashes = _hashes(url, asked)
    path = local_path(url.partition("#")[0]) if url.startswith("file:") else None
    if path is None:
        path = fetch_archive(url.partition("#")[0], builds.cache / "sdists")
    sha256 = sha256_of(path)
    if hashes and sha256 not in hashes:
        raise SourceFailed(
            message("{url} has other bytes than the hash that was asked for", url=redact_url(url)),
            fix=message("correct the hash, or tell the authors of the file"),
            code="hash-mismatch",
        )
    return DirectSource(path=path, sdist=_sdist(asked.name, url, _version_in(path.name), sha256), key=sha256)


def _version_in(filename: str) -> str:
    try:
        return str(parse_sdist_filename(filename)[1])
    except InvalidSdistFilename:
        return "0"


def _hashes(url: str, asked: AskedRequirement) -> set[str]:
    """The SHA-256 that the file or the URL gives."""
    stated = {word.removeprefix("sha256:") for word in asked.hashes if word.startswith("sha256:")}
    return stated | set(parse_qs(urlsplit(url).fragment).get("sha256") or ())


def _sdist(name: str, url: str, version: str, digest: str) -> Sdist:
    filename = unquote(urlsplit(url).path.rpartition("/")[2])
    return Sdist(
        project=name, version=Version(version), filename=filename, url=url, sha256=digest, size=None,
        requires_python=None,
    )  # fmt: skip
