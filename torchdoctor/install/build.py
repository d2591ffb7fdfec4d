"""Makes and fills an environment beside its place, where nobody sees it yet."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import tomli_w

from torchdoctor.core.i18n.messages import message
from torchdoctor.core.system import uv
from torchdoctor.errors import InstallFailed
from torchdoctor.install.location import interpreter_of
from torchdoctor.inventory.installed import damaged_packages, read_installed
from torchdoctor.resolve.model import COMPANIONS

if TYPE_CHECKING:
    import threading
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from torchdoctor.fetch.model import FetchedWheel
    from torchdoctor.fetch.wheelhouse import Wheelhouse
    from torchdoctor.install.location import LocationKind

__all__ = [
    "dependency_conflicts",
    "fill",
    "keep_owner",
    "make",
    "other_owner",
    "packages_failing_record",
    "refuse_new_conflicts",
    "site_packages",
]

_LIMIT = 3600.0
# uv writes the prompt into scripts that a shell runs, as it is.
_UNSAFE = re.compile(r"[^\w .,+@=()-]")


def make(stage: Path, folder: Path, state: LocationKind, python: Path, environ: Mapping[str, str]) -> None:
    """Make the new environment in an empty folder, or copy the old one: hard links, so that gigabytes stay there."""
    if state == "venv":
        shutil.copytree(folder, stage, symlinks=True, copy_function=_link_or_copy, dirs_exist_ok=True)
        return
    finished = uv.run_uv(
        [
            "venv",
            "--relocatable",
            "--no-config",
            "--quiet",
            "--python",
            python,
            f"--prompt={_UNSAFE.sub('_', folder.name)}",
            stage,
        ],
        environ=environ,
        folder=stage.parent,
        limit=_LIMIT,
    )
    if finished.status != 0:
        raise InstallFailed(
            message("the virtual environment could not be made: {cause}", cause=finished.cause),
            fix=message("name another interpreter with --python, or another folder"),
        )


def _link_or_copy(source: str, target: str) -> None:
    # pyvenv.cfg and scripts are changed in place below; a hard link would change the old environment too.
    if Path(source).name != "pyvenv.cfg":
        try:
            os.link(source, target, follow_symlinks=False)
        except OSError:
            pass
        else:
            return
    shutil.copy2(source, target, follow_symlinks=False)


def fill(
    stage: Path,
    wheels: Sequence[FetchedWheel],
    work: Path,
    environ: Mapping[str, str],
    reinstall: Collection[str] = (),
    *,
    copied: bool = False,
    cache: Path | None = None,
    stopped: threading.Event | None = None,
) -> None:
    """Install some files of the lock, offline, with scripts that work after the rename; nothing is compiled.

    Those named in `reinstall` replace what is there at the same version. `copied` files share nothing with uv's cache:
    a hard link that is given to another user would give away the cache's own file. `cache` is used instead of uv's own.
    Raises `uv.Stopped` soon after `stopped` is set.
    """
    offline = work / "pylock.offline.toml"
    offline.write_text(tomli_w.dumps(_pointing_at_files(wheels)), "utf-8")
    with _relocatable(stage / "pyvenv.cfg"):
        finished = uv.run_uv(
            [
                "pip", "install", "--requirements", offline, "--python", interpreter_of(stage), "--offline",
                "--no-config", "--quiet",
                *(("--link-mode", "copy") if copied else ()),
                *(("--cache-dir", cache) if cache else ()),
                *(word for name in sorted(reinstall) for word in ("--reinstall-package", name)),
            ],
            environ=environ,
            folder=work,
            limit=_LIMIT,
            stopped=stopped,
        )  # fmt: skip
    if finished.status != 0:
        raise InstallFailed(
            message("the packages could not be installed: {cause}", cause=finished.cause),
            fix=message("run the command again with -v, and report its output if it stays so"),
        )


def packages_failing_record(stage: Path, wheelhouse: Wheelhouse) -> frozenset[str]:
    """Which packages of the lock are not as their RECORD says, though they were installed just now."""
    return frozenset(damaged_packages(site_packages(stage))) & {row.wheel.name for row in wheelhouse.wheels}


def site_packages(stage: Path) -> list[Path]:
    """The folders of an environment that packages are put into."""
    return [stage / "Lib" / "site-packages", *sorted(stage.glob("lib/python*/site-packages"))]


def dependency_conflicts(place: Path, work: Path, environ: Mapping[str, str]) -> set[str]:
    """What uv finds wrong among the packages of an environment."""
    finished = uv.run_uv(
        ["pip", "check", "--python", interpreter_of(place), "--no-config"],
        environ=environ,
        folder=work,
        limit=_LIMIT,
    )
    return {line.strip() for line in finished.stderr.splitlines() if line.startswith("The package")}


def refuse_new_conflicts(
    stage: Path, before: set[str], folder: Path, work: Path, environ: Mapping[str, str]
) -> None:
    """Refuse a change that leaves a package of the user's own without what it needs; `before` were wrong already."""
    _refuse_foreign_companions(stage, folder)
    new = sorted(dependency_conflicts(stage, work, environ) - before)
    if new:
        raise InstallFailed(
            message(
                "other packages in {folder} would stop working together: {which}",
                folder=folder,
                which=" ".join(new)[:600],
            ),
            fix=message("install into an environment of its own: torchdoctor install ENV"),
            code="conflict",
        )


def _refuse_foreign_companions(stage: Path, folder: Path) -> None:
    """A companion of another accelerator than torch cannot be imported, and its metadata does not show it."""
    installed = read_installed(site_packages(stage))
    torch = installed.named("torch")
    if torch is None or torch.build is None:
        return
    for companion in map(installed.named, COMPANIONS):
        if companion is not None and companion.build not in (None, torch.build):
            raise InstallFailed(
                message(
                    "{name} {version} in {folder} is a {build} build, and torch would be a {other} build: "
                    "it could not be imported any more",
                    name=companion.name,
                    version=companion.version,
                    folder=folder,
                    build=companion.build,
                    other=torch.build,
                ),
                fix=message(
                    "change both with `--with {name}`, uninstall {name} first, or install into an "
                    "environment of its own",
                    name=companion.name,
                ),
                code="conflict",
            )


def other_owner(folder: Path) -> os.stat_result | None:
    """Whose environment it is where an administrator changes another user's; None where there is nothing to keep."""
    if sys.platform == "win32" or os.geteuid() != 0 or not folder.exists():
        return None
    owner = folder.stat()
    return owner if owner.st_uid != 0 else None


def keep_owner(stage: Path, folder: Path) -> None:
    """Another user's environment stays that user's: what the administrator made in it is given away."""
    owner = other_owner(folder)
    if sys.platform == "win32" or owner is None:
        return
    for place, folders, files in os.walk(stage):
        for path in (place, *(os.path.join(place, name) for name in (*folders, *files))):  # noqa: PTH118
            if os.lstat(path).st_uid == 0:
                os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


@contextlib.contextmanager
def _relocatable(settings: Path) -> Iterator[None]:
    """Scripts written meanwhile find their interpreter beside them, so they work after the rename."""
    if not settings.is_file():
        # A conda environment is filled where it stays.
        yield
        return
    before = settings.read_text("utf-8")
    if "relocatable = true" not in before:
        settings.write_text(before.rstrip("\n") + "\nrelocatable = true\n", "utf-8")
    try:
        yield
    finally:
        settings.write_text(before, "utf-8")


def _pointing_at_files(wheels: Sequence[FetchedWheel]) -> dict[str, object]:
    packages = [
        {
            "name": row.wheel.name,
            "version": row.wheel.version,
            "wheels": [{"path": str(row.path), "size": row.size, "hashes": {"sha256": row.sha256}}],
        }
        for row in wheels
    ]
    return {"lock-version": "1.0", "created-by": "torchdoctor", "packages": packages}
