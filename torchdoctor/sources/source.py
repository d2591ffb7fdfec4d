"""One place that may have wheels: its URL, the layout of its pages, and who named it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from torchdoctor.core.i18n import message
from torchdoctor.core.urls import mask_url, redact_url
from torchdoctor.errors import UsageError

__all__ = ["OFFICIAL", "PYPI", "Layout", "Provenance", "Source", "as_url"]

# pytorch: BASE/<variant>/<project>/, as on download.pytorch.org. simple: BASE/<project>/ (PEP 503).
# either: a URL that the user gave, of which it is not known which of the two. flat: one page or folder of links.
# flat-variants: one flat page for each variant, BASE/<variant>/.
Layout = Literal["pytorch", "simple", "either", "flat", "flat-variants"]

# How a file is known. listed: seen on the official index when the release's facts were collected. published: its build
# was announced and no file was seen. live: a source lists it now.
Provenance = Literal["listed", "published", "live"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """An index, mirror or folder."""

    name: str  # how it is shown
    url: str  # http(s) or file; it may hold a password
    layout: Layout
    origin: str  # the option or setting that names it
    variant: str | None = None  # the build of files whose names tell none

    def pages(self, project: str, variant: str) -> tuple[str, ...]:
        """Return URLs of the pages that may list `project` for `variant`, in the order to try them."""
        base = self.url.rstrip("/")
        by_variant, by_project = f"{base}/{variant}/{project}/", f"{base}/{project}/"
        return {
            "pytorch": (by_variant,),
            "simple": (by_project,),
            "either": (by_project, by_variant),
            "flat": (self.url,),
            "flat-variants": (f"{base}/{variant}/",),
        }[self.layout]

    def index_url(self, variant: str) -> str:
        """Return what a person gives pip as `--index-url` for this variant, without credentials."""
        base = self.url.rstrip("/")
        return mask_url(f"{base}/{variant}" if self.layout in ("pytorch", "flat-variants") else self.url)

    @property
    def local(self) -> bool:
        """Whether reading it needs no network."""
        return self.url.startswith("file:")


def as_url(place: str, *, origin: str) -> str:
    """Return an http(s) or file URL for a URL or a path; raises `UsageError` for anything else.

    `origin` names the option or setting in the error.
    """
    try:
        scheme, host = urlsplit(place).scheme.lower(), urlsplit(place).hostname
    except ValueError as error:
        raise UsageError(
            message("{origin}: what it names is not a URL: {error}", origin=origin, error=error),
            fix=message("give a full URL"),
        ) from error
    if scheme in ("http", "https"):
        if not host:
            raise UsageError(
                message("{origin}: {place} names no host", origin=origin, place=redact_url(place)),
                fix=message("give a full URL"),
            )
        return place
    if scheme == "file":
        return place
    if "://" in place:
        raise UsageError(
            message(
                "{origin}: {place} is neither http(s), file nor a folder",
                origin=origin,
                place=redact_url(place),
            ),
            fix=message("give a URL or a path"),
        )
    return Path(place).expanduser().absolute().as_uri()


OFFICIAL = Source(
    name="download.pytorch.org",
    url="https://download.pytorch.org/whl",
    layout="pytorch",
    origin="the official index",
)
PYPI = Source(name="PyPI", url="https://pypi.org/simple", layout="simple", origin="the default")
