"""A stack: the requirements that somebody asked for, and what limits their versions."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AskedRequirement", "StackOptions", "StackRequest"]


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedRequirement:
    """One requirement that was asked for, and where."""

    line: str  # PEP 508, with its marker
    name: str  # normalised
    origin: str  # `--with timm`, `requirements.txt:12`, `pyproject.toml`
    hashes: tuple[str, ...] = ()  # `sha256:...`, of a file in hash mode
    implied: bool = False  # nobody named it: what was asked for needs it


@dataclass(frozen=True, kw_only=True, slots=True)
class StackRequest:
    """Everything that was asked for by name, file or project; torch and its companions are among it.

    Markers are not evaluated yet: they belong to the machine that it is for.
    """

    requirements: tuple[AskedRequirement, ...] = ()
    constraints: tuple[AskedRequirement, ...] = ()  # limit versions and install nothing
    overrides: tuple[str, ...] = ()  # requirement lines that replace what others require of the same project
    preferred: tuple[
        AskedRequirement, ...
    ] = ()  # exact versions of a lock, taken where everything else allows
    pythons: tuple[AskedRequirement, ...] = ()  # which Pythons the projects are for: `python>=3.10`
    indexes: tuple[str, ...] = ()  # URLs of indexes that the files name and the user agreed to
    find_links: tuple[str, ...] = ()  # folders and pages that the files name and the user agreed to
    prereleases: bool = False  # whether a file asks for pre-releases with `--pre`
    builds: frozenset[str] = (
        frozenset()
    )  # packages that may be built from source; `:all:` stands for every one
    notes: tuple[str, ...] = ()  # what of the files is replaced or not followed, each a sentence

    def __bool__(self) -> bool:
        return bool(self.requirements or self.constraints or self.overrides)


@dataclass(frozen=True, kw_only=True, slots=True)
class StackOptions:
    """What is asked for besides torch, as it was typed."""

    files: tuple[str, ...] = ()  # of `-r`: paths or URLs
    constraints: tuple[str, ...] = ()  # of `-c`
    projects: tuple[str, ...] = ()  # of `--project`: folders, each with its extras
    with_: tuple[str, ...] = ()  # of `--with`: requirements
    overrides: tuple[str, ...] = ()  # of `--override`: requirements
    builds: tuple[str, ...] = ()  # of `--build`: names of packages, or `:all:`

    def __bool__(self) -> bool:
        return bool(self.files or self.constraints or self.projects or self.with_ or self.overrides)
