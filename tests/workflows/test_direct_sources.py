"""Repositories and archives of sources that are asked for by URL become wheels, and take part as other packages."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.wheelmaker import make_wheel
from tests.workflows.recorder import Recorder
from torchdoctor.core.system import host_system
from torchdoctor.errors import SourceFailed, UsageError
from torchdoctor.lock.model import LockRequest
from torchdoctor.requirements import AskedRequirement, StackRequest
from torchdoctor.sources import Sources
from torchdoctor.sources.repositories import check_out, parse_repository_url
from torchdoctor.workflows.direct_sources import with_direct_sources
from torchdoctor.workflows.source_builds import SourceBuilds
from torchdoctor.workflows.source_model import BuildsAgainstTorch

# A build backend that needs nothing: it gives the wheel that lies beside it.
BACKEND = """
import pathlib, shutil
def build_wheel(folder, settings=None, metadata=None):
    wheel = next(pathlib.Path().glob("*.whl"))
    return shutil.copy(wheel, folder) and wheel.name
"""
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def write_project(folder: Path, name: str = "mytool", pyproject: str = PYPROJECT) -> None:
    """A project whose wheel is of that name."""
    folder.mkdir(parents=True, exist_ok=True)
    filename, content = make_wheel(name, "1.0", tag="py3-none-any")
    (folder / filename).write_bytes(content)
    (folder / "backend.py").write_text(BACKEND)
    (folder / "pyproject.toml").write_text(pyproject)


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`main` has a project in its root, one in a folder, and one that needs torch; `v0` has a file alone."""
    folder = tmp_path_factory.mktemp("git") / "my-repo"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "old.txt").write_text("old")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    git(folder, "tag", "v0")
    write_project(folder)
    write_project(folder / "sub", "other-name")
    write_project(folder / "ops", "ops", PYPROJECT.replace("requires = []", 'requires = ["torch"]'))
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "second")
    git(folder, "update-ref", "refs/pull/7/head", "v0")
    return folder


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("git+https://h/a/b.git", ("https://h/a/b.git", None, "")),
        ("git+ssh://git@h/a/b.git@feature/x#subdirectory=py", ("ssh://git@h/a/b.git", "feature/x", "py")),
        ("git+file:///srv/b%20c@v1#egg=b", ("file:///srv/b%20c", "v1", "")),
    ],
)
def test_the_url_of_a_repository_has_parts(text, parts):
    """The revision stands behind the last `@` of the path: one of the host is its user."""
    found = parse_repository_url(text)
    assert (found.url, found.revision, found.subdirectory) == parts


@pytest.mark.parametrize(
    "text",
    [
        "git+ext::sh -c id", "hg+https://h/x", "git+https://h/x@--upload-pack=id", "git+https://h/x@%2D-upload-pack=id",
        "git+https://h/x#subdirectory=../..",
        "git+ftp://h/x", "git+https://h/x#subdirectory=/etc",
    ],
)  # fmt: skip
def test_what_git_must_not_be_given_is_refused(text):
    """Schemes that run commands, revisions that are options, folders outside."""
    with pytest.raises(UsageError):
        parse_repository_url(text)


@pytest.mark.process
def test_a_revision_is_a_branch_a_tag_a_commit_or_a_reference(repository, tmp_path):
    """Anything that git itself finds; what is not there is said."""
    url, commit = repository.as_uri(), git(repository, "rev-parse", "v0")
    system = host_system(os.environ)
    for revision, has in {
        "": True,
        "@main": True,
        "@v0": False,
        f"@{commit}": False,
        "@refs/pull/7/head": False,
    }.items():
        checkout = check_out(parse_repository_url(f"git+{url}{revision}"), tmp_path, system)
        assert (checkout.folder / "pyproject.toml").is_file() is has, revision
    for missing in ("@nosuch", "#subdirectory=nosuch"):
        with pytest.raises(SourceFailed) as failed:
            check_out(parse_repository_url(f"git+{url}{missing}"), tmp_path, system)
        assert failed.value.code == "no-such-revision"
    with pytest.raises(SourceFailed, match="no-such-repository"):
        check_out(parse_repository_url(f"git+{url}/no-such-repository"), tmp_path, system)


@pytest.fixture
def build(tmp_path):
    """A function that builds what is asked for; it returns the lines and the names."""

    def run(line, name, *, hashes=(), **options):
        request = LockRequest(
            python=Path(sys.executable),
            sources=Sources(torch=(), indexes=(), default_index=None, find_links=()),
            environ=dict(os.environ),
        )
        request = replace(request, offline=options.pop("offline", False))
        stack = StackRequest(
            requirements=(AskedRequirement(line=line, name=name, origin="x", hashes=hashes),)
        )
        builds = SourceBuilds(cache=tmp_path / "cache", report=Recorder(), **options)
        stack, names = with_direct_sources(stack, request, builds, host_system(os.environ))
        assert all(list(Path(folder).glob("*.whl")) for folder in stack.find_links)
        return [asked.line for asked in stack.requirements], names, builds.report.warnings

    return run


@pytest.mark.process
def test_a_repository_becomes_a_wheel_of_its_own_name(repository, build):
    """The name that was guessed from the URL gives way; a part of the repository may be the project."""
    url = f"git+{repository.as_uri()}"
    assert build(f"my-repo[extra] @ {url}", "my-repo", offline=True) == (
        ["mytool[extra]==1.0"], {"my-repo": "mytool"}, [],
    )  # fmt: skip
    lines, names, _ = build(f"my-repo @ {url}#subdirectory=sub", "my-repo")
    assert (lines, names) == (["other-name==1.0"], {"my-repo": "other-name"})


@pytest.mark.process
def test_what_is_built_against_torch_waits_for_it(repository, build):
    """The installation builds it beside the torch that it chooses; a plan says so."""
    line = f"ops @ git+{repository.as_uri()}#subdirectory=ops"
    with pytest.raises(BuildsAgainstTorch) as needed:
        build(line, "ops")
    assert needed.value.path.name == "ops"
    assert needed.value.key
    lines, _, warnings = build(line, "ops", plan_only=True)
    assert lines == []
    assert "ops is built against the installed torch" in warnings[0]


@pytest.mark.process
def test_the_hash_of_an_archive_is_checked(build, tmp_path):
    """Before any of it runs."""
    write_project(tmp_path / "mytool-1.0")
    archive = tmp_path / "mytool-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(tmp_path / "mytool-1.0", "mytool-1.0")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    line = f"mytool @ {archive.as_uri()}"
    assert build(line, "mytool", hashes=(f"sha256:{digest}",))[0] == ["mytool==1.0"]
    for wrong in ({"hashes": (f"sha256:{digest[::-1]}",)}, {"line": f"{line}#sha256={digest[::-1]}"}):
        with pytest.raises(SourceFailed) as failed:
            build(**{"line": line, "name": "mytool"} | wrong)
        assert failed.value.code == "hash-mismatch"


def test_a_folder_of_an_archive_is_refused(build):
    """What stands in the root is another project."""
    with pytest.raises(SourceFailed) as failed:
        build("x @ https://h/mono.zip#subdirectory=python", "x")
    assert failed.value.code == "subdirectory"


def test_other_requirements_stay_as_they_are(build):
    """Names, and wheels by URL; offline nothing is read from a network."""
    assert build("einops>=0.8", "einops")[:2] == (["einops>=0.8"], {})
    assert build("x @ https://h/x-1-py3-none-any.whl", "x")[1] == {}
    with pytest.raises(SourceFailed, match="cannot be read offline"):
        build("x @ git+https://example.org/x.git", "x", offline=True)
