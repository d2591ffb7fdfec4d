"""Extend wheels_index/data: `python tools/extend_facts.py --as-of YYYY-MM-DD DATA_DIR SOURCE...`.

A SOURCE is the URL of an index page or of PyPI's JSON (https://pypi.org/pypi/torch/json), such a page saved as
FILE=URL, a saved PyPI JSON document, or a uv.lock, poetry.lock or pylock.toml. Rows of the official index come
from its own hosts alone, PyPI's from PyPI's. A file seen with another digest in the same place stops the
command, and nothing is written. The same sources again change no byte.
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facts_new import new_release, platforms_of, with_companion
from facts_sources import Listing, Seen, read_source
from facts_wheels import by_python, newest_first
from layout import write

from wheels_index import COMPANIONS, TORCH_PROJECTS, LiveSnapshot, Overlay, Snapshot, Wheel

if TYPE_CHECKING:
    from packaging.version import Version

    from wheels_index import Companion, Release

__all__ = ["Conflict", "extend", "main"]

Facts = dict[str, Any]


class Conflict(Exception):
    """Files that were seen with two digests in one place."""


class _Data:
    """The data files, read when first needed, written when changed."""

    def __init__(self, folder: Path, as_of: str) -> None:
        self.folder = folder
        self.as_of = as_of
        self.files = {p: json.loads(p.read_bytes()) for p in sorted(folder.glob("*/*.json"))}
        self._before = copy.deepcopy(self.files)

    def write(self) -> list[Path]:
        changed = [path for path, data in self.files.items() if data != self._before.get(path)]
        for path in changed:
            write(path, self.files[path])
        return changed

    def release(self, version: str) -> Path:
        return self.folder / "releases" / f"{version}.json"

    def home(self, project: str, version: Version) -> Path | None:
        """The file that holds a project's version; None for a companion of which no torch is known."""
        public = version.public
        if project not in TORCH_PROJECTS:
            path = self.folder / "projects" / f"{project}.json"
            self.files.setdefault(path, {"as_of": self.as_of, "source": "see each group", "wheels": []})
            return path
        if project == "torch":
            return self.release(public) if self.release(public) in self.files else None
        shared = self.folder / "companions" / f"{project}-{public}.json"
        releases = (p for p in self.files if p.parent.name == "releases")
        own = (p for p in releases if public in self.files[p]["companions"][project]["versions"])
        return shared if shared in self.files else next(own, None)

    def digests(self) -> dict[tuple[str | None, str], str | None]:
        """Every known file by place: the official index's folder, or None for PyPI."""
        known: dict[tuple[str | None, str], str | None] = {}
        for data in self.files.values():
            for group in data.get("wheels", ()):
                known |= {(group["folder"], name): sha256 for name, sha256 in group["files"]}
            for group in data.get("pypi", ()):
                known |= {(None, name): sha256 for name, sha256, _ in group["files"]}
        return known


def extend(folder: Path, listing: Listing, *, as_of: str) -> list[Path]:
    """Add what was listed to the data; return the files that changed. Raises `Conflict`, having written nothing."""
    data = _Data(folder, as_of)
    new = _news(data, listing)
    _releases(data, folder, listing)
    groups: defaultdict[tuple[Path, str, str, str | None, str], list[Seen]] = defaultdict(list)
    for row in new:
        home = data.home(row.project, row.version)
        if home is None:
            listing.homeless.add(f"{row.project} {row.version.public}")
            continue
        groups[home, row.project, str(row.version), row.folder, row.source].append(row)
    for (path, project, version, place, source), rows in groups.items():
        facts = data.files[path]
        if place is None:
            _add_pypi(facts, project, version, rows, f"{source}, read {as_of}", listing)
        else:
            _add_official(facts, project, version, place, rows, f"{source}, read {as_of}")
    return data.write()


def _news(data: _Data, listing: Listing) -> list[Seen]:
    """Return the rows that say something new; a digest found for a file known without one is new."""
    known, wrong = data.digests(), []
    new: dict[tuple[str | None, str], Seen] = {}
    for row in listing.wheels:
        key = (row.folder, row.filename)
        before = known.get(key)
        if before and row.sha256 and before != row.sha256:
            where = row.folder or "PyPI"
            wrong.append(f"{where} {row.filename}: {before} is known, {row.source} has {row.sha256}")
        elif key not in known or (before is None and row.sha256 is not None):
            new[key] = row
            known[key] = row.sha256
    if wrong:
        raise Conflict("\n".join(wrong))
    # PyPI gives every size; a lock file without one cannot stand for PyPI's row.
    return [
        r
        for r in new.values()
        if r.folder is not None or (r.size is not None and r.project in TORCH_PROJECTS)
    ]


def _releases(data: _Data, folder: Path, listing: Listing) -> None:
    """Make the files of new releases, and give known ones the variants, Pythons and companions that were seen."""
    wheels = [_wheel(row) for row in listing.wheels if row.folder is not None or row.project in COMPANIONS]
    wheels = [wheel for wheel in wheels if wheel.project in TORCH_PROJECTS]
    live = LiveSnapshot(Snapshot(folder), Overlay.of(wheels, as_of=data.as_of, requires=listing.requires))
    for version in live.versions():
        path, release = data.release(str(version)), live.release(version)
        said = listing.pypi.get(("torch", str(version)), {})
        on_pypi = [
            r for r in listing.wheels if r.folder is None and r.project == "torch" and r.version == version
        ]
        if path not in data.files:
            data.files[path] = new_release(release, said, sorted({r.source for r in listing.wheels}))
        facts = data.files[path]
        facts["platforms"] = platforms_of(release, facts["platforms"], on_pypi)
        for project, companion in release.companions.items():
            row = _with_what_pypi_says(companion, release, listing)
            with_companion(facts, project, row, shared_in=data.folder / "companions", files=data.files)


def _with_what_pypi_says(row: Companion, release: Release, listing: Listing) -> Companion:
    said = {version: words for (project, version), words in listing.pypi.items() if project == row.project}
    days = {version: words["uploaded"] for version, words in said.items()}
    pythons = {
        str(version): row.requires_python.get(str(version))
        or said.get(str(version), {}).get("requires_python")
        for version in row.versions
    }
    on_index = {
        wheel.version.public for wheel in release.listed(row.project) if "pypi.org" not in str(wheel.url)
    }
    new = {str(version) for version in row.versions} - row.uploaded.keys() - on_index
    return replace(
        row,
        uploaded={**days, **row.uploaded},
        requires_python=pythons,
        pypi_only=row.pypi_only - on_index | new,
    )


def _wheel(row: Seen) -> Wheel:
    """A file as a listing shows it. PyPI's names no variant, and its place is of no matter here."""
    if row.folder is None:
        return Wheel.from_filename(row.filename, url=f"https://pypi.org/{row.filename}", sha256=row.sha256)
    return Wheel.from_filename(
        row.filename,
        url=f"https://download.pytorch.org/{row.folder}{row.filename.replace('+', '%2B')}",
        sha256=row.sha256,
        variant=row.folder.removeprefix("whl/").rstrip("/") or None,
    )


def _add_official(
    facts: Facts, project: str, version: str, folder: str, rows: list[Seen], source: str
) -> None:
    names = {row.filename for row in rows}
    for group in facts["wheels"]:
        if group["folder"] == folder:  # what was known without a digest is known from here now
            group["files"] = [file for file in group["files"] if file[0] not in names]
    facts["wheels"] = [group for group in facts["wheels"] if group["files"]]
    files = [[row.filename, row.sha256] for row in sorted(rows, key=lambda row: by_python(row.filename))]
    facts["wheels"].append(
        {"project": project, "version": version, "folder": folder, "source": source, "files": files}
    )
    facts["wheels"].sort(key=lambda g: (g["project"], newest_first(g["version"]), g["folder"]))


def _add_pypi(
    facts: Facts, project: str, version: str, rows: list[Seen], source: str, listing: Listing
) -> None:
    said = listing.pypi.get((project, version))
    if said is None:  # a lock file knows the digest and not what PyPI says of the version
        old = next((g for g in facts["pypi"] if (g["project"], g["version"]) == (project, version)), {})
        said = {key: old.get(key) for key in ("requires_python", "uploaded")} | {
            "yanked": old.get("yanked", False)
        }
    files = [[r.filename, r.sha256, r.size] for r in sorted(rows, key=lambda r: by_python(r.filename))]
    facts["pypi"].append({"project": project, "version": version, **said, "source": source, "files": files})


def main(arguments: list[str]) -> int:
    """Run it; the exit status is 1 for a conflict of digests and 2 for wrong usage."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--as-of", required=True, metavar="YYYY-MM-DD", help="the day the sources were read")
    parser.add_argument("data", type=Path, metavar="DATA_DIR")
    parser.add_argument("sources", nargs="+", metavar="SOURCE")
    asked = parser.parse_args(arguments)
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", asked.as_of) or not (asked.data / "releases").is_dir():
        parser.error("--as-of is a date such as 2026-12-01, and DATA_DIR a folder such as wheels_index/data")
    listing = Listing()
    try:
        for source in asked.sources:
            read_source(source, listing)
        changed = extend(asked.data, listing, as_of=asked.as_of)
    except Conflict as conflict:
        print(f"refused, nothing was written:\n{conflict}", file=sys.stderr)
        return 1
    for path in changed:
        print(path)
    for name in sorted(listing.homeless):
        print(f"left out: {name}, whose variants or torch are not known", file=sys.stderr)
    print(f"{len(listing.wheels)} wheels read, {listing.passed_over} links passed over", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
