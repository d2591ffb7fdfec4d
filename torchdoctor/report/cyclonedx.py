"""An environment as a bill of materials: CycloneDX 1.6 as JSON.

https://cyclonedx.org/docs/1.6/json/. The document has the packages that are imported, each with where its wheel came
from and the wheel's hash where torchdoctor installed it, its licence as it says itself, and what it requires of the
others. It holds no name of a folder, a user or a host.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from torchdoctor._version import __version__
from torchdoctor.core.markers import marker_holds
from torchdoctor.core.urls import strip_credentials

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from torchdoctor.inventory import Inventory
    from torchdoctor.inventory.package_details import PackageDetails
    from torchdoctor.inventory.package_model import Distribution

__all__ = ["RecordedWheel", "cyclonedx_document", "package_url"]

_PYPI = ("https://pypi.org/simple", "https://files.pythonhosted.org/")
_ROOT = "environment"
_URL = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]{1,2000}", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedWheel:
    """The wheel that torchdoctor installed of a package."""

    version: str
    filename: str
    sha256: str
    url: str  # empty where it is not recorded
    vouched_by: str | None = None  # who vouches for the hash


def cyclonedx_document(
    inventory: Inventory,
    details: Mapping[str, PackageDetails],
    wheels: Mapping[str, RecordedWheel],
    *,
    environment: Mapping[str, str],
    when: datetime,
) -> dict[str, Any]:
    """Return the bill of materials; `details` and `wheels` by the names of the packages.

    `environment` are the values of markers for the environment's Python. A wheel counts where its version is the one
    that is installed.
    """
    packages: dict[str, Distribution] = {}
    for package in inventory.distributions.value or ():
        packages.setdefault(package.name, package)
    recorded = {
        name: wheels[name]
        for name, package in packages.items()
        if name in wheels and wheels[name].version == package.version
    }
    refs = {name: package_url(package, recorded.get(name)) for name, package in packages.items()}
    components = [
        _component(package, refs[name], details.get(name), recorded.get(name), _variant(inventory, name))
        for name, package in sorted(packages.items())
    ]
    dependencies = [
        {"ref": refs[name], "dependsOn": _refs_needed(name, details.get(name), refs, environment)}
        for name in sorted(packages)
    ]
    body = {
        "components": components,
        "dependencies": [{"ref": _ROOT, "dependsOn": sorted(set(refs.values()))}, *dependencies],
    }
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(body, sort_keys=True))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{number}",
        "version": 1,
        "metadata": _metadata(environment, when),
        **body,
    }


def package_url(package: Distribution, wheel: RecordedWheel | None) -> str:
    """Return the package URL, with the index as a qualifier where it is known and not PyPI.

    https://github.com/package-url/purl-spec/blob/main/types-doc/pypi-definition.md
    """
    version = f"@{quote(package.version, safe='.-_~:')}" if package.version else ""
    if package.kind == "conda":
        pairs = {"build": package.build, "channel": package.channel}
        return f"pkg:conda/{quote(package.name, safe='')}{version}{_qualifiers(pairs)}"
    pairs = {}
    if wheel is not None:
        index = _place(wheel).rpartition("/")[0]
        pairs["file_name"] = wheel.filename
        pairs["repository_url"] = index if index and not wheel.url.startswith(_PYPI) else None
    return f"pkg:pypi/{quote(package.name, safe='')}{version}{_qualifiers(pairs)}"


def _qualifiers(pairs: Mapping[str, str | None]) -> str:
    text = "&".join(f"{key}={quote(value, safe='.-_~:/')}" for key, value in sorted(pairs.items()) if value)
    return f"?{text}" if text else ""


def _component(
    package: Distribution,
    ref: str,
    details: PackageDetails | None,
    wheel: RecordedWheel | None,
    variant: str | None,
) -> dict[str, Any]:
    properties = {
        "torchdoctor:variant": variant,
        "torchdoctor:installer": package.installer,
        "torchdoctor:vouched_by": wheel.vouched_by if wheel is not None else None,
        "torchdoctor:editable": "true" if package.editable else None,
    }
    component: dict[str, Any] = {"type": "library", "bom-ref": ref, "name": package.name}
    if package.version:
        component["version"] = package.version
    component["purl"] = ref
    if licences := _licences(details):
        component["licenses"] = licences
    if wheel is not None:
        hashes = [{"alg": "SHA-256", "content": wheel.sha256}]
        component["hashes"] = hashes
        if url := _place(wheel):
            component["externalReferences"] = [{"type": "distribution", "url": url, "hashes": hashes}]
    if rows := [{"name": name, "value": value} for name, value in properties.items() if value]:
        component["properties"] = rows
    return component


def _place(wheel: RecordedWheel) -> str:
    """The wheel's URL as it may be shown; empty where somebody has put something else into the record."""
    url = strip_credentials(wheel.url)
    return url if _URL.fullmatch(url) else ""


def _licences(details: PackageDetails | None) -> list[dict[str, Any]]:
    if details is None:
        return []
    if details.expression:
        return [{"expression": details.expression}]
    return [{"license": {"name": name}} for name in details.licences]


def _variant(inventory: Inventory, name: str) -> str | None:
    facts = {
        "torch": inventory.torch,
        "torchvision": inventory.torchvision,
        "torchaudio": inventory.torchaudio,
    }
    package = facts[name].value if name in facts else None
    return package.variant.value if package is not None else None


def _refs_needed(
    name: str, details: PackageDetails | None, refs: Mapping[str, str], environment: Mapping[str, str]
) -> list[str]:
    """The installed packages that one requires here, without what only extras need."""
    found: set[str] = set()
    for line in details.requires if details is not None else ():
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        needed = str(canonicalize_name(requirement.name))
        if needed != name and needed in refs and marker_holds(requirement.marker, environment):
            found.add(refs[needed])
    return sorted(found)


def _metadata(environment: Mapping[str, str], when: datetime) -> dict[str, Any]:
    keys = ("python_full_version", "implementation_name", "sys_platform", "platform_machine")
    return {
        "timestamp": when.isoformat(timespec="seconds"),
        "tools": {
            "components": [{"type": "application", "name": "torchdoctor", "version": __version__}]
        },
        "component": {
            "type": "application", "bom-ref": _ROOT, "name": "python-environment",
            "properties": [
                {"name": f"torchdoctor:{key}", "value": environment[key]} for key in keys if environment.get(key)
            ],
        },
    }  # fmt: skip
