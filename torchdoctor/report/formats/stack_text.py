"""What the forms of a plan are written from: pins of the family, the rest of the stack, and the index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from torchdoctor.core.urls import strip_credentials
from torchdoctor.requirements import StackRequest
from torchdoctor.resolve.accelerator import accelerator_package
from torchdoctor.sources import OFFICIAL
from torchdoctor.sources.source import PYPI, as_url
from wheels_index import TORCH_PROJECTS, UnknownRelease, bundled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchdoctor.detect import Machine
    from torchdoctor.resolve import Plan
    from wheels_index import Snapshot

__all__ = ["Pin", "StackText", "describe_stack", "safe_url"]

# What may stand in a URL; everything else, quotes, `$` and line ends among it, is percent-encoded.
_URL_SIGNS = ":/?#[]@!&()*+,;=%~"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pin:
    """One line of what is to be installed."""

    name: str  # normalised
    line: str  # PEP 508
    from_index: bool  # whether only the index of the plan has this build

    @property
    def requirement(self) -> Requirement:
        """The line as packaging reads it."""
        return Requirement(self.line)


@dataclass(frozen=True, kw_only=True, slots=True)
class StackText:
    """A plan and what was asked for beside it, each value fit to be written into a file."""

    plan: Plan
    machine: Machine
    family: tuple[Pin, ...]  # torch and its companions
    others: tuple[Pin, ...]  # what was asked for besides, and what torch does not declare
    index_url: str | None  # None where PyPI has exactly these builds
    is_link_page: bool  # whether `index_url` is a folder or a page of links, pip's `--find-links`
    accelerator: str | None  # a requirement of torch that only the index has: triton for ROCm and XPU
    constraints: tuple[str, ...] = ()  # limits that somebody gave; they install nothing
    overrides: tuple[str, ...] = ()
    more_indexes: tuple[str, ...] = ()  # that files of requirements name besides
    more_links: tuple[str, ...] = ()  # folders and pages of links that they name

    @property
    def title(self) -> str:
        """`torch 2.9.1+cu126`."""
        return f"torch {self.plan.torch.version}"

    @property
    def index_name(self) -> str:
        """A name for the index, such as `pytorch-cu126`."""
        return f"pytorch-{canonicalize_name(self.plan.variant)}"

    @property
    def python(self) -> str:
        """The minor version of the machine's Python: `3.12`."""
        return ".".join(self.machine.python.version.split(".")[:2])

    @property
    def pins(self) -> tuple[Pin, ...]:
        """Everything that is to be installed, torch first."""
        return (*self.family, *self.others)

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of everything that is to be installed."""
        return tuple(pin.line for pin in self.pins)

    @property
    def index_options(self) -> tuple[str, ...]:
        """The options by which pip finds everything: they add places, and take none away."""
        indexes, links = [*self.more_indexes], [*self.more_links]
        if self.index_url is not None:
            (links if self.is_link_page else indexes).insert(0, self.index_url)
        return (*(f"--extra-index-url {url}" for url in indexes), *(f"--find-links {url}" for url in links))


def describe_stack(
    plan: Plan,
    machine: Machine,
    *,
    stack: StackRequest | None = None,
    find_links: Iterable[str] = (),
    snapshot: Snapshot | None = None,
) -> StackText:
    """Return the plan as its forms are written from it; `find_links` are the places that the user named as such."""
    stack = stack or StackRequest()
    extras = {asked.name: _extras(asked.line) for asked in stack.requirements}
    url = _extra_index(plan)
    return StackText(
        plan=plan,
        machine=machine,
        family=tuple(
            Pin(
                name=package.name,
                line=f"{package.name}{extras.get(package.name, '')}=={package.version}"
                if not package.extras
                else package.requirement,
                from_index=url is not None,
            )
            for package in plan.packages
        ),
        others=tuple(_others(plan, stack, extras)),
        index_url=url,
        is_link_page=url is not None
        and (url.startswith("file:") or url in {safe_url(strip_credentials(place)) for place in find_links}),
        accelerator=_accelerator(plan, snapshot or bundled()),
        constraints=tuple(asked.line for asked in stack.constraints),
        overrides=stack.overrides,
        more_indexes=tuple(safe_url(strip_credentials(index)) for index in stack.indexes),
        more_links=tuple(safe_url(as_url(place, origin="--find-links")) for place in stack.find_links),
    )


def safe_url(url: str) -> str:
    """Return the URL with everything encoded that a shell, a file format or a line end could be made of."""
    return quote(url, safe=_URL_SIGNS)


def _extra_index(plan: Plan) -> str | None:
    """The index that has these builds; None where it is PyPI, or serves PyPI's own files as on macOS."""
    url = safe_url(strip_credentials(plan.index_url)).rstrip("/")
    host = urlsplit(url).hostname
    if host == urlsplit(PYPI.url).hostname:
        return None
    is_marked = any(package.version.local for package in plan.packages)
    if host == urlsplit(OFFICIAL.url).hostname and not is_marked:
        return None
    return url


def _others(plan: Plan, stack: StackRequest, extras: dict[str, str]) -> Iterator[Pin]:
    """What was asked for besides the family, in the versions that were solved for where there was a solution."""
    asked = {each.name: each.line for each in stack.requirements if each.name not in TORCH_PROJECTS}
    named = set()
    for package in plan.solved:
        if not package.asked or package.name in TORCH_PROJECTS:
            continue
        named.add(package.name)
        version = Version(package.version)
        line = asked.get(package.name, "")
        yield Pin(
            name=package.name,
            line=_line(line)
            if _has_url(line)
            else f"{package.name}{extras.get(package.name, '')}=={version}",
            from_index=version.local is not None and version.local.startswith(plan.variant),
        )
    if not plan.solved:
        for name, line in asked.items():
            named.add(name)
            yield Pin(name=name, line=_line(line), from_index=False)
    for line in plan.constraints:
        name = canonicalize_name(Requirement(line).name)
        if name not in named:
            yield Pin(name=name, line=line, from_index=False)


def _line(text: str) -> str:
    """A requirement as packaging writes it, on one line."""
    requirement = Requirement(text)
    if requirement.url is not None:
        is_ssh = urlsplit(requirement.url).scheme.endswith("ssh")  # its user is a part of the address
        requirement.url = safe_url(requirement.url if is_ssh else strip_credentials(requirement.url))
    return " ".join(str(requirement).split())


def _extras(line: str) -> str:
    try:
        extras = sorted(Requirement(line).extras)
    except InvalidRequirement:
        return ""
    return f"[{','.join(extras)}]" if extras else ""


def _has_url(line: str) -> bool:
    try:
        return bool(line) and Requirement(line).url is not None
    except InvalidRequirement:
        return False


def _accelerator(plan: Plan, snapshot: Snapshot) -> str | None:
    if plan.accelerator_wheels:
        return plan.accelerator_wheels[0].project
    try:
        release = snapshot.release(plan.torch.version)
    except UnknownRelease:
        return None
    return accelerator_package(release, plan.variant, snapshot)
