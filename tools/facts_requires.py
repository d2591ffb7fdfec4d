"""Build the data of what torch and its companions declare to require."""

from __future__ import annotations

from typing import Any

from packaging.version import Version

__all__ = ["requires"]

_OLDEST = {"torch": "2.0.0", "torchvision": "0.15.1", "torchaudio": "2.0.0"}
_PLATFORMS = {"win_amd64": "windows_x86_64"}  # the names that PyPI's facts use for a platform of ours


def requires(project: str, *, pypi: dict[str, Any], source: str, as_of: str) -> dict[str, Any]:
    """Return the data file of a project: each version that goes with a known torch, and the file that was read."""
    oldest = Version(_OLDEST[project])
    read = {
        version: facts
        for version, facts in pypi[project].items()
        if Version(version) >= oldest and facts["requires_dist"] is not None
    }
    return {
        "project": project,
        "as_of": as_of,
        "source": source,
        "versions": {version: _version(read[version]) for version in sorted(read, key=Version, reverse=True)},
    }


def _version(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "from": facts["requires_dist_from"],
        "requires_python": facts["requires_python"],
        "requires_dist": facts["requires_dist"],
        "by_platform": {
            _PLATFORMS.get(name, name): lines for name, lines in facts["requires_dist_by_platform"].items()
        },
    }
