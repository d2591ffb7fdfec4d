"""Why an installer found no build of torch, by the versions and tags that it lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.version import Version

from torchdoctor.diagnose.derived import operating_system, python_of, version_of
from torchdoctor.diagnose.matchers import Match, source

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence, Observation

__all__ = [
    "index_of_unknown_variant",
    "intel_mac_wheel_refused",
    "listing_ends_with_intel_macs",
    "only_source_archives_listed",
    "python_is_recent",
    "python_newer_than_wheels",
    "python_older_than_wheels",
    "requested_version_not_listed",
    "uv_wants_platform_tag",
    "wheel_for_another_python",
    "wheel_for_another_system",
]

_TAGS = re.compile(r"`?cp(3\d{1,2})t?m?`?")
# How uv words it in `uv pip install` and in `uv sync`.
_HINTS = (("you require cpython", "but we only found"), ("you're using cpython", "only has wheels"))
# The last Intel Mac release, and what is left where no wheel fits: PyPI's two source archives of 2018.
_SYSTEM_TAGS = {
    "linux": re.compile(r"linux\S{0,30}_(?:x86_64|aarch64)\.whl$"),
    "windows": re.compile(r"win(?:32|_amd64|_arm64)\.whl$"),
    "macos": re.compile(r"macosx_\S{1,30}\.whl$"),
}
_LAST_INTEL_MAC = Version("2.2.2")
_SOURCES_ONLY = Version("0.1.2.post99")


def _listed(evidence: Evidence) -> tuple[list[Version], Observation | None]:
    lists = [
        listing for listing in evidence.observations("pip.from_versions") if listing.value not in ("none", "")
    ]
    for listing in lists:
        versions = [
            v
            for text in re.findall(r"\d[\w.+]*", listing.value)
            if (v := version_of(text.rstrip("."))) is not None
        ]
        if versions:
            return versions, listing
    return [], None


def _requested(evidence: Evidence) -> Version | None:
    for text in evidence.all("pip.requirement"):
        match = re.match(r"(?:torch|pytorch)\S{0,3}?\s?(?:===?|>=|~=)\s?(\d[\w.+]*)", text)
        if match:
            return version_of(match[1].rstrip(".,"))
    return None


def only_source_archives_listed(evidence: Evidence) -> Match | None:
    """pip lists 0.1.2 alone: no wheel at all fits this Python, processor or C library."""
    versions, listing = _listed(evidence)
    return Match(evidence=(source(listing),)) if listing and max(versions) <= _SOURCES_ONLY else None


def python_newer_than_wheels(evidence: Evidence) -> Match | None:
    """The versions that fit this Python are all newer than the one asked for, or this Python has none yet."""
    versions, listing = _listed(evidence)
    wanted = _requested(evidence)
    if listing and wanted is not None and min(versions) > _SOURCES_ONLY and wanted < min(versions):
        return Match(evidence=(source(listing),))
    python = python_of(evidence)
    return _hint_about_tags(evidence, above=True) or (
        Match(evidence=(source(evidence.observations("python.version")[0]),))
        if python and python > _newest_python() and evidence.observations("pip.requirement")
        else None
    )


def python_older_than_wheels(evidence: Evidence) -> Match | None:
    """The versions that fit this Python end before the one asked for, and nothing else cuts them off."""
    versions, listing = _listed(evidence)
    wanted, python = _requested(evidence), python_of(evidence)
    ends_before = listing and wanted is not None and _SOURCES_ONLY < max(versions) < wanted
    if listing and ends_before and max(versions) != _LAST_INTEL_MAC and python and python < _oldest_python():
        return Match(evidence=(source(listing),))
    return _hint_about_tags(evidence, above=False)


def _hint_about_tags(evidence: Evidence, *, above: bool) -> Match | None:
    """uv's hint: the Python that is there, and the tags for which there are wheels."""
    for required, available in _HINTS:
        for position in evidence.text.find(required):
            part = evidence.text.lower[position : position + 600]
            need, _, have = part.partition(available)
            wanted = [int(text[1:]) for text in _TAGS.findall(need)]
            found = [int(text[1:]) for text in _TAGS.findall(have.split("hint:")[0])]
            if wanted and found and (wanted[0] > max(found) if above else wanted[0] < min(found)):
                return Match(evidence=(evidence.text.line_at(position)[1].strip(),))
    return None


def listing_ends_with_intel_macs(evidence: Evidence) -> Match | None:
    """The list of versions ends at 2.2.2, the last for Intel Macs."""
    if evidence.first("os.system") in ("linux", "windows"):  # then the list is of the spring of 2024
        return None
    versions, listing = _listed(evidence)
    return Match(evidence=(source(listing),)) if listing and max(versions) == _LAST_INTEL_MAC else None


def intel_mac_wheel_refused(evidence: Evidence) -> Match | None:
    """pip refused a wheel of a release that there was for Intel Macs."""
    for position in evidence.text.find("is not a supported wheel"):
        named = re.search(
            r"torch-(\d+\.\d+(?:\.\d+)?)", evidence.text.lower[max(position - 240, 0) : position]
        )
        if named and Version(named[1]) <= _LAST_INTEL_MAC:
            return Match(evidence=(evidence.text.line_at(position)[1].strip()[:300],))
    return None


def index_of_unknown_variant(evidence: Evidence) -> Match | None:
    """Nothing was found on an index of PyTorch that never existed: no release has builds of that name."""
    if "none" not in evidence.all("pip.from_versions"):
        return None
    for index in evidence.observations("index"):
        named = re.search(r"download\.pytorch\.org/whl/(cu\d+|rocm[\d.]+)\b", index.value)
        if named and not _is_known_variant(named[1].rstrip(".")):
            return Match(evidence=(source(index),))
    return None


def _is_known_variant(name: str) -> bool:
    from wheels_index import UnknownVariant, variant

    try:
        return variant(name).known
    except UnknownVariant:
        return False


def requested_version_not_listed(evidence: Evidence) -> Match | None:
    """The version asked for lies within those listed, or has a local part that none of them has."""
    versions, listing = _listed(evidence)
    wanted = _requested(evidence)
    if listing is None or wanted is None or max(versions) <= _SOURCES_ONLY or wanted in versions:
        return None
    inside = min(versions) <= wanted <= max(versions)
    other_local = wanted.local is not None and all(v.local != wanted.local for v in versions)
    return (
        Match(evidence=(source(listing),))
        if inside or (other_local and any(v.public == wanted.public for v in versions))
        else None
    )


def uv_wants_platform_tag(evidence: Evidence, *, pattern: str) -> Match | None:
    """uv names the platform tag that it looked for, and the regular expression `pattern` fits it."""
    for needle in ("matching platform tag", "you're on", "current platform"):
        for position in evidence.text.find(needle):
            # What the package has wheels for stands behind it in the same sentence.
            wanted = evidence.text.lower[position : position + 160].partition("only has wheels")[0]
            if re.search(pattern, wanted):
                return Match(evidence=(evidence.text.line_at(position)[1].strip()[:300],))
    return None


def wheel_for_another_python(evidence: Evidence) -> Match | None:
    """pip refused a wheel whose name has another Python than the one that runs."""
    for position in evidence.text.find("is not a supported wheel"):
        part = evidence.text.lower[max(position - 240, 0) : position]
        match = re.findall(r"-cp3(\d{1,2})-", part)
        python = python_of(evidence)
        if match and python and python[1] != int(match[-1]):
            return Match(evidence=(evidence.text.line_at(position)[1].strip()[:300],))
    return None


def wheel_for_another_system(evidence: Evidence) -> Match | None:
    """pip refused a wheel whose name has another operating system than the one here."""
    system = operating_system(evidence)
    for position in evidence.text.find("is not a supported wheel"):
        name = evidence.text.lower[max(position - 240, 0) : position].split()[-1:]
        made_for = next((key for key, tag in _SYSTEM_TAGS.items() if name and tag.search(name[0])), None)
        if system is not None and made_for is not None and made_for != system:
            return Match(evidence=(evidence.text.line_at(position)[1].strip()[:300],))
    return None


def _newest_python() -> tuple[int, int]:
    return max(_pythons())


def _oldest_python() -> tuple[int, int]:
    return min(_pythons())


def _pythons() -> list[tuple[int, int]]:
    from wheels_index import bundled

    newest = next(bundled().releases())
    labels = newest.platforms["linux_x86_64"].pythons
    return [(int(major), int(minor.rstrip("t"))) for major, minor in (text.split(".") for text in labels)]


def python_is_recent(evidence: Evidence) -> Match | None:
    """The Python is one of the newest, or free-threaded, so that wheels may not exist yet."""
    python = python_of(evidence)
    label = evidence.first("python.version") or ""
    if python is None or evidence.first("python.bits") == "32":
        return None
    if label.endswith("t") or evidence.first("python.free_threaded") or python >= (3, 12):
        return Match(evidence=(source(evidence.observations("python.version")[0]),))
    return None
