"""Whether what was built may be published: `python tools/check_release.py vX.Y.Z dist/*`.

The tag must be the version, CHANGELOG.md must have a dated section for it, and no URL in the metadata may still hold
the placeholder OWNER. Exit status 1 and one line for each that does not hold.
"""

from __future__ import annotations

import re
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"


def problems(tag: str, files: list[Path]) -> Iterator[str]:
    """One sentence for each reason not to publish."""
    version = tag.removeprefix("v")
    if not files:
        yield "nothing was built"
    for path in files:
        metadata = metadata_of(path)
        if f"\nVersion: {version}\n" not in metadata:
            yield f"{path.name} is not version {version}, as the tag says"
        if "/OWNER/" in metadata:
            yield f"{path.name} names OWNER in its URLs: put the repository's owner into pyproject.toml"
    if not re.search(
        rf"^## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)$", CHANGELOG.read_text("utf-8"), re.MULTILINE
    ):
        yield f"CHANGELOG.md has no section '## {version} (YYYY-MM-DD)'"


def metadata_of(path: Path) -> str:
    """The metadata (PKG-INFO or METADATA) of a wheel or an sdist; `ValueError` for another file."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
            return wheel.read(name).decode("utf-8")
    if path.name.endswith(".tar.gz"):
        with tarfile.open(path) as sdist:
            name = next(
                name for name in sdist.getnames() if name.count("/") == 1 and name.endswith("/PKG-INFO")
            )
            file = sdist.extractfile(name)
            return file.read().decode("utf-8") if file else ""
    raise ValueError(f"{path} is neither a wheel nor an sdist")


if __name__ == "__main__":
    found = list(problems(sys.argv[1], [Path(name) for name in sys.argv[2:]]))
    print("\n".join(found) or "ready")
    sys.exit(1 if found else 0)
