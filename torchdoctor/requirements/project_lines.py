"""What a project says that it needs, from whichever file, and which of it is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchdoctor.core.i18n import joined, message
from torchdoctor.requirements.builder import ProjectFolder
from torchdoctor.requirements.lines import parse_requirement, read_requirement
from torchdoctor.requirements.model import AskedRequirement
from torchdoctor.requirements.refusal import refused

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.requirements import Requirement

    from torchdoctor.requirements.builder import StackBuilder
    from torchdoctor.requirements.lines import Place
    from torchdoctor.requirements.uv_tables import UvSources

__all__ = ["ProjectLines", "read_project_lines"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectLines:
    """The requirement lines of a project: its own under "", those of extras and groups under their names."""

    place: Place
    groups: dict[str, list[str]]
    name: str | None = None  # of the project
    python: str | None = None  # the Pythons that it is for, as a specifier
    files: dict[str, list[Path]] = field(default_factory=dict)  # files of more requirements, likewise

    def __bool__(self) -> bool:
        return any(self.groups.values()) or any(self.files.values())


def read_project_lines(
    lines: ProjectLines, project: ProjectFolder, sources: UvSources, builder: StackBuilder
) -> None:
    """Read what is asked for of the project into the builder; raises `UsageError` for an extra that it has not."""
    extras = tuple(str(canonicalize_name(extra)) for extra in project.extras)
    _refuse_unknown(lines, extras, project)
    if lines.python and lines.python.strip():
        line = str(parse_requirement(f"python{lines.python}", lines.place))
        builder.pythons.append(AskedRequirement(line=line, name="python", origin=lines.place.origin))
    reader = _Reader(lines, extras, sources, builder)
    for group in ("", *extras):
        for line in lines.groups.get(group, ()):
            reader.read(line)
        builder.files += [(str(path), lines.place.origin) for path in lines.files.get(group, ())]
    _say_where_torch_is(lines, extras, builder)


def _refuse_unknown(lines: ProjectLines, extras: tuple[str, ...], project: ProjectFolder) -> None:
    known = {name for name in (*lines.groups, *lines.files) if name}
    unknown = [extra for extra in extras if extra not in known]
    if unknown:
        raise refused(
            project.origin,
            message("the project has no extra or group {name!r}", name=unknown[0]),
            fix=message("choose from: {names}", names=joined(sorted(known)))
            if known
            else message("it has none; leave the brackets out"),
            code="no-such-extra",
        )


class _Reader:
    """Reads lines of one project; a line that names the project's own extras stands for the lines of these."""

    def __init__(
        self, lines: ProjectLines, extras: tuple[str, ...], sources: UvSources, builder: StackBuilder
    ) -> None:
        self._lines, self._extras, self._sources, self._builder = lines, extras, sources, builder
        self._seen: set[tuple[str, str]] = set()

    def read(self, line: str, marker: str = "") -> None:
        """Read one line, which counts where `marker` holds."""
        place = self._lines.place
        requirement = parse_requirement(line, place)
        if marker:
            requirement = _also_where(requirement, marker, place)
        if requirement.name != self._lines.name:
            for text in self._sources.lines_of(requirement, self._extras):
                self._add(text)
            return
        condition = str(requirement.marker or "")
        for extra in sorted(str(canonicalize_name(extra)) for extra in requirement.extras):
            if (extra, condition) not in self._seen:
                self._seen.add((extra, condition))
                for other in self._lines.groups.get(extra, ()):
                    self.read(other, condition)

    def _add(self, text: str) -> None:
        found = read_requirement(text, self._lines.place, self._builder)
        if isinstance(found, ProjectFolder):
            self._builder.projects.append(found)
        else:
            self._builder.requirements.append(found)


def _also_where(requirement: Requirement, marker: str, place: Place) -> Requirement:
    condition = f"({requirement.marker}) and ({marker})" if requirement.marker else marker
    requirement.marker = None
    return parse_requirement(f"{requirement} ; {condition}", place)


def _say_where_torch_is(lines: ProjectLines, extras: tuple[str, ...], builder: StackBuilder) -> None:
    """Some projects have torch in extras alone, one for each kind of machine."""
    having = [name for name, texts in lines.groups.items() if any(_names_torch(text) for text in texts)]
    if having and not {"", *extras} & set(having):
        builder.notes.append(
            message(
                "{file}: torch is only in {extras}; --project DIR[{first}] asks for it as the project does",
                file=lines.place.origin,
                extras=joined(having),
                first=having[0],
            )
        )


def _names_torch(line: str) -> bool:
    words = line.replace("[", " ").split()
    return bool(words) and words[0].rstrip(";,").lower().partition("=")[0].rstrip("<>!~") == "torch"
