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
    variant,
)
from wheels_index.wheel import InvalidWheel, Wheel, variant_of

if TYPE_CHECKING:
    from wheels_index.amd import AmdBuild, amd_build
    from wheels_index.gpu_names import Product, product, products, similar_names
    from wheels_index.host_compiler import gcc_refused_from
    from wheels_index.index_page import IndexPage, NotAnIndex, PageTooLarge, parse_page
    from wheels_index.live import DigestConflict, LiveSnapshot, Overlay, overlay
    from wheels_index.requirement import DeclaredRequirements, declared_requirements
    from wheels_index.sdist import Sdist, parse_sdists
    from wheels_index.vendors import UnknownVendor, Vendor, VendorSnapshot, extras_of, vendor, vendor_names

__all__ = [
    "COMPANIONS",
    "PLATFORMS",
    "TORCH_PROJECTS",
    "AmdBuild",
    "ArchList",
    "Companion",
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
    "PlatformBuilds",
    "Product",
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
    "amd_build",
    "arch_list",
    "bundled",
    "covers",
    "declared_requirements",
    "extras_of",
    "gcc_refused_from",
    "gpu",
    "gpus",
    "nearest_arch_list",
    "nearest_gfx",
    "newer_variants",
    "newest_first",
    "overlay",
    "parse_page",
    "parse_sdists",
    "product",
    "products",
    "rules",
    "similar_names",
    "variant",
    "variant_of",
    "vendor",
    "vendor_names",
]


def __getattr__(name: str) -> Any:
    """Import the page parser, the overlay and the list of products when first asked for: few choices need them."""
    if name in ("AmdBuild", "amd_build"):
        from wheels_index import amd

        return getattr(amd, name)
    if name in ("Product", "product", "products", "similar_names"):
        from wheels_index import gpu_names

        return getattr(gpu_names, name)
    if name in ("DigestConflict", "LiveSnapshot", "Overlay", "overlay"):
        from wheels_index import live

        return getattr(live, name)
    if name in ("DeclaredRequirements", "declared_requirements"):
        from wheels_index import requirement

        return getattr(requirement, name)
    if name in ("NotAnIndex", "IndexPage", "PageTooLarge", "parse_page"):
        from wheels_index import index_page

        return getattr(index_page, name)
    if name == "gcc_refused_from":
        from wheels_index import host_compiler

        return host_compiler.gcc_refused_from
    if name in ("UnknownVendor", "Vendor", "VendorSnapshot", "extras_of", "vendor", "vendor_names"):
        from importlib import import_module

        return getattr(import_module("wheels_index.vendors"), name)
    if name in ("Sdist", "parse_sdists"):
        from wheels_index import sdist

        return getattr(sdist, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
