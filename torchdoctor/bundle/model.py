"""A bundle, and the names of its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CHECKSUMS", "DESCRIPTION", "OWN_FILES", "SCRIPTS", "SIGNATURE", "Bundle"]

DESCRIPTION = "bundle.json"  # marks a folder as a bundle of ours
CHECKSUMS = "SHA256SUMS"  # is there once the bundle is complete
SIGNATURE = "SHA256SUMS.sig"  # of OpenSSH, over the sums, where the bundle is signed
SCRIPTS = ("install.py", "install.sh", "install.ps1")
OWN_FILES = frozenset(
    {
        DESCRIPTION,
        CHECKSUMS,
        SIGNATURE,
        "README.md",
        "pylock.toml",
        "requirements.txt",
        "requirements-pip.txt",
        *SCRIPTS,
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """A complete bundle."""

    folder: Path
    files: tuple[str, ...]  # names of all files in it
    size: int  # bytes of all files
    digest: str  # `sha256:` and that of its sums, which names the whole bundle
    signed: bool = False
