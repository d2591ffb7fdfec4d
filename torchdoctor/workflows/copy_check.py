"""What a copy of PyPI serves is held against PyPI, and a triton of any index against who is trusted of it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from torchdoctor.core.i18n import joined, message, plurals
from torchdoctor.core.net import NotFound, Unreachable, fetch_page
from torchdoctor.core.threads import start_thread
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import SourceFailed
from torchdoctor.sources import OFFICIAL, PYPI
from torchdoctor.sources.listed_file import files_on, lists_file
from torchdoctor.sources.vouched_files import known_hashes
from torchdoctor.sources.vouching import is_of_torch, may_say, speaker_of
from wheels_index import InvalidWheel, Wheel, bundled

if TYPE_CHECKING:
    from collections.abc import Collection

    from torchdoctor.core.progress import Reporter
    from torchdoctor.lock import Lock, LockedWheel
    from torchdoctor.lock.model import LockRequest
    from torchdoctor.sources import Sources
    from torchdoctor.sources.source import Source
    from torchdoctor.sources.vouching import Speaker

__all__ = ["CopyCheck", "Lie", "without_lying_copies"]

_AT_ONCE = 8
_WAIT_SECONDS = 15.0  # for answers that are not there when everything else is done


@dataclass(frozen=True, kw_only=True, slots=True)
class Lie:
    """A file of an index that is not the one that is known under its name."""

    wheel: LockedWheel
    speaker: Speaker
    known: str | None  # the hash that is right; None where there is no such file


class CopyCheck:
    """Asks PyPI in background threads, once for each package of a copy; `lies()` waits for them.

    Where PyPI does not answer at all, no more is asked. Nothing is asked of other packages of an index of
    the user's own: PyPI knows nothing of them.
    """

    def __init__(
        self, lock: Lock, request: LockRequest, *, settled: Collection[str], trusted: bool = False
    ) -> None:
        self._sources = request.sources
        self._silent, self._answered = threading.Event(), threading.Event()
        self._slots = threading.BoundedSemaphore(_AT_ONCE)
        self._answers: dict[str, Lie | None] = {}
        unsure = (
            (wheel, self._speaker(wheel))
            for wheel in lock.wheels
            if wheel.filename not in settled and not trusted and wheel.sha256 is not None
        )
        self.asked = [
            (wheel, speaker)
            for wheel, speaker in unsure
            if not may_say(speaker, "hash", wheel.name)
            and not (speaker == "folder" and not is_of_torch(wheel.name))
        ]
        if request.offline:
            self._silent.set()
        self._threads = [start_thread(partial(self._ask, *each)) for each in self.asked]

    def _speaker(self, wheel: LockedWheel) -> Speaker:
        """Who lists a file: uv does not say it, so it is the least of those that may have listed it.

        Where a file lies does not tell who gave its hash: a copy's page can lead to any host, such as PyPI's own.
        """
        if wheel.url.startswith("file:"):
            return "folder"
        speakers = list(map(speaker_of, self._near(wheel)))
        order: tuple[Speaker, ...] = ("mirror", "index", "folder")
        return next((each for each in (*order, *speakers) if each in speakers), "index")

    def _near(self, wheel: LockedWheel) -> list[Source]:
        """Return the sources that may list a file: those that share most of its address, else all."""
        sources = self._sources
        default = (sources.default_index,) if sources.default_index is not None else ()
        places = [*sources.indexes, *default, *sources.find_links]
        shared = {source: _shared_parts(source.url, wheel.url) for source in places}
        most = max(shared.values(), default=0)
        return [source for source in places if shared[source] == most]

    def _is_of_another(self, wheel: LockedWheel) -> bool:
        """Whether a source that is no copy of PyPI, and may say so, lists a file that a copy may have listed."""
        return any(
            lists_file(source, wheel.name, url=wheel.url, sha256=wheel.sha256)
            for source in self._near(wheel)
            if may_say(speaker_of(source), "hash", wheel.name) and speaker_of(source) != "pypi"
        )

    def lies(self) -> tuple[Lie, ...]:
        """Return the files that are not what they are named after."""
        until = time.monotonic() + _WAIT_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        lies = tuple(lie for lie in dict(self._answers).values() if lie is not None)
        if lies and not self._answered.is_set() and not _pypi_answers():
            for lie in lies:
                self._answers.pop(lie.wheel.filename)
            return ()
        return lies

    def is_right(self, filename: str) -> bool:
        """Return whether it is known by now that a file is what it is named after."""
        return filename in self._answers and self._answers[filename] is None

    def report_unanswered(self, report: Reporter) -> tuple[str, ...]:
        """Say what could not be asked; return the names of files of torch's that nobody vouches for."""
        open_questions = [
            (wheel, speaker) for wheel, speaker in self.asked if wheel.filename not in self._answers
        ]
        of_torch = tuple(wheel.filename for wheel, _ in open_questions if is_of_torch(wheel.name))
        if of_torch:
            report.warn(
                message(
                    "no stored facts know {names}, and PyPI could not be asked: taken from your index as it is",
                    names=joined(of_torch),
                )
            )
        elif open_questions:
            report.note(
                message(
                    "PyPI could not be asked whether {files} of its copy are its own",
                    files=plurals.files(len(open_questions)),
                )
            )
        return of_torch

    def _ask(self, wheel: LockedWheel, speaker: Speaker) -> None:
        with self._slots:
            if wheel.sha256 in _by_facts(wheel) or (speaker == "mirror" and self._is_of_another(wheel)):
                self._answers[wheel.filename] = None
                return
            if self._silent.is_set():
                return
            try:
                right = _listed_by(PYPI, wheel)
            except (Unreachable, ValueError):
                if not self._answered.is_set() and not _pypi_answers():
                    self._silent.set()
                return
            if right is not None:
                self._answered.set()
            hashes = right or frozenset()
            if is_of_torch(wheel.name) and wheel.sha256 not in hashes:
                hashes |= _by_official_index(wheel)
            if wheel.sha256 in hashes:
                self._answers[wheel.filename] = None
            elif hashes or speaker == "mirror" or is_of_torch(wheel.name):
                self._answers[wheel.filename] = Lie(
                    wheel=wheel, speaker=speaker, known=min(hashes, default=None)
                )


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _shared_parts(one: str, other: str) -> int:
    """Return how many parts two URLs have in common at their beginning: the host, then folders; 0 of other hosts."""
    pairs = zip((_host(one), *_folders(one)), (_host(other), *_folders(other)), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _folders(url: str) -> list[str]:
    return [part for part in unquote(url.partition("://")[2]).split("/")[1:-1] if part]


def _by_facts(wheel: LockedWheel) -> frozenset[str]:
    if not is_of_torch(wheel.name):
        return frozenset()
    try:
        return known_hashes(bundled(), Wheel.from_filename(wheel.filename))
    except InvalidWheel:
        return frozenset()


def _listed_by(index: Source, wheel: LockedWheel) -> frozenset[str] | None:
    """The hash that an index gives a file, none for one that it does not have; None where it has no such project.

    Raises `Unreachable` or ValueError.
    """
    try:
        page = fetch_page(f"{index.url}/{wheel.name}/")
    except NotFound:
        return None
    listed = files_on(page, wheel.name)
    return frozenset(each.sha256 for each in listed if each.filename == wheel.filename and each.sha256)


def _by_official_index(wheel: LockedWheel) -> frozenset[str]:
    """The hash that PyTorch's own index gives a file; none where it has no such file, or does not answer."""
    try:
        return _listed_by(OFFICIAL, wheel) or frozenset()
    except (Unreachable, ValueError):
        return frozenset()


def _pypi_answers() -> bool:
    """Whether PyPI can be asked at all: a proxy that keeps it away may say of everything that it is not there."""
    try:
        fetch_page(f"{PYPI.url}/pip/")
    except (NotFound, Unreachable):
        return False
    return True


def without_lying_copies(request: LockRequest, lies: Collection[Lie], report: Reporter) -> LockRequest:
    """Return the request with PyPI in the place of its copies, one of which serves other files.

    Raises `SourceFailed` where the file is of an index that is no copy.
    """
    told = joined(
        [
            message(
                "{url} has SHA-256 {found}…, and {known}… is right",
                url=redact_url(lie.wheel.url),
                found=(lie.wheel.sha256 or "")[:16],
                known=lie.known[:16],
            )
            if lie.known is not None
            else message("{url} is not on PyPI", url=redact_url(lie.wheel.url))
            for lie in list(lies)[:3]
        ],
        "; ",
    )
    sources = _with_pypi_itself(request.sources)
    if sources == request.sources or any(lie.speaker != "mirror" for lie in lies):
        is_unknown = all(lie.known is None for lie in lies)
        raise SourceFailed(
            told,
            fix=message(
                "nothing was installed; look where it comes from; --trust-mirror takes it on your own word"
            )
            if is_unknown
            else message(
                "nothing was installed; name another source, and report this to the operator of that one"
            ),
            code="not-vouched" if is_unknown else "hash-conflict",
        )
    report.warn(message("{files}: PyPI itself is asked instead", files=told))
    return replace(request, sources=sources)


def _with_pypi_itself(sources: Sources) -> Sources:
    def replaced(source: Source) -> Source:
        return PYPI if speaker_of(source) == "mirror" else source

    default = sources.default_index
    return replace(
        sources,
        indexes=tuple(dict.fromkeys(map(replaced, sources.indexes))),
        default_index=replaced(default) if default is not None else None,
    )
