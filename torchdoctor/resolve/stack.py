"""Splits a stack: what it asks of torch and its companions goes into the request, the rest stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from torchdoctor.core.i18n import message
from torchdoctor.core.requirement_names import project_of
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import UsageError
from torchdoctor.requirements.torch_indexes import is_torch_index
from wheels_index import TORCH_PROJECTS, UnknownVariant, variant, variant_of

if TYPE_CHECKING:
    from collections.abc import Container

    from torchdoctor.requirements import AskedRequirement, StackRequest
    from torchdoctor.resolve.model import Request

__all__ = ["with_stack"]


def with_stack(request: Request, stack: StackRequest) -> tuple[Request, StackRequest]:
    """Return the request with what the stack asks of torch and its companions, and the stack without it.

    The stack's markers are evaluated. What a file pins to one build (`torch==2.1.0+cu121`) counts for the release
    alone, since the build is chosen for the machine; what the user typed counts as it is. Raises `UsageError` for two
    builds, and for a torch from a URL that is not of PyTorch's index.
    """
    split = _Split(request, overridden={project_of(line) for line in stack.overrides})
    requirements = [rest for asked in stack.requirements if (rest := split.requirement(asked)) is not None]
    constraints = [rest for asked in stack.constraints if (rest := split.constraint(asked)) is not None]
    for line in stack.overrides:
        split.override(Requirement(line))
    notes = dict.fromkeys((*stack.notes, *split.notes))
    return (
        replace(request, torch=split.torch, required=split.required, variant=split.variant),
        replace(stack, requirements=tuple(requirements), constraints=tuple(constraints), notes=tuple(notes)),
    )


class _Split:
    """What is asked of torch and its companions so far; each method returns what is not about these."""

    def __init__(self, request: Request, *, overridden: Container[str]) -> None:
        self.torch, self.required, self.variant = request.torch, dict(request.required), request.variant
        self.notes: list[str] = []
        self._excluded, self._overridden = request.excluded, overridden

    def requirement(self, asked: AskedRequirement) -> AskedRequirement | None:
        """Take a requirement; one of torch with extras also stays for these."""
        if asked.name in self._excluded:
            self.notes.append(
                message(
                    "{origin}: {name} is left out, as --without says", origin=asked.origin, name=asked.name
                )
            )
            return None
        if asked.name not in TORCH_PROJECTS:
            return asked
        requirement = self._of_release(asked)
        self._limit(asked.name, SpecifierSet() if asked.name in self._overridden else requirement.specifier)
        extras = ",".join(sorted(requirement.extras))
        return replace(asked, line=f"{asked.name}[{extras}]") if extras else None

    def constraint(self, asked: AskedRequirement) -> AskedRequirement | None:
        """Take a constraint; those of the companions stay, since they do not ask for them."""
        if asked.name not in TORCH_PROJECTS:
            return asked
        requirement = self._of_release(asked)
        if asked.name != "torch":
            return replace(asked, line=str(requirement))
        if asked.name not in self._overridden:
            self._limit("torch", requirement.specifier)
        return None

    def override(self, overriding: Requirement) -> None:
        """Take an override, which stands in the place of what the stack asks."""
        name = str(canonicalize_name(overriding.name))
        if name == "torch" or name in self.required:
            self._limit(name, _public(overriding.specifier))

    def _limit(self, name: str, specifier: SpecifierSet) -> None:
        if name != "torch":
            self.required[name] = self.required.get(name, SpecifierSet()) & specifier
        elif str(specifier):
            self.torch = specifier if self.torch is None else self.torch & specifier

    def _of_release(self, asked: AskedRequirement) -> Requirement:
        """The requirement with public versions; a build that the user typed is chosen, one of a file is not."""
        requirement = Requirement(asked.line)
        builds = {each.version for each in requirement.specifier if "+" in each.version}
        if requirement.url is not None:
            builds = {_version_of_url(requirement.url, asked)}
            requirement.specifier = SpecifierSet(f"=={min(builds)}")
            requirement.url = None
        typed = asked.origin.startswith("--with ")
        for build in sorted(builds):
            _, _, local = build.partition("+")
            if typed and local:
                self.variant = _chosen(self.variant, local, asked)
            elif not typed:
                self.notes.append(
                    message(
                        "{origin}: {name} {version} counts for the release; the build is chosen for the machine",
                        origin=asked.origin,
                        name=asked.name,
                        version=build,
                    )
                )
        requirement.specifier = _public(requirement.specifier)
        return requirement


def _version_of_url(url: str, asked: AskedRequirement) -> str:
    filename = unquote(PurePosixPath(urlsplit(url).path).name)
    try:
        name, version, _, _ = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        name, version = None, None
    if version is None or name != asked.name or not is_torch_index(url):
        raise UsageError(
            message(
                "{origin}: {name} is asked for from {url}, which is not a file of PyTorch's index",
                origin=asked.origin,
                name=asked.name,
                url=redact_url(url),
            ),
            fix=message("ask for a version, and name the folder or the page of that file with --find-links"),
            code="torch-url",
        )
    return str(version)


def _chosen(before: str, local: str, asked: AskedRequirement) -> str:
    from packaging.version import Version

    try:
        wanted = variant(variant_of(Version(f"0+{local}")) or local).name
    except UnknownVariant as error:
        raise UsageError(
            message("{origin}: {local!r} is not a variant", origin=asked.origin, local=local[:40]),
            fix=message("write auto, cpu, cu126, rocm6.4, xpu or the like"),
        ) from error
    if before not in ("auto", wanted):
        raise UsageError(
            message(
                "{origin} is a {build} build, and another option asks for {chosen}",
                origin=asked.origin,
                build=wanted,
                chosen=before,
            ),
            fix=message("leave one of them out"),
        )
    return wanted


def _public(specifiers: SpecifierSet) -> SpecifierSet:
    return SpecifierSet(",".join(f"{each.operator}{each.version.partition('+')[0]}" for each in specifiers))
