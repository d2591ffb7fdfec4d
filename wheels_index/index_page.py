"""Read an index page: PEP 503 HTML, PEP 691 JSON, flat find-links and mirror listings, in one way.

https://packaging.python.org/en/latest/specifications/simple-repository-api/
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from wheels_index._link_url import UnsafeLink, link_target
from wheels_index._page_links import NotAnIndex, html_base, html_links, json_links, project_status
from wheels_index.wheel import InvalidWheel, Wheel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheels_index._page_links import Link, ProjectStatus

__all__ = ["IndexPage", "NotAnIndex", "PageTooLarge", "parse_page"]

MAX_BYTES = 64 * 1024 * 1024
MAX_LINK_COUNT = 200_000
MAX_VARIANT_FILE_COUNT = 2000
MAX_REJECTED_COUNT = 100  # how many rejected names a page keeps; the rest are counted
_MAX_NAME_LENGTH = 200  # characters of a rejected name
_END = object()

_JSON_TYPE = re.compile(r"\s*application/(vnd\.pypi\.simple\.\w+\+)?json\s*(;|$)", re.ASCII | re.IGNORECASE)
_VARIANTS_FILE = re.compile(r"-variants\.json(?:[?#]|$)", re.ASCII)
_FOLDER_VARIANT = re.compile(
    r"/whl/(cpu|cpu-cxx11-abi|xpu|cu[0-9]{2,3}|rocm[0-9]{1,3}(?:\.[0-9]{1,3}){1,2})/[^/]*$", re.ASCII
)


class PageTooLarge(ValueError):
    """A page of more than 64 MiB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexPage:
    """The wheels of a page in its order, and what was turned down.

    `rejected` holds the first names, each with the reason; `rejected_total` counts all. `truncated` says
    that the page has more links than are read. `labelled` are wheel variants (PEP 825, a draft), whose build the files
    at `variant_files` tell, by `torch-2.10.0`.
    """

    wheels: tuple[Wheel, ...]
    rejected: tuple[tuple[str, str], ...] = ()
    rejected_total: int = 0
    truncated: bool = False
    labelled: tuple[Wheel, ...] = ()
    variant_files: Mapping[str, str] = field(default_factory=dict)
    status: ProjectStatus = "active"  # of the project, as the index marks it
    status_reason: str | None = None


def parse_page(
    body: bytes | str, *, url: str, content_type: str = "text/html", project: str | None = None
) -> IndexPage:
    """Read a page that came from `url`; `project` keeps the wheels of one project.

    It is read as JSON when `content_type` says so or it starts with `{`. HTML without a link is an empty
    page, and so is text that is no page at all. Files that are not wheels are left out silently. A wheel
    whose link, name or digest cannot be right is rejected with the reason, and so is one that the page
    gives twice, in the same variant, with two digests.

    Raises `PageTooLarge` above 64 MiB and `NotAnIndex` for JSON that is not an index's; nothing else.
    """
    if len(body) > MAX_BYTES:
        raise PageTooLarge(f"the page has {len(body)} bytes, more than {MAX_BYTES}")
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    text = text.removeprefix("\ufeff")
    is_json = bool(_JSON_TYPE.match(content_type)) or text[:1000].lstrip().startswith("{")
    if is_json:
        base, links = url, json_links(text, limit=MAX_LINK_COUNT + 1)
    else:
        base = html_base(text, url, limit=MAX_LINK_COUNT)
        links = html_links(text, limit=MAX_LINK_COUNT + 1)
    reader = _PageReader(page_url=url, base=base, project=canonicalize_name(project) if project else None)
    status, reason = project_status(text, is_json=is_json)
    return replace(reader.page(links), status=status, status_reason=reason)


class _PageReader:
    """Judges links one by one, then the names that came twice; keeps the reasons within bounds."""

    __slots__ = ("_base", "_page_url", "_project", "_rejected", "_total", "_variant_files")

    def __init__(self, *, page_url: str, base: str, project: str | None) -> None:
        self._page_url = page_url
        self._base = base
        self._project = project
        self._rejected: list[tuple[str, str]] = []
        self._total = 0
        self._variant_files: dict[str, str] = {}

    def page(self, links: Iterator[Link | None]) -> IndexPage:
        wheels = [w for link in islice(links, MAX_LINK_COUNT) if (w := self._read_link(link)) is not None]
        truncated = next(links, _END) is not _END
        unique = tuple(self._unique(wheels))
        return IndexPage(
            wheels=tuple(wheel for wheel in unique if wheel.label is None),
            labelled=tuple(wheel for wheel in unique if wheel.label is not None),
            variant_files=self._variant_files,
            rejected=tuple(self._rejected),
            rejected_total=self._total,
            truncated=truncated,
        )

    def _read_link(self, link: Link | None) -> Wheel | None:
        """Return the wheel of a link; None for another file, another project, or a link that is rejected."""
        if link is None:
            self._reject("", "a link that cannot be read: unclosed, malformed or too long")
            return None
        try:
            if _VARIANTS_FILE.search(link.href):
                self._keep_variants_file(link)
                return None
            wheel = _wheel(link, base=self._base, page_url=self._page_url)
        except (UnsafeLink, InvalidWheel) as error:
            self._reject(link.href, str(error))
            return None
        return wheel if wheel and self._project in (None, wheel.project) else None

    def _keep_variants_file(self, link: Link) -> None:
        """Keep the place of a file that tells what the labels of one version stand for; the first one counts."""
        place = link_target(link.href, base=self._base, page_url=self._page_url, suffix=".json")
        if place is not None and len(self._variant_files) < MAX_VARIANT_FILE_COUNT:
            name = place.filename.removesuffix("-variants.json")
            self._variant_files.setdefault(name.lower().replace("_", "-"), place.url)

    def _unique(self, wheels: list[Wheel]) -> list[Wheel]:
        """Drop repetitions; reject every file that came with two digests.

        The flat page of a project lists one name in several variants' folders, with other bytes: aarch64
        builds have no local version. So the variant belongs to the key.
        """
        kept: dict[tuple[str, str | None, str | None], Wheel] = {}
        digests: dict[tuple[str, str | None, str | None], set[str]] = {}
        for wheel in wheels:
            key = wheel.filename, wheel.variant, wheel.label
            known = digests.setdefault(key, set())
            if key not in kept or (not known and wheel.sha256):
                kept[key] = wheel
            if wheel.sha256:
                known.add(wheel.sha256)
        for key, found in digests.items():
            if len(found) > 1:
                self._reject(key[0], f"the page gives it {len(found)} different digests")
                del kept[key]
        return list(kept.values())

    def _reject(self, name: str, why: str) -> None:
        self._total += 1
        if len(self._rejected) < MAX_REJECTED_COUNT:
            self._rejected.append((name[:_MAX_NAME_LENGTH], why[: 2 * _MAX_NAME_LENGTH]))


def _wheel(link: Link, *, base: str, page_url: str) -> Wheel | None:
    """Return the wheel that a link leads to, None when it leads elsewhere."""
    place = link_target(link.href, base=base, page_url=page_url)
    if place is None:
        return None
    folder = _FOLDER_VARIANT.search(place.path)
    has_digest = link.metadata is not None and link.metadata.startswith("sha256=")
    return Wheel.from_filename(
        place.filename,
        url=place.url,
        sha256=link.sha256 if link.sha256 is not None else place.sha256,
        size=link.size,
        variant=folder[1] if folder else None,
        metadata_sha256=link.metadata.removeprefix("sha256=") if link.metadata and has_digest else None,
        has_metadata=link.metadata is not None,
        requires_python=link.requires_python,
        yanked=link.yanked,
    )
