"""The indexes of vendors of GPUs with builds of PyTorch of their own, as sources that take the place of PyTorch's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import UsageError
from torchdoctor.sources.source import Source, as_url
from wheels_index import UnknownVendor, vendor, vendor_names

if TYPE_CHECKING:
    from torchdoctor.sources.order import Sources
    from wheels_index import Vendor

__all__ = ["check_vendor", "vendor_needed_by", "vendor_sources", "with_vendor"]

_OF_PYTORCHS_ROCM = "amd"  # what PyTorch's own ROCm builds need


def check_vendor(name: str) -> Vendor:
    """Return a vendor by its name; raises `UsageError` for an unknown one."""
    try:
        return vendor(name)
    except UnknownVendor as error:
        raise UsageError(
            message("no vendor is called {name!r}", name=name[:60]),
            fix=message("choose one of: {names}", names=joined(vendor_names())),
            code="no-such-vendor",
        ) from error


def vendor_needed_by(variant: str, asked: str | None) -> Vendor | None:
    """Return the vendor whose own packages builds of a variant need; None where they need none.

    `asked` is the vendor whose builds they are; None for PyTorch's own.
    """
    found = vendor(asked or _OF_PYTORCHS_ROCM)
    is_needed = bool(found.own) if asked is not None else found.is_needed_by(variant)
    return found if is_needed else None


def vendor_sources(found: Vendor, index_url: str | None = None) -> tuple[Source, ...]:
    """Return the vendor's indexes; `index_url` names a place that has a copy of one of them."""
    urls = (as_url(index_url, origin="--index-url"),) if index_url else found.indexes
    return tuple(
        Source(
            name=redact_url(url),
            url=url,
            layout="simple",
            origin=f"--vendor {found.name}",
            variant=found.variant,
        )
        for url in urls
    )


def with_vendor(sources: Sources, name: str, *, index_url: str | None, offline: bool) -> Sources:
    """Return the sources with the vendor's indexes, and folders that were named, in place of those of torch.

    All other packages come from where they came: neither the vendor's index nor a copy of it is asked for them.
    """
    own = vendor_sources(check_vendor(name), index_url)
    torch = (*(each for each in sources.torch if each.origin == "--find-links"), *own)
    copy = {source.url.rstrip("/") for source in own}
    return replace(
        sources,
        torch=tuple(source for source in torch if source.local or not offline),
        indexes=tuple(source for source in sources.indexes if source.url.rstrip("/") not in copy),
        mirrors=(),
        vendor=name,
    )
