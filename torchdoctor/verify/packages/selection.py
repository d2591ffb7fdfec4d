"""Which packages are imported: those that were asked for, then those that require torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.markers import marker_holds
from torchdoctor.verify.packages.model import PackageTask, Selection
from torchdoctor.verify.packages.results import package_result
from wheels_index.extension import extension, extensions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torchdoctor.requirements import AskedRequirement
    from torchdoctor.verify.model import CheckResult
    from torchdoctor.verify.packages.model import ListedPackage

__all__ = ["applies", "select_packages", "with_recorded"]

# They have checks of their own.
_CHECKED_ELSEWHERE = ("torch", "torchvision", "torchaudio")
_WITHOUT_MODULES = {
    "stubs": message("it has type stubs only, so there is nothing to import"),
    "scripts": message("it has programs only, so there is nothing to import"),
    "data": message("it has no modules, so there is nothing to import"),
}


def select_packages(
    asked: Sequence[AskedRequirement],
    installed: Iterable[ListedPackage],
    markers: Mapping[str, str],
    *,
    compiled_only: bool = False,
) -> Selection:
    """Return what is imported of `installed`, in the environment with these `markers`; known extensions always are.

    With `compiled_only`, packages that nobody asked for are left out if they have no compiled code: what they need can
    be read from their metadata.
    """
    packages = {package.name: package for package in installed}
    wanted: dict[str, list[AskedRequirement]] = {}
    for requirement in asked:
        name = str(canonicalize_name(requirement.name))
        if applies(requirement.line, markers):
            wanted.setdefault(name, []).append(requirement)
    torch = wanted.pop("torch", [])
    rest = sorted(
        package.name
        for package in packages.values()
        if package.name not in wanted
        and package.name not in _CHECKED_ELSEWHERE
        and (package.compiled or not compiled_only)
        and (package.name in extensions() or _needs_torch(package, markers))
    )
    tasks: list[PackageTask] = []
    results: dict[str, CheckResult] = {}
    if "torch" in packages and (outside := _outside(packages["torch"], torch)):
        results["torch"] = package_result("torch", "warn", "package-version", outside)
    for name in (*wanted, *rest):
        package = packages.get(name)
        if package is None:
            results[name] = _missing(name, wanted[name])
        elif not package.modules:
            text = message(
                "{name} {version}: {why}", name=name, version=package.version, why=_nothing_in(package)
            )
            results[name] = package_result(name, "skip", "no-modules", text)
        else:
            outside = _outside(package, wanted.get(name, ()))
            needs_torch = _needs_torch(package, markers)
            operation = _operation(name)
            tasks.append(
                PackageTask(package=package, needs_torch=needs_torch, outside=outside, operation=operation)
            )
    order = (*(name for name in ("torch",) if name in results), *wanted, *rest)
    return Selection(tasks=tuple(tasks), results=results, order=order)


def with_recorded(
    asked: Sequence[AskedRequirement], recorded: Sequence[AskedRequirement]
) -> tuple[AskedRequirement, ...]:
    """Return what is asked for now, and what a record says of other projects."""
    names = {requirement.name for requirement in asked}
    return (*asked, *(requirement for requirement in recorded if requirement.name not in names))


def applies(line: str, markers: Mapping[str, str]) -> bool:
    """Return whether a requirement line applies under these markers; one that cannot be read does."""
    try:
        return marker_holds(Requirement(line).marker, markers) is not False
    except InvalidRequirement:
        return True


def _needs_torch(package: ListedPackage, markers: Mapping[str, str]) -> bool:
    """By its metadata; an extension that keeps silent there is known to be built for certain releases of torch."""
    known = extension(package.name)
    needed = [SpecifierSet(pair.torch) for pair in known.pairs if pair.torch] if known is not None else []
    # One that goes with the first torch of all goes with any, or without.
    tied = any(not specifier.contains("1.0") for specifier in needed)
    return tied or any(applies(line, markers) for line in package.requires)


def _operation(name: str) -> str | None:
    known = extension(name)
    return known.proof.operation if known is not None and known.proof is not None else None


def _nothing_in(package: ListedPackage) -> str:
    return _WITHOUT_MODULES.get(package.kind, _WITHOUT_MODULES["data"])


def _missing(name: str, asked: Sequence[AskedRequirement]) -> CheckResult:
    origins = joined(dict.fromkeys(requirement.origin for requirement in asked))
    text = message("{name} was asked for ({origin}) and is not installed", name=name, origin=origins)
    return package_result(name, "fail", "package-not-installed", text)


def _outside(package: ListedPackage, asked: Sequence[AskedRequirement]) -> str:
    """The first requirement that the installed version does not meet, as a sentence; empty where all are met."""
    for requirement in asked:
        try:
            specifier = Requirement(requirement.line).specifier
            met = specifier.contains(Version(package.version), prereleases=True)
        except (InvalidRequirement, InvalidVersion):
            continue
        if not met:
            return message(
                "{line} was asked for ({origin}), and {version} is installed",
                line=f"{package.name}{specifier}",
                origin=requirement.origin,
                version=package.version,
            )
    return ""
