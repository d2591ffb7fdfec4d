"""Makes small wheels with the names that real ones have."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile


def make_wheel(
    project: str,
    version: str,
    *,
    tag: str = "cp311-cp311-manylinux_2_28_x86_64",
    requires: tuple[str, ...] = (),
    built: str | None = None,
    modules: dict[str, str | bytes] | None = None,
    metadata: str | None = None,
) -> tuple[str, bytes]:
    """The file name and the bytes of a wheel.

    `built` is the version in its version.py, `modules` are further files, `metadata` is all its METADATA.
    """
    name = project.replace("-", "_")
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": f"from {name}.version import __version__\n",
        f"{name}/version.py": f"__version__ = '{built or version}'\n",
        **(modules or {}),
        f"{info}/METADATA": metadata
        or "Metadata-Version: 2.1\nName: {}\nVersion: {}\n{}".format(
            project, version, "".join(f"Requires-Dist: {row}\n" for row in requires)
        ),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: false\nTag: {tag}\n",
    }
    record = "".join(f"{path},{_digest(text)},{len(_bytes(text))}\n" for path, text in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return f"{name}-{version}-{tag}.whl", made.getvalue()


def metadata_of(content: bytes) -> bytes:
    """The METADATA of a wheel, empty when it is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return next(archive.read(name) for name in archive.namelist() if name.endswith("/METADATA"))
    except (zipfile.BadZipFile, StopIteration):
        return b""


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _digest(content: str | bytes) -> str:
    raw = hashlib.sha256(_bytes(content)).digest()
    return "sha256=" + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
