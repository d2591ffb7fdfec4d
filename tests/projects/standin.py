"""PyTorch's index and PyPI on loopback: their real layouts, the real names of files, and real metadata in small wheels.

PyPI's side serves what `tools/capture_metadata.py` read there (`data/pypi.json`), and torch from the bundled facts. The
PyTorch side serves `/whl/<variant>/<project>/` for every variant of the facts. Where no file of a build was seen, its
name is made as that index makes names; metadata of a build that is not PyPI's own leaves out the packages of its
accelerator, which were not read. Pages and files are made when they are asked for.
"""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
import tarfile
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename

from tests.loopback import LoopbackIndex
from tests.projects.cases import DATA
from tests.wheelmaker import make_wheel
from wheels_index import bundled, variant_of
from wheels_index._data import read_json

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler

    from packaging.version import Version

TORCH_PROJECTS = ("torch", "torchvision", "torchaudio")
PYTHONS = ("3.10", "3.11", "3.12")
# The name of each system's wheels in files of which none was seen.
TAGS = {"linux_x86_64": "manylinux_2_28_x86_64", "windows_x86_64": "win_amd64"}
# Their setup.py imports torch.
BUILT_AGAINST_TORCH = ("groundingdino-py", "mmcv")
_ACCELERATOR = re.compile(r"(nvidia-|cuda-|triton|pytorch-triton|intel-|onemkl|dpcpp|tbb|umf|oneccl|impi)")


class StandIn(LoopbackIndex):
    """Both indexes: `/whl/<variant>/<project>/` and `/simple/<project>/`; files lie under `/files/<where>/`."""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = unquote(request.path.partition("?")[0])
        if page := re.fullmatch(r"/whl/([a-z0-9.-]+)/([a-z0-9-]+)/", path):
            self._list(path, f"/files/{page[1]}", official(page[1], page[2]))
        elif page := re.fullmatch(r"/simple/([a-z0-9.-]+)/", path):
            self._list(path, "/files/pypi", on_pypi(canonicalize_name(page[1])))
        elif page := re.fullmatch(r"/openmmlab/mmcv/dist/([a-z0-9]+)/torch([0-9.]+)/index\.html", path):
            self._list(path, "/files/openmmlab", mmcv_wheels(page[1], page[2]))
        elif file := re.fullmatch(r"/files/([a-z0-9.-]+)/([^/]+?)(\.metadata)?", path):
            self._make(file[1], file[2])
        elif wheel := re.fullmatch(r"/github/.+/([^/]+\.whl)", path):
            self.files.setdefault(path, small_wheel("pypi", wheel[1]))
        super().answer(request)

    @property
    def github_url(self) -> str:
        """What stands for https://github.com, where projects keep wheels: they require nothing here."""
        return f"{self.url}/github"

    @property
    def openmmlab_url(self) -> str:
        """What stands for https://download.openmmlab.com."""
        return f"{self.url}/openmmlab"

    @property
    def torch_url(self) -> str:
        """What stands for https://download.pytorch.org/whl."""
        return f"{self.url}/whl"

    def _list(self, path: str, folder: str, files: dict[str, str | None]) -> None:
        if path in self.pages or not files:
            return
        rows = []
        for name, requires_python in files.items():
            where = folder.rpartition("/")[2]
            self._make(where, name)
            digest = hashlib.sha256(self.files[f"{folder}/{name}"]).hexdigest()
            attributes = ' data-core-metadata="true"' if name.endswith(".whl") else ""
            if requires_python:
                attributes += f' data-requires-python="{html.escape(requires_python)}"'
            href = f"{folder}/{name.replace('+', '%2B')}#sha256={digest}"
            rows.append(f'    <a href="{href}"{attributes}>{name}</a><br/>\n')
        self.pages[path] = f"<!DOCTYPE html>\n<html>\n  <body>\n{''.join(rows)}  </body>\n</html>\n".encode()

    def _make(self, where: str, name: str) -> None:
        path = f"/files/{where}/{name}"
        if path not in self.files:
            self.files[path] = small_wheel(where, name) if name.endswith(".whl") else small_sdist(name)
            if name.endswith(".whl"):
                self.files[f"{path}.metadata"] = metadata(where, name).encode()


# https://github.com/open-mmlab/mmcv/blob/05e84ada5c38b3523a8eaf4b259d37d98438cb46/docs/en/_static/version.json
_MMCV = {
    ("cpu", "cu118", "cu121"): {"2.4": "2.2.0", "2.3": "2.2.0", "2.2": "2.2.0", "2.1": "2.2.0 2.1.0"},
    ("cpu", "cu117", "cu118"): {"2.0": "2.2.0 2.1.0 2.0.1 2.0.0"},
}


def mmcv_wheels(variant: str, torch: str) -> dict[str, str | None]:
    """The files of OpenMMLab's page for a torch and a variant; for torch 2.4 there are none for Windows."""
    versions = " ".join(rows[torch] for names, rows in _MMCV.items() if variant in names and torch in rows)
    platforms = ("manylinux1_x86_64", "win_amd64")[: 1 if torch == "2.4" else 2]
    return {
        f"mmcv-{version}-cp{python}-cp{python}-{platform}.whl": None
        for version in versions.split()
        for python in ("310", "311")
        for platform in platforms
    }


@cache
def captured() -> dict[str, dict[str, Any]]:
    """What was captured of PyPI: by project and version."""
    packages: dict[str, dict[str, Any]] = json.loads((DATA / "pypi.json").read_text("utf-8"))["packages"]
    return packages


@cache
def official(variant: str, project: str) -> dict[str, str | None]:
    """The files that the PyTorch index lists of a project for a variant."""
    if project not in TORCH_PROJECTS:
        return {
            wheel.filename: None for wheel in bundled().project(project) if wheel.variant in (variant, None)
        }
    files: dict[str, str | None] = {}
    for release in bundled().releases():
        seen = [wheel.filename for wheel in release.listed(project, variant)]
        for platform, builds in release.platforms.items():
            if variant not in builds.variants:
                continue
            versions = (release.version,) if project == "torch" else release.companions[project].versions
            for version in versions:
                # torchaudio has had no release since 2.11.0: its builds are for the variants of that time.
                if project == "torchaudio" and variant not in _variants_of(version, platform):
                    continue
                names = _names(project, version, variant, platform)
                files.update(dict.fromkeys(n for n in names if not _is_seen(n, seen)))
        files.update(dict.fromkeys(seen))
    return files


def _variants_of(version: Version, platform: str) -> tuple[str, ...]:
    """The variants of the torch release that has the same version."""
    release = next((each for each in bundled().releases() if each.version.public == version.public), None)
    return (
        release.platforms[platform].variants if release is not None and platform in release.platforms else ()
    )


def _is_seen(name: str, seen: list[str]) -> bool:
    """Whether a file for the same version, Python and system was seen under its real name."""
    project, version, _, tags = parse_wheel_filename(name)
    wanted = {(tag.interpreter, tag.platform.rpartition("_")[2]) for tag in tags}
    return any(
        (project, version) == parse_wheel_filename(other)[:2]
        and wanted
        & {(tag.interpreter, tag.platform.rpartition("_")[2]) for tag in parse_wheel_filename(other)[3]}
        for other in seen
    )


def _names(project: str, version: Version, variant: str, platform: str) -> list[str]:
    if platform == "macos_arm64":  # the same names as on PyPI, under `cpu`
        return [name for name in _pypi_names(project, version) if "macosx" in name and "arm64" in name]
    if platform not in TAGS:
        return []
    pythons = {parse_wheel_filename(name)[3] for name in _pypi_names(project, version)}
    interpreters = {tag.interpreter for tags in pythons for tag in tags}
    cpython = [f"cp{python.replace('.', '')}" for python in PYTHONS]
    tags = (
        ["py3-none"]
        if "py3" in interpreters
        else [f"{each}-{each}" for each in cpython if each in interpreters]
    )
    return [f"{project}-{version.public}+{variant}-{tag}-{TAGS[platform]}.whl" for tag in tags]


@cache
def _pypi_names(project: str, version: Version) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            wheel.filename
            for release in bundled().releases()
            for wheel in release.pypi_wheels
            if wheel.project == project and wheel.version == version
        )
    )


@cache
def on_pypi(project: str) -> dict[str, str | None]:
    """The files that PyPI lists of a project, with what Python each version requires."""
    if project in TORCH_PROJECTS:
        return {
            wheel.filename: wheel.requires_python
            for release in bundled().releases()
            for wheel in release.pypi_wheels
            if wheel.project == project
        }
    rows = captured().get(project, {})
    return {name: row["requires_python"] for row in rows.values() for name in row["files"]}


@cache
def _declared(project: str) -> dict[str, Any]:
    versions: dict[str, Any] = read_json(f"requires/{project}.json")["versions"]
    return versions


def requires_of(where: str, name: str) -> tuple[tuple[str, ...], str | None]:
    """The `Requires-Dist` lines and the `Requires-Python` of a file."""
    project, version = _named(name)
    if project in TORCH_PROJECTS:
        row = _declared(project).get(version.public)
        if row is None:
            return (), None
        platform = (
            "windows_x86_64" if "win_amd64" in name else "macos_arm64" if "macosx" in name else "linux_x86_64"
        )
        lines = row["by_platform"].get(platform, row["requires_dist"])
        default = bundled().release(_release_of(project, version)).platforms[platform].pypi_default
        if where not in ("pypi", default):
            lines = [line for line in lines if not _ACCELERATOR.match(line)]
            if (variant_of(version) or "").startswith("cu"):
                lines += [line for line in row["requires_dist"] if line.startswith("triton")]
        return tuple(lines), row["requires_python"]
    row = captured().get(project, {}).get(str(version))
    return (tuple(row["requires_dist"]), row["requires_python"]) if row else ((), None)


def _release_of(project: str, version: Version) -> Version:
    if project == "torch":
        return version
    return next(
        release.version
        for release in bundled().releases()
        if any(version.public == other.public for other in release.companions[project].versions)
    )


def _named(name: str) -> tuple[str, Version]:
    return parse_wheel_filename(name)[:2] if name.endswith(".whl") else parse_sdist_filename(name)


def metadata(where: str, name: str) -> str:
    """The METADATA of a file."""
    project, version = _named(name)
    lines, requires_python = requires_of(where, name)
    extras = {found for line in lines for found in re.findall(r"extra\s*==\s*['\"]([\w.-]+)['\"]", line)}
    return "".join(
        f"{key}: {value}\n"
        for key, value in (
            ("Metadata-Version", "2.2"),
            ("Name", project),
            ("Version", str(version)),
            *((("Requires-Python", requires_python),) if requires_python else ()),
            *(("Provides-Extra", extra) for extra in sorted(extras)),
            *(("Requires-Dist", line) for line in lines),
        )
    )


def small_wheel(where: str, name: str) -> bytes:
    """A wheel of a few hundred bytes under a real name, with the metadata of the real one."""
    project, version = _named(name)
    tag = "-".join(name.removesuffix(".whl").split("-")[-3:])
    return make_wheel(project, str(version), tag=tag, metadata=metadata(where, name))[1]


def small_sdist(name: str) -> bytes:
    """An sdist with the real requirements; its setup.py imports torch where the real one does."""
    project, version = _named(name)
    imports = "import torch\n" if project in BUILT_AGAINST_TORCH else ""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for path, text in (
            ("PKG-INFO", metadata("pypi", name)),
            (
                "pyproject.toml",
                '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n',
            ),
            (
                "setup.py",
                f"{imports}from setuptools import setup\nsetup(name={project!r}, version={str(version)!r})\n",
            ),
        ):
            info = tarfile.TarInfo(f"{name.removesuffix('.tar.gz')}/{path}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return made.getvalue()
