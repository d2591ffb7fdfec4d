"""A stack while it is read: what was found so far, and what the user agreed to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.urls import plain_url
from torchdoctor.errors import NotConfirmed
from torchdoctor.requirements.model import StackRequest
from torchdoctor.requirements.refusal import shown
from torchdoctor.requirements.torch_indexes import is_pypi, is_torch_index

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torchdoctor.requirements.model import AskedRequirement

__all__ = ["ProjectFolder", "StackBuilder"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectFolder:
    """The folder of a project, its extras that are asked for, and the option or line that asks."""

    path: Path
    extras: tuple[str, ...] = ()
    origin: str


@dataclass(kw_only=True, slots=True)
class StackBuilder:
    """Collects what is asked for; `ask` asks the user a question, and is False where nobody can answer.

    `environ` has the variables that files may name, `folder` is the current one. Indexes in `known_indexes` are the
    user's own, so that a file may name them too.
    """

    environ: Mapping[str, str]
    folder: Path
    ask: Callable[[str], bool]
    known_indexes: frozenset[str] = frozenset()
    trust_indexes: bool = False  # whether the user agreed to what files name as places of packages
    build_metadata: Callable[[Path], str] | None = (
        None  # runs the code of a project in a folder; None: it cannot
    )
    requirements: list[AskedRequirement] = field(default_factory=list)
    constraints: list[AskedRequirement] = field(default_factory=list)
    overrides: list[str] = field(default_factory=list)
    preferred: list[AskedRequirement] = field(default_factory=list)
    pythons: list[AskedRequirement] = field(default_factory=list)
    indexes: list[str] = field(default_factory=list)
    find_links: list[str] = field(default_factory=list)
    prereleases: bool = False
    builds: set[str] = field(default_factory=set)  # names of packages whose code the user agreed to run
    notes: list[str] = field(default_factory=list)
    reading: list[str] = field(default_factory=list)  # files that are read now, the outermost first
    file_count: int = 0
    projects: list[ProjectFolder] = field(default_factory=list)  # that are still to be read
    files: list[tuple[str, str]] = field(
        default_factory=list
    )  # requirement files still to be read: path, origin

    def stack(self) -> StackRequest:
        """Return what was collected, each thing once."""
        return StackRequest(
            requirements=tuple(dict.fromkeys(self.requirements)),
            constraints=tuple(dict.fromkeys(self.constraints)),
            overrides=tuple(dict.fromkeys(self.overrides)),
            preferred=tuple(dict.fromkeys(self.preferred)),
            pythons=tuple(dict.fromkeys(self.pythons)),
            indexes=tuple(dict.fromkeys(self.indexes)),
            find_links=tuple(dict.fromkeys(self.find_links)),
            prereleases=self.prereleases,
            builds=frozenset(self.builds),
            notes=tuple(dict.fromkeys(self.notes)),
        )

    def add_index(self, url: str, origin: str) -> None:
        """Add an index that a file names: PyTorch's own is replaced, and any other needs the user's consent.

        Raises `NotConfirmed` without it: an index may serve any package, so a project must not choose it silently.
        """
        if self._is_replaced(url, origin) or is_pypi(url) or url.rstrip("/") in self.known_indexes:
            return
        shown_url = shown(plain_url(url))
        if url not in self.indexes:
            self._require_trust(
                message(
                    "{origin} names the index {url}, which could serve any package. Use it?",
                    origin=origin,
                    url=shown_url,
                ),
                refusal=message(
                    "{origin} names the index {url}, and using it needs your consent: it could serve any package",
                    origin=origin,
                    url=shown_url,
                ),
            )
            self.indexes.append(url)

    def add_find_links(self, place: str, origin: str) -> None:
        """Add a page or folder of wheels, as `add_index` adds an index."""
        if self._is_replaced(place, origin) or place in self.find_links:
            return
        self._require_trust(
            message(
                "{origin} names {place} as a place of packages. Use it?",
                origin=origin,
                place=shown(plain_url(place) if "://" in place else place),
            ),
            refusal=message(
                "{origin} names {place} as a place of packages, and using it needs your consent",
                origin=origin,
                place=shown(plain_url(place) if "://" in place else place),
            ),
        )
        self.find_links.append(place)

    def _require_trust(self, question: str, *, refusal: str) -> None:
        if not (self.trust_indexes or self.ask(question)):
            raise NotConfirmed(
                refusal,
                fix=message("agree with y, --trust-project or --yes, or take it out of what is asked for"),
            )

    def _is_replaced(self, url: str, origin: str) -> bool:
        if not is_torch_index(url):
            return False
        self.notes.append(
            message(
                "{origin}: {url} is replaced by the PyTorch index that fits the machine",
                origin=origin,
                url=shown(url),
            )
        )
        return True
