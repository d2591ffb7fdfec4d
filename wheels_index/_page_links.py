"""Take the links out of a page, HTML or JSON, without believing any of them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args
from urllib.parse import urljoin

from wheels_index._html_anchors import anchor_tags

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Link", "NotAnIndex", "ProjectStatus", "html_base", "html_links", "json_links", "project_status"]

ProjectStatus = Literal["active", "archived", "quarantined", "deprecated"]
_STATUSES: tuple[ProjectStatus, ...] = get_args(ProjectStatus)
_MAX_HEAD_TAGS = 10_000

_BASE = re.compile(r"<base[\s/>]", re.ASCII | re.IGNORECASE)
_METADATA = ("data-core-metadata", "data-dist-info-metadata")  # PEP 714 renamed PEP 658's attribute
_JSON_METADATA = ("core-metadata", "data-dist-info-metadata", "dist-info-metadata")


class NotAnIndex(ValueError):
    """JSON that is not the answer of an index; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A link as the page gives it. `metadata` is `true`, `sha256=...`, or None for no sidecar."""

    href: str
    sha256: str | None = None
    size: int | None = None
    metadata: str | None = None
    requires_python: str | None = None
    yanked: bool = False
    uploaded: str | None = None  # as the page writes it


def html_base(page: str, url: str, *, limit: int) -> str:
    """Return the URL that the links of a page are relative to.

    The first `<base href>` counts, for the whole page: https://html.spec.whatwg.org/#the-base-element
    """
    if not _BASE.search(page):
        return url
    hrefs = (
        tag.attributes.get("href") for tag in anchor_tags(page, limit=limit) if tag and tag.name == "base"
    )
    return next((base for href in hrefs if (base := _join(url, href))), url)


def html_links(page: str, *, limit: int) -> Iterator[Link | None]:
    """Yield the links of a page in order; None stands for a tag that cannot be read."""
    for tag in anchor_tags(page, limit=limit):
        if tag is None:
            yield None
        else:
            href = tag.attributes.get("href", "") if tag.name == "a" else ""
            yield _html_link(href, tag.attributes)


def project_status(page: str, *, is_json: bool) -> tuple[ProjectStatus, str | None]:
    """Return what the index says of the project, and why: `active` where it says nothing, or nothing that is known.

    https://packaging.python.org/en/latest/specifications/project-status-markers/
    """
    status, reason = _json_status(page) if is_json else _html_status(page)
    said = status.strip().lower() if isinstance(status, str) else None
    known: ProjectStatus = next((each for each in _STATUSES if each == said), "active")
    return known, reason[:300] if isinstance(reason, str) and reason and known != "active" else None


def _json_status(page: str) -> tuple[object, object]:
    if '"project-status"' not in page:
        return None, None
    try:
        answer = json.loads(page)
    except (ValueError, RecursionError):
        return None, None
    said = answer.get("project-status") if isinstance(answer, dict) else None
    return (said.get("status"), said.get("reason")) if isinstance(said, dict) else (None, None)


def _html_status(page: str) -> tuple[object, object]:
    """The marks that stand before the first link: what a link's text holds is none."""
    said: dict[str, str | None] = {}
    for tag in anchor_tags(page, limit=_MAX_HEAD_TAGS):
        if tag and tag.name == "a":
            break
        if tag and tag.name == "meta":
            said.setdefault(tag.attributes.get("name", "").lower(), tag.attributes.get("content"))
    return said.get("pypi:project-status"), said.get("pypi:project-status-reason")


def _html_link(href: str, attributes: Mapping[str, str]) -> Link:
    metadata = next((attributes[name] for name in _METADATA if name in attributes), None)
    return Link(
        href=href,
        metadata=None if metadata == "false" else metadata,
        requires_python=attributes.get("data-requires-python") or None,
        yanked="data-yanked" in attributes,
        uploaded=attributes.get("data-upload-time") or None,
    )


def _join(url: str, href: str | None) -> str | None:
    try:
        return urljoin(url, href) if href else None
    except ValueError:
        return None


def json_links(text: str, *, limit: int) -> Iterator[Link | None]:
    """Return the links of a PEP 691 page, in order; None stands for a file that cannot be read.

    Raises `NotAnIndex` for anything else than an object with a list of files.
    """
    try:
        answer = json.loads(text)
    except RecursionError:
        raise NotAnIndex("the JSON is nested too deep") from None
    except ValueError as error:
        raise NotAnIndex(f"not JSON: {error}"[:300]) from None
    files = answer.get("files") if isinstance(answer, dict) else None
    if not isinstance(files, list):
        raise NotAnIndex("the JSON has no list of files")
    return map(_json_link, files[:limit])


def _json_link(file: Any) -> Link | None:
    if not isinstance(file, dict) or not isinstance(file.get("url"), str):
        return None
    hashes, size = file.get("hashes"), file.get("size")
    requires = file.get("requires-python")
    sha256 = hashes.get("sha256") if isinstance(hashes, dict) else None
    return Link(
        href=file["url"],
        sha256=None if sha256 is None else str(sha256),
        size=size if type(size) is int else None,
        metadata=_json_metadata(file),
        requires_python=requires if isinstance(requires, str) and requires else None,
        yanked=bool(file.get("yanked")),  # false, true, or the reason
        uploaded=uploaded if isinstance(uploaded := file.get("upload-time"), str) else None,
    )


def _json_metadata(file: Mapping[str, Any]) -> str | None:
    """Return PEP 658's value in the form HTML has it: `true` or `sha256=...`."""
    value = next((file[name] for name in _JSON_METADATA if name in file), None)
    if isinstance(value, dict) and isinstance(value.get("sha256"), str):
        return f"sha256={value['sha256']}"
    return "true" if value else None
