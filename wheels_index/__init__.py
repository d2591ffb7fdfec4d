"""Which PyTorch wheels exist, what each needs, and which belong together.

A library of facts: pure, typed, no network, no environment; it depends on `packaging` alone.

>>> from wheels_index import bundled, variant
>>> newest = next(bundled().releases())
>>> str(newest.version), newest.platforms["linux_x86_64"].pypi_default
('2.15.0', 'cu132')
>>> variant("cu132").minimum_driver["linux"]
'580'

An index page, from the official index, a mirror or a folder, gives the same kind of wheel:

>>> from wheels_index import parse_page
>>> page = parse_page('<a href="torch-2.4.1%2Bcu124-cp312-cp312-win_amd64.whl">', url="https://example.org/whl/")
>>> page.wheels[0].url
'https://example.org/whl/torch-2.4.1%2Bcu124-cp312-cp312-win_amd64.whl'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wheels_index._version import __version__
from wheels_index.arch import ArchList, arch_list, covers, nearest_arch_list
from wheels_index.gpu import Gpu, gpu, gpus
from wheels_index.release import (
    COMPANIONS,
    PLATFORMS,
    TORCH_PROJECTS,
    Companion,
    PlatformBuilds,
    Release,
    Triton,
)
from wheels_index.snapshot import Snapshot, UnknownRelease, bundled
from wheels_index.variant import (
    EndOfLine,
    Rules,
    UnknownVariant,
    Variant,
    nearest_gfx,
    newer_variants,
    newest_first,
    rules,
    toolkit_drivers,
    variant,
)
from wheels_index.wheel import InvalidWheel, Wheel, variant_of

if TYPE_CHECKING:
    from wheels_index.amd import AmdBuild, amd_build
    from wheels_index.dated import DatedSnapshot, released_before
    from wheels_index.gpu_names import Product, meanings, product, products, similar_names
    from wheels_index.host_compiler import gcc_refused_from
    from wheels_index.index_page import IndexPage, NotAnIndex, PageTooLarge, parse_page
    from wheels_index.live import DigestConflict, LiveSnapshot, Overlay, overlay
    from wheels_index.matrix import matrix_document
    from wheels_index.peak_figures import Peaks, all_peaks, peaks
    from wheels_index.requirement import DeclaredRequirements, declared_requirements
    from wheels_index.sdist import ProjectPage, Sdist
    from wheels_index.source_audit import unsourced
    from wheels_index.vendors import UnknownVendor, Vendor, VendorSnapshot, extras_of, vendor, vendor_names

__all__ = [
    "COMPANIONS",
    "PLATFORMS",
    "TORCH_PROJECTS",
    "AmdBuild",
    "ArchList",
    "Companion",
    "DatedSnapshot",
    "DeclaredRequirements",
    "DigestConflict",
    "EndOfLine",
    "Gpu",
    "IndexPage",
    "InvalidWheel",
    "LiveSnapshot",
    "NotAnIndex",
    "Overlay",
    "PageTooLarge",
    "Peaks",
    "PlatformBuilds",
    "Product",
    "ProjectPage",
    "Release",
    "Rules",
    "Sdist",
    "Snapshot",
    "Triton",
    "UnknownRelease",
    "UnknownVariant",
    "UnknownVendor",
    "Variant",
    "Vendor",
    "VendorSnapshot",
    "Wheel",
    "__version__",
    "all_peaks",
    "amd_build",
    "arch_list",
    "bundled",
    "covers",
    "declared_requirements",
    "extras_of",
    "gcc_refused_from",
    "gpu",
    "gpus",
    "matrix_document",
    "meanings",
    "nearest_arch_list",
    "nearest_gfx",
    "newer_variants",
    "newest_first",
    "overlay",
    "parse_page",
    "peaks",
    "product",
    "products",
    "released_before",
    "rules",
    "similar_names",
    "toolkit_drivers",
    "unsourced",
    "variant",
    "variant_of",
    "vendor",
    "vendor_names",
]


# What few choices need is imported when it is first asked for.
_LATER = {
    "AmdBuild": "amd",
    "amd_build": "amd",
    "Product": "gpu_names",
    "product": "gpu_names",
    "products": "gpu_names",
    "meanings": "gpu_names",
    "similar_names": "gpu_names",
    "DatedSnapshot": "dated",
    "released_before": "dated",
    "DigestConflict": "live",
    "LiveSnapshot": "live",
    "Overlay": "live",
    "overlay": "live",
    "DeclaredRequirements": "requirement",
    "declared_requirements": "requirement",
    "NotAnIndex": "index_page",
    "IndexPage": "index_page",
    "PageTooLarge": "index_page",
    "parse_page": "index_page",
    "gcc_refused_from": "host_compiler",
    "matrix_document": "matrix",
    "Peaks": "peak_figures",
    "all_peaks": "peak_figures",
    "peaks": "peak_figures",
    "ProjectPage": "sdist",
    "Sdist": "sdist",
    "unsourced": "source_audit",
    "UnknownVendor": "vendors",
    "Vendor": "vendors",
    "VendorSnapshot": "vendors",
    "extras_of": "vendors",
    "vendor": "vendors",
    "vendor_names": "vendors",
}


def __getattr__(name: str) -> Any:
    """Import the page parser, the overlay, the list of products and others when first asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"wheels_index.{_LATER[name]}"), name)
