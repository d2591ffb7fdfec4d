"""An interpreter -> Inventory: its environment, read as text and files; nothing of it is imported."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

from torchdoctor.core.fact import absent, found, unknown
from torchdoctor.core.i18n import message
from torchdoctor.detect.python.facts import platform_of
from torchdoctor.inventory import files
from torchdoctor.inventory.companion_match import match_companion, numpy_compatibility
from torchdoctor.inventory.distributions import conda_packages, read_folder
from torchdoctor.inventory.environment_variables import certificates, proxies, variables
from torchdoctor.inventory.extension_fits import installed_extensions
from torchdoctor.inventory.import_path import import_path, pth_files, python_path, shadows, user_site
from torchdoctor.inventory.install_record import read_install_record
from torchdoctor.inventory.libraries import cuda_majors, openmp_runtimes, torch_libraries
from torchdoctor.inventory.metadata import is_relevant
from torchdoctor.inventory.model import Inventory
from torchdoctor.inventory.package_model import Duplicate
from torchdoctor.inventory.required import marker_environment, required_by_torch
from torchdoctor.inventory.runtime_libraries import runtime_libraries
from torchdoctor.inventory.shared_files import check_records
from torchdoctor.inventory.tool_settings import tool_settings
from torchdoctor.inventory.torch_packages import copies_in, duplicates_of
from torchdoctor.inventory.truncated_libraries import truncated
from wheels_index import TORCH_PROJECTS, bundled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from torchdoctor.core import Fact
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.inventory.distributions import SiteFolder
    from torchdoctor.inventory.model import Kind
    from torchdoctor.inventory.package_model import (
        CompanionMatch,
        Depth,
        Distribution,
        Numpy,
        RecordCheck,
        TorchPackage,
    )
    from wheels_index import Snapshot

__all__ = ["collect_inventory"]

T = TypeVar("T")

_ENVIRON = "the environment variables"
_MAX_FOLDERS = 200
_MAX_TRUNCATED = 50
_MAX_LEFTOVERS = 200


def collect_inventory(
    system: System,
    python: PythonInfo,
    *,
    here: Path,
    depth: Depth = "sizes",
    index: Snapshot | None = None,
) -> Inventory:
    """Return what is on the path of `python` and what its tools are configured with.

    `here` is the current folder. `depth` says how closely files are compared with their RECORD. Companions are judged
    by the facts of `index`, by default those that came with torchdoctor. Never raises: what cannot be read is an
    unknown fact.
    """
    user = user_site(python, system.environ)
    path = import_path(python, system.environ, user)
    prefix = str(python.prefix)
    conda = conda_packages(prefix)
    folders = [item.folder for item in path if item.origin != "standard library" and item.there][
        :_MAX_FOLDERS
    ]
    sites = [read_folder(folder) for folder in folders]
    own = [item for site in sites for item in site.distributions]
    everything = [*own, *(conda.distributions if conda else ())]
    problems = [text for site in [*sites, *([conda] if conda else [])] for text in site.problems]
    where = ", ".join(folders[:4]) or prefix
    copies = [copy for site in sites for copy in copies_in(site)]
    facts = index or bundled()
    needed = required_by_torch(own, marker_environment(python))
    first = {name: next((item for item in copies if item.name == name), None) for name in TORCH_PROJECTS}
    return Inventory(
        python=str(python.executable),
        prefix=prefix,
        kind=_kind(python, conda),
        path=_list_fact(path, str(python.executable)),
        distributions=_list_fact(everything, where, problems),
        torch=_single_fact(first["torch"], where, problems),
        torchvision=_single_fact(first["torchvision"], where, problems),
        torchaudio=_single_fact(first["torchaudio"], where, problems),
        copies=_list_fact(copies, where, problems),
        companions=_list_fact(_companions(first, facts), "wheels_index"),
        extensions=installed_extensions(own, first["torch"], system, prefix, depth),
        duplicates=_list_fact(_duplicates(own), where, problems),
        records=_records(own, depth, needed),
        truncated=_truncated(sites, depth),
        runtime=runtime_libraries(first["torch"], needed, folders, system, depth),
        leftovers=_list_fact(_leftovers(sites), where, problems),
        shadows=_list_fact(shadows(here, path), f"{here}, PYTHONPATH"),
        python_path=_list_fact(python_path(system.environ, python), "PYTHONPATH"),
        user_site=user,
        pth=_list_fact(tuple(pth_files(sites)), where, problems),
        numpy=_numpy(own, first["torch"], platform_of(python), facts, where),
        openmp=_list_fact(openmp_runtimes(prefix, sites), where, problems),
        cuda_majors=_list_fact(cuda_majors(everything), where, problems),
        settings=_list_fact(
            tool_settings(system.environ, python, here), "the files and variables of pip, uv and conda"
        ),
        proxies=_list_fact(proxies(system.environ), _ENVIRON),
        certificates=_list_fact(certificates(system.environ), _ENVIRON),
        variables=_list_fact(variables(system.environ), _ENVIRON),
        install_record=read_install_record(prefix),
    )


def _list_fact(rows: Sequence[T], source: str, problems: Sequence[str] = ()) -> Fact[tuple[T, ...]]:
    """An empty list is absent, unless something could not be read."""
    if rows:
        return found(tuple(rows), source)
    return unknown("; ".join(problems[:3]), source) if problems else absent(source)


def _single_fact(row: T | None, source: str, problems: Sequence[str]) -> Fact[T]:
    if row is not None:
        return found(row, source)
    return unknown("; ".join(problems[:3]), source) if problems else absent(source)


def _kind(python: PythonInfo, conda: SiteFolder | None) -> Fact[Kind]:
    if python.is_venv:
        return found("venv", f"{python.prefix}/pyvenv.cfg")
    if conda is not None:
        # Only the base environment has conda itself in it.
        base = any(name.startswith(("conda-", "mamba-")) and name.endswith(".json") for name in conda.names)
        kind: Kind = "conda-base" if base and files.exists(f"{python.prefix}/condabin") else "conda"
        return found(kind, conda.folder)
    return found("interpreter", str(python.executable))


def _companions(first: dict[str, TorchPackage | None], index: Snapshot) -> list[CompanionMatch]:
    torch = first["torch"]
    matches = [
        match_companion(torch, package, index)
        for name, package in first.items()
        if name != "torch" and package is not None and torch is not None
    ]
    return [package for package in matches if package is not None]


def _duplicates(distributions: Iterable[Distribution]) -> list[Duplicate]:
    return [
        Duplicate(
            name=name,
            versions=tuple(copy.version or "?" for copy in copies),
            metadata=tuple(copy.metadata for copy in copies),
        )
        for name, copies in duplicates_of(distributions)
    ]


def _records(
    distributions: Sequence[Distribution], depth: Depth, needed: AbstractSet[str] | None
) -> Fact[tuple[RecordCheck, ...]]:
    """The packages that have wrong files, of those that torch requires and of NVIDIA's and others of PyTorch."""
    if depth == "list":
        return unknown(message("files were not compared: only a list was asked for"), "RECORD")
    looked_at = [each for each in distributions if is_relevant(each.name) or each.name in (needed or ())]
    checked = check_records(looked_at, depth, needed)
    source = message("{checked} RECORD files", checked=checked.count)
    return found(checked.wrong, source) if checked.wrong else absent(source)


def _truncated(sites: Iterable[SiteFolder], depth: Depth) -> Fact[tuple[str, ...]]:
    if depth == "list":
        return unknown(message("libraries were not read: only a list was asked for"), "their headers")
    paths = [path for site in sites for path in torch_libraries(site)]
    short = tuple(truncated(paths))
    source = message("the headers of {count} libraries", count=len(paths))
    return found(short[:_MAX_TRUNCATED], source) if short else absent(source)


def _leftovers(sites: Iterable[SiteFolder]) -> list[str]:
    """What an interrupted pip leaves: folders that begin with ~, half metadata, a folder torch that is no package."""
    leftovers = []
    for site in sites:
        leftovers += [f"{site.folder}/{name}" for name in site.names if name.startswith("~")]
        if _is_left_over(site):
            leftovers.append(f"{site.folder}/torch")
        for distribution in site.distributions:
            if distribution.kind == "wheel" and not (
                files.is_filled(f"{distribution.metadata}/METADATA")
                and (
                    distribution.editable
                    or files.is_filled(f"{distribution.metadata}/RECORD")
                    or distribution.installer not in ("pip", "uv")
                )
            ):
                leftovers.append(distribution.metadata)
    return leftovers[:_MAX_LEFTOVERS]


def _is_left_over(site: SiteFolder) -> bool:
    """Whether the folder torch in a folder of packages is of a torch that is gone."""
    return (
        os.path.basename(site.folder) in ("site-packages", "dist-packages")  # noqa: PTH119
        and "torch" in site.names
        and not files.exists(f"{site.folder}/torch/__init__.py")
        and all(distribution.name != "torch" for distribution in site.distributions)
    )


def _numpy(
    distributions: Iterable[Distribution],
    torch: TorchPackage | None,
    platform: str | None,
    index: Snapshot,
    where: str,
) -> Fact[Numpy]:
    numpy = next((numpy for numpy in distributions if numpy.name == "numpy"), None)
    if numpy is None or numpy.version is None:
        return absent(where)
    return found(numpy_compatibility(numpy.version, torch, platform, index), numpy.metadata)
