"""What a package's own metadata says of its licence and of what it requires; read for a bill of materials alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.text import sanitize_line
from torchdoctor.inventory import files
from torchdoctor.inventory.metadata import parse_requirements

if TYPE_CHECKING:
    from torchdoctor.inventory.package_model import Distribution

__all__ = ["PackageDetails", "parse_details", "read_details"]

_MAX_LINES = 5000
_MAX_LICENCES = 20
_CLASSIFIER = "license :: "


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageDetails:
    """The licence and the requirements of one package, as it says itself."""

    expression: str | None  # of SPDX, as the License-Expression field has it and packaging reads it
    licences: tuple[str, ...]  # names in free words, where there is no expression
    requires: tuple[str, ...]  # every requirement line


def read_details(distribution: Distribution) -> PackageDetails:
    """Return what the metadata of an installed distribution says; of conda's packages nothing is read."""
    if distribution.kind == "conda":
        return PackageDetails(expression=None, licences=(), requires=())
    names = ("METADATA",) if distribution.kind == "wheel" else ("PKG-INFO",)
    texts = (files.read_text(f"{distribution.metadata}/{name}") for name in names)
    return parse_details(next(filter(None, texts), None) or files.read_text(distribution.metadata) or "")


def parse_details(text: str) -> PackageDetails:
    """Return the details of a METADATA or PKG-INFO file; never raises.

    https://packaging.python.org/en/latest/specifications/core-metadata/#license-expression
    """
    expression: str | None = None
    free: list[str] = []
    classified: list[str] = []
    for line in text.splitlines()[:_MAX_LINES]:
        if not line.strip():
            break
        key, colon, value = line.partition(":")
        if not colon or line[0].isspace():
            continue
        value = sanitize_line(value, limit=200)
        if key.lower() == "license-expression":
            expression = _spdx(value)
        elif key.lower() == "license" and value and value.upper() != "UNKNOWN":
            free.append(value)
        elif key.lower() == "classifier" and value.lower().startswith(_CLASSIFIER):
            classified.append(value.rpartition(" :: ")[2])
    names = tuple(dict.fromkeys((*classified, *free) if classified else free))[:_MAX_LICENCES]
    return PackageDetails(
        expression=expression, licences=() if expression else names, requires=parse_requirements(text)
    )


def _spdx(text: str) -> str | None:
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return canonicalize_license_expression(text)
    except InvalidLicenseExpression:
        return None
