"""Which torchvision and torchaudio belong to a release of torch, by the data of this package."""

from __future__ import annotations

from packaging.version import InvalidVersion, Version

__all__ = ["companions_for"]


def companions_for(torch: str) -> dict[str, str]:
    """Return the newest version of each companion, under the names `torchvision_for` and `torchaudio_for`."""
    from wheels_index import UnknownRelease, bundled

    try:
        known = bundled().release(Version(torch)).companions
    except (InvalidVersion, UnknownRelease):
        return {}
    return {f"{project}_for": str(each.versions[0]) for project, each in known.items() if each.versions}
