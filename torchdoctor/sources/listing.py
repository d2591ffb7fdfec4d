"""What a source lists for a project and variant: its pages, each read once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from torchdoctor.core.fs.regular_files import read_regular
from torchdoctor.core.i18n import message
from torchdoctor.core.net import NotFound, Page, Unreachable, fetch_page
from torchdoctor.core.text import sanitize_line
from torchdoctor.core.threads import thread_pool
from wheels_index import TORCH_PROJECTS, InvalidWheel, Wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from torchdoctor.sources.source import Provenance, Source
    from wheels_index import IndexPage
    from wheels_index.wheel_variants import VariantsFile

__all__ = ["SourceListing", "local_path"]

_PAGES_AT_ONCE = 8
_MAX_PAGE_BYTES = 64 << 20


@dataclass(kw_only=True)
class SourceListing:
    """The wheels of a source. Each page is read once, and none after the source could not be reached."""

    source: Source
    read: Callable[[str], Page] = fetch_page  # fetches the page at a URL
    on_unreachable: Callable[[Source, str], None] | None = None  # called with the reason, once
    known: Provenance = "live"
    failure: str | None = None  # why the source could not be read
    # Says of a wheel variant why the machine does not support it (None: it does), and which properties it has of it.
    judge_variant: Callable[[Wheel], tuple[str | None, tuple[str, ...]]] | None = None
    note: Callable[[str], None] | None = None  # told of what of the variants cannot be read
    vouched: Callable[[Source, Wheel], bool] | None = (
        None  # whether a file may be chosen; None: every one may
    )
    tells_metadata: bool = True  # whether a metadata file beside a wheel is believed
    variants: dict[str, VariantsFile] = field(default_factory=dict)  # by `torch-2.10.0`
    unsupported: dict[tuple[str, str], str] = field(default_factory=dict)  # why, by that and the label
    _pages: dict[str, tuple[Wheel, ...]] = field(default_factory=dict)
    _quarantined: set[str] = field(default_factory=set)  # projects

    @property
    def answered(self) -> bool:
        """Whether a page of it had wheels."""
        return any(self._pages.values())

    @property
    def name(self) -> str:
        """How the source is shown."""
        return self.source.name

    def admits(self, wheel: Wheel) -> bool:
        """Return whether a file of this source may be chosen; this can take a request, so ask only of what would be."""
        return self.vouched is None or self.vouched(self.source, wheel)

    def has_read(self, wheel: Wheel) -> bool:
        """Return whether a page that was read lists this file."""
        return any(each.url == wheel.url for listed in self._pages.values() for each in listed)

    def index_url(self, variant: str) -> str:
        """Return what a person gives pip as an index for this variant: the place whose pages have its torch."""
        pages = self.source.pages("torch", variant)
        has = [bool(self._pages.get(f"{url} torch")) for url in pages]
        if self.source.layout == "either" and has == [False, True]:
            return f"{self.source.index_url(variant).rstrip('/')}/{variant}"
        return self.source.index_url(variant)

    def wheels(self, project: str, variant: str) -> tuple[Wheel, ...]:
        """Return wheels of `project` on the first page that has any; empty where no page has or can be read."""
        return self.found(project, variant)[1]

    def found(self, project: str, variant: str) -> tuple[str | None, tuple[Wheel, ...]]:
        """Return the URL of the first page that has wheels of `project`, and the wheels; None where none has.

        Where one of them says that the project is in quarantine, none has.
        """
        for url in self.source.pages(project, variant):
            found = tuple(wheel for wheel in self._page(url, project) if wheel.project == project)
            if project in self._quarantined:
                break
            if found:
                return url, tuple(map(self._with_variant, found))
        return None, ()

    def _with_variant(self, wheel: Wheel) -> Wheel:
        untold = self.source.variant is not None and wheel.variant is None and wheel.version.local is None
        return replace(wheel, variant=self.source.variant) if untold else wheel

    def all_wheels(self) -> tuple[Wheel, ...]:
        """Return every wheel of a folder or a page of links; empty where it cannot be read."""
        return self._page(self.source.url, "")

    def read_ahead(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Read the pages of these projects and variants side by side, so that they need not be waited for in turn.

        A page that cannot be read is left to whoever asks for it, and nothing is read of a source that failed.
        """
        pages = [(project, self.source.pages(project, variant)) for project, variant in wanted]
        if self.failure or self.source.local:
            return
        for _ in range(max((len(urls) for _, urls in pages), default=0)):
            missing = {key: url for project, urls in pages for key, url in self._next_page(project, urls)}
            if not missing:
                return
            with thread_pool(min(_PAGES_AT_ONCE, len(missing))) as pool:
                for key, wheels in zip(missing, pool.map(self._try_page, missing.values()), strict=True):
                    if wheels is not None:
                        self._pages[key] = wheels

    def read_wheels(self, project: str, variant: str) -> tuple[Wheel, ...]:
        """Return wheels of `project` on pages that `read_ahead` has read, or that are on this disk.

        For pages that may well not be there: one that cannot be read is none, and the source stays in use.
        """
        for url in self.source.pages(project, variant):
            listed = self._pages.get(self._key(url, project))
            if listed is None and self.source.local:
                listed = self._try_page(url)
            if project in self._quarantined:
                break
            found = tuple(wheel for wheel in listed or () if wheel.project == project)
            if found:
                return found
        return ()

    def _next_page(self, project: str, urls: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yield the first page that is not known; none where one before it has wheels."""
        for url in urls:
            known = self._pages.get(self._key(url, project))
            if known is None:
                yield self._key(url, project), url
            if (
                known is None
                or project in self._quarantined
                or any(wheel.project == project for wheel in known)
            ):
                return

    def _try_page(self, url: str) -> tuple[Wheel, ...] | None:
        try:
            return self._parsed(url)
        except (Unreachable, OSError, ValueError):
            return None

    def _key(self, url: str, project: str) -> str:
        return url if self.source.layout in ("flat", "flat-variants") else f"{url} {project}"

    def _page(self, url: str, project: str) -> tuple[Wheel, ...]:
        key = self._key(url, project)
        if key not in self._pages:
            self._pages[key] = () if self.failure else self._read(url)
        return self._pages[key]

    def _read(self, url: str) -> tuple[Wheel, ...]:
        try:
            return self._parsed(url)
        except Unreachable as error:
            self._fail(error.message)
        except (OSError, ValueError) as error:
            self._fail(message("{name} cannot be read: {error}", name=self.name, error=error))
        return ()

    def _parsed(self, url: str) -> tuple[Wheel, ...]:
        from wheels_index import parse_page

        if url.startswith("file:"):
            parsed = _read_local(local_path(url), url)
        else:
            try:
                page = self.read(url)
            except NotFound:
                return ()
            parsed = parse_page(page.body, url=page.url, content_type=page.content_type or "text/html")
        if parsed.status != "active" and not self._counts(parsed, url):
            return ()
        return (*(() if self.source.local else self._variant_wheels(parsed)), *parsed.wheels)

    def _counts(self, page: IndexPage, url: str) -> bool:
        """Say what the index marks the project as; nothing of one in quarantine is taken, as it may do harm."""
        note = self.note or (lambda _: None)
        project = sanitize_line(url.rstrip("/").rpartition("/")[2], limit=60)
        why = f" ({sanitize_line(page.status_reason, limit=200)})" if page.status_reason else ""
        if page.status == "quarantined":
            self._quarantined.add(canonicalize_name(project))
            note(
                message(
                    "{index} has put {project} into quarantine{why}: nothing of it is taken from there",
                    index=self.name, project=project, why=why,
                )
            )  # fmt: skip
            return False
        note(
            message(
                "{index} marks {project} as {status}{why}",
                index=self.name, project=project, status=page.status, why=why,
            )
        )  # fmt: skip
        return True

    def _variant_wheels(self, page: IndexPage) -> tuple[Wheel, ...]:
        """The wheel variants of a page that the machine supports; none where nobody can judge them."""
        judge = self.judge_variant
        if judge is None or not page.labelled or page.labelled[0].project not in TORCH_PROJECTS:
            return ()
        from torchdoctor.sources.variant_wheels import variant_wheels

        wheels, files = variant_wheels(page, self.read, self.note or (lambda _: None))
        self.variants.update(files)
        supported = []
        for wheel in wheels:
            reason, properties = judge(wheel)
            if reason is None:
                supported.append(replace(wheel, properties=properties))
            else:
                self.unsupported[f"{wheel.project}-{wheel.version}", wheel.label or ""] = reason
        return tuple(supported)

    def _fail(self, reason: str) -> None:
        self.failure = reason
        if self.on_unreachable is not None:
            self.on_unreachable(self.source, reason)


def local_path(url: str) -> Path:
    """Return the path that a file URL names."""
    from urllib.request import url2pathname  # it brings HTTP and TLS along

    return Path(url2pathname(urlsplit(url).path))


def _read_local(path: Path, url: str) -> IndexPage:
    """A folder of wheels, a page of links, or a simple index kept in folders."""
    from wheels_index import IndexPage, parse_page

    if path.is_dir():
        index = path / "index.html"
        files = tuple(_local_wheels(path))
        if files or not index.is_file():
            return IndexPage(wheels=files)
        path, url = index, f"{url.rstrip('/')}/index.html"
    if path.is_file():
        return parse_page(read_regular(path, limit=_MAX_PAGE_BYTES), url=url, content_type="text/html")
    if path.parent.exists():
        return IndexPage(wheels=())
    raise FileNotFoundError(message("there is no {path}", path=path))


def _local_wheels(folder: Path) -> list[Wheel]:
    import zipfile

    from torchdoctor.sources.wheel_variant import variant_inside_wheel

    wheels = []
    for path in sorted(folder.iterdir()):
        if path.suffix != ".whl" or not path.is_file():
            continue
        try:
            wheel = Wheel.from_filename(path.name, url=path.absolute().as_uri(), size=path.stat().st_size)
            if wheel.label is not None:
                continue  # only an index says what a label stands for
            if wheel.variant is None and wheel.version.local is None:
                wheel = Wheel.from_filename(
                    path.name,
                    url=wheel.url,
                    size=wheel.size,
                    variant=variant_inside_wheel(path, wheel.project),
                )
        except (InvalidWheel, zipfile.BadZipFile, OSError):
            continue
        wheels.append(wheel)
    return wheels
