"""Find the links of an HTML page, in time linear in its size whatever the page holds.

`html.parser` is not used: up to Python 3.11.13 and 3.12.11 it is quadratic on unclosed tags (60 KB of `<a `
take half a minute, https://github.com/python/cpython/issues/135462) and raises `AssertionError` on `<![<`;
mousebender stands on it. An index page needs three tags and their attributes, no more.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Tag", "anchor_tags"]

# A tag with a long name, two digests and a time has about 700 characters.
_MAX_TAG_LENGTH = 8192
# The three things that matter, found by one forward scan.
_START = re.compile(r"<(?:!--|(a|base|meta)(?=[\s/>]))", re.ASCII | re.IGNORECASE)
# What lies between quotes does not end a tag; each alternative starts with another character, and an
# unclosed quote matches none, so nothing is tried twice.
_ATTRIBUTE = re.compile(
    r"""([^\s=>/"'<]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+)))?|[\s/]+|(>)""", re.ASCII
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tag:
    """A start tag, `a`, `base` or `meta`, with its attributes: names in lower case, values with entities decoded."""

    name: str
    attributes: dict[str, str]


def anchor_tags(page: str, *, limit: int) -> Iterator[Tag | None]:
    """Yield each `a`, `base` and `meta` tag outside comments, and None for one that is malformed or too long.

    At most `limit` tags are looked at, and no character twice.
    """
    position = 0
    for _ in range(limit):
        start = _next_start(page, position)
        if start is None:
            return
        position, tag = _read_tag(page, start)
        yield tag


def _next_start(page: str, position: int) -> re.Match[str] | None:
    """Return the next such tag, past any comment; an unclosed comment hides the rest, as in HTML."""
    for found in _tag_starts(page, position):
        if found[1] is not None:
            return found
    return None


def _tag_starts(page: str, position: int) -> Iterator[re.Match[str]]:
    while found := _START.search(page, position):
        yield found
        # `<!-->` is a whole comment: https://html.spec.whatwg.org/#comment-start-state
        end = page.find("-->", found.start() + 2)
        if end < 0:
            return
        position = end + 3


def _read_tag(page: str, start: re.Match[str]) -> tuple[int, Tag | None]:
    """Read the attributes after a tag's name; return where reading stopped, and the tag unless malformed."""
    position, end = start.end(), start.end() + _MAX_TAG_LENGTH
    attributes: dict[str, str] = {}
    while found := _ATTRIBUTE.match(page, position, end):
        position = found.end()
        if found[5]:
            return position, Tag(name=start[1].lower(), attributes=attributes)
        if found[1]:
            value = found[2] or found[3] or found[4] or ""
            # The first of two equal attributes counts, as in HTML.
            attributes.setdefault(found[1].lower(), html.unescape(value) if "&" in value else value)
    return position, None
