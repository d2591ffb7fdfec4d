"""Parsers of what an installer writes: METADATA, direct_url.json, version.py, conda's JSON, .pth, torchdoctor.json.

None of them raises: what cannot be read is None or left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchdoctor.core.text import read_literal, read_object, sanitize_line
from torchdoctor.core.urls import redact_url
from torchdoctor.inventory.package_model import InstallRecord, VersionFile
from torchdoctor.inventory.settings_model import PthFile

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Metadata",
    "is_relevant",
    "parse_conda",
    "parse_direct_url",
    "parse_install_record",
    "parse_metadata",
    "parse_pth",
    "parse_requirements",
    "parse_version_file",
    "split_info",
]

# Projects whose presence or version decides whether PyTorch works.
_RELEVANT = (
    "torch", "pytorch", "libtorch", "triton", "nvidia", "cuda", "cudnn", "nccl", "cpuonly", "rocm", "amdsmi",
    "numpy", "xformers", "flash-attn", "flash_attn", "bitsandbytes", "mkl", "intel", "tbb", "llvm-openmp",
    "libgomp", "_openmp",
)  # fmt: skip
# All requirements of these are kept: together they are torch and its dependencies.
_ALL_REQUIREMENTS = ("torch", "torchvision", "torchaudio", "sympy", "jinja2", "Jinja2")
_NAMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_ASSIGNED = re.compile(
    r"^(\w{1,40})\s*(?::[^=\n]{1,60})?=\s*([^\n]{1,300}?)\s*(?:#.*)?$", re.MULTILINE | re.ASCII
)
_MAX_LINES = 5000
_MAX_REQUIREMENTS = 500
# cuda-toolkit's lines have up to 255, most of them the marker.
_MAX_LINE_CHARACTERS = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Metadata:
    """The header of a METADATA or PKG-INFO file."""

    name: str | None
    version: str | None
    requires: tuple[str, ...]  # the requirement lines that are kept


def is_relevant(name: str) -> bool:
    """Tell whether a project, by its normalised name, belongs to PyTorch or NVIDIA or is used together with torch."""
    return name.startswith(_RELEVANT)


def parse_metadata(text: str) -> Metadata:
    """Return the header fields, with the requirements of relevant projects, and all requirements of torch itself.

    https://packaging.python.org/en/latest/specifications/core-metadata/
    """
    name = version = None
    requires = []
    for line in text.splitlines()[:_MAX_LINES]:
        if not line.strip():
            break
        key, colon, value = line.partition(":")
        if not colon or line[0].isspace():
            continue
        key = key.lower()
        if key == "name":
            name = sanitize_line(value)  # it stands before what is required
        elif key == "version":
            version = sanitize_line(value, limit=100)
        elif key == "requires-dist":
            named = _NAMED.match(value.strip())
            if named and (name in _ALL_REQUIREMENTS or is_relevant(canonicalize_name(named[0]))):
                requires.append(sanitize_line(value, limit=_MAX_LINE_CHARACTERS))
    return Metadata(name=name or None, version=version or None, requires=tuple(requires[:_MAX_REQUIREMENTS]))


def parse_requirements(text: str) -> tuple[str, ...]:
    """Return every requirement line of a METADATA or PKG-INFO file."""
    lines = []
    for line in text.splitlines()[:_MAX_LINES]:
        if not line.strip():
            break
        key, colon, value = line.partition(":")
        if colon and key.lower() == "requires-dist":
            lines.append(sanitize_line(value, limit=_MAX_LINE_CHARACTERS))
    return tuple(lines[:_MAX_REQUIREMENTS])


def split_info(name: str) -> tuple[str, str | None] | None:
    """Return name and version of `torch-2.13.0+cpu.dist-info` or `.egg-info`; None for other names."""
    stem, dot, kind = name.rpartition(".")
    if not dot or kind not in ("dist-info", "egg-info"):
        return None
    project, _, rest = stem.partition("-")
    if not _NAMED.fullmatch(project):
        return None
    # The name of an egg-info ends with the Python that it is for.
    version = re.sub(r"-py[23](?:\.\d+)?.*$", "", rest) if kind == "egg-info" else rest
    return str(canonicalize_name(project)), sanitize_line(version, limit=100) or None


def parse_direct_url(text: str) -> tuple[str | None, bool]:
    """Return the URL without credentials, and whether it is an editable install.

    https://packaging.python.org/en/latest/specifications/direct-url-data-structure/
    """
    try:
        document = read_object(text)
    except ValueError:
        return None, False
    url, folder = document.get("url"), document.get("dir_info")
    editable = isinstance(folder, dict) and folder.get("editable") is True
    return (sanitize_line(redact_url(url), limit=500) if isinstance(url, str) else None), editable


def parse_version_file(text: str) -> VersionFile:
    """Return the assignments at the left margin of a version.py; nothing of it is run."""
    values = dict(_assignments(text))
    version = values.get("__version__") or values.get("version")

    def text_of(key: str) -> str | None:
        value = values.get(key)
        return sanitize_line(value, limit=100) or None if isinstance(value, str) else None

    debug = values.get("debug")
    return VersionFile(
        version=sanitize_line(version, limit=100) or None if isinstance(version, str) else None,
        cuda=text_of("cuda"),
        hip=text_of("hip") or text_of("rocm"),
        xpu=text_of("xpu"),
        debug=debug if isinstance(debug, bool) else None,
        git=text_of("git_version"),
        says=tuple(key for key in ("cuda", "hip", "rocm", "xpu", "debug", "git_version") if key in values),
    )


def _assignments(text: str) -> Iterator[tuple[str, Any]]:
    for match in _ASSIGNED.finditer(text):
        try:
            yield match[1], read_literal(match[2])
        except ValueError:
            continue


@dataclass(frozen=True, kw_only=True, slots=True)
class CondaPackage:
    """A package as conda records it; None for what the record does not say."""

    name: str  # in lower case
    version: str | None
    build: str | None
    channel: str | None  # a URL without credentials, or a name
    requested: bool | None  # whether somebody asked for it by name
    requires: tuple[str, ...]  # of relevant projects


def parse_conda(text: str) -> CondaPackage | None:
    """Return the package of a `conda-meta/NAME-VERSION-BUILD.json`; None for any other text."""
    try:
        document = read_object(text)
    except ValueError:
        return None

    def text_of(key: str) -> str | None:
        value = document.get(key)
        return sanitize_line(value, limit=200) or None if isinstance(value, str) else None

    name, depends, specs = text_of("name"), document.get("depends"), document.get("requested_specs")
    spec = document.get("requested_spec")
    if name is None:
        return None
    known = isinstance(specs, list) or isinstance(spec, str)
    required = (
        [sanitize_line(requirement) for requirement in depends if isinstance(requirement, str)]
        if isinstance(depends, list)
        else []
    )
    channel = text_of("channel")
    return CondaPackage(
        name=name.lower(),
        version=text_of("version"),
        build=text_of("build"),
        channel=redact_url(channel) if channel else None,
        requested=bool(specs or (isinstance(spec, str) and spec not in ("", "None"))) if known else None,
        requires=tuple(
            requirement for requirement in required[:500] if is_relevant(requirement.split(" ")[0].lower())
        ),
    )


def parse_pth(text: str, *, path: str) -> PthFile:
    """Return which lines of a .pth file are folders and how many are code.

    https://docs.python.org/3/library/site.html
    """
    lines = [line.rstrip() for line in text.splitlines()[:_MAX_LINES]]
    lines = [line for line in lines if line.strip() and not line.startswith("#")]
    code = [line for line in lines if line.startswith(("import ", "import\t"))]
    folders = [
        sanitize_line(line, limit=1000) for line in lines if not line.startswith(("import ", "import\t"))
    ]
    return PthFile(path=path, folders=tuple(folders[:100]), code_lines=len(code))


def parse_install_record(text: str, *, path: str) -> InstallRecord | None:
    """Return the record of a torchdoctor.json; None for a text that torchdoctor did not write."""
    try:
        document = read_object(text)
    except ValueError:
        return None
    if document.get("schema") != 1:
        return None
    plan, files = document.get("plan"), document.get("files")
    variant = plan.get("variant") if isinstance(plan, dict) else None

    def text_of(value: object) -> str | None:
        return sanitize_line(value, limit=300) or None if isinstance(value, str) else None

    def pairs_of(rows: object, first: str, second: str) -> tuple[tuple[str, str], ...]:
        entries = [row for row in rows[:2000] if isinstance(row, dict)] if isinstance(rows, list) else []
        pairs = [(text_of(entry.get(first)), text_of(entry.get(second))) for entry in entries]
        return tuple((one, other) for one, other in pairs if one and other)

    return InstallRecord(
        path=path,
        written=text_of(document.get("written")),
        torchdoctor=text_of(document.get("torchdoctor")),
        variant=text_of(variant),
        packages=pairs_of(files, "name", "version"),
        asked=pairs_of(document.get("asked"), "requirement", "origin"),
    )
