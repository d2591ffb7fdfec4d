"""Compare wheels_index/data with what its sources say now: `python tools/audit_facts.py [DATA_DIR [SOURCE...]]`.

A SOURCE is what tools/extend_facts.py takes; without one PyPI's documents of torch and its companions are read.
Prints what is wrong and what is missing, each with its source, and with `--unsourced` the facts that name none or
that nobody has read again. The exit status is 1 where something is wrong or missing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facts_sources import Listing, read_source
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from wheels_index import COMPANIONS, TORCH_PROJECTS, Snapshot, unsourced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from facts_sources import Seen
    from packaging.version import Version

__all__ = ["Audit", "audit", "main"]

ROOT = Path(__file__).parents[1]
PYPI = tuple(f"https://pypi.org/pypi/{project}/json" for project in TORCH_PROJECTS)


@dataclass(kw_only=True)
class Audit:
    """What differs, a line each."""

    wrong: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def audit(folder: Path, listing: Listing) -> Audit:
    """Compare the data in `folder` with what was listed, for every torch release since the oldest that is known."""
    known = _known(folder)
    found = Audit()
    unknown: defaultdict[str, list[Seen]] = defaultdict(list)
    for row in listing.wheels:
        if row.project not in TORCH_PROJECTS or row.version < _floors(folder)[row.project]:
            continue
        digest = known.get((row.folder, row.filename))
        if digest is None:
            unknown[f"{row.project} {row.version}"].append(row)
        elif digest and row.sha256 and digest != row.sha256:
            found.wrong.append(f"{row.filename}: {digest} is stored, {row.source} has {row.sha256}")
    for version, rows in unknown.items():
        said = listing.pypi.get((rows[0].project, str(rows[0].version)), {})
        if not said.get("yanked"):
            found.missing.append(
                f"{version}: {len(rows)} files, such as {rows[0].filename} ({rows[0].source})"
            )
    found.wrong.extend(_wrong_words(folder, listing))
    found.wrong.extend(_wrong_requirements(folder, listing))
    return found


def _known(folder: Path) -> dict[tuple[str | None, str], str]:
    """Every stored file by place: its digest, or an empty text where none is known."""
    known: dict[tuple[str | None, str], str] = {}
    for path in folder.glob("*/*.json"):
        data = json.loads(path.read_bytes())
        for group in data.get("wheels", ()):
            known |= {(group["folder"], name): digest or "" for name, digest in group["files"]}
        for group in data.get("pypi", ()):
            known |= {(None, name): digest for name, digest, _ in group["files"]}
    return known


def _floors(folder: Path) -> dict[str, Version]:
    """The oldest version of each project that the data speaks of."""
    snapshot = Snapshot(folder)
    oldest = snapshot.release(snapshot.versions()[-1])
    floors = {name: min(oldest.companions[name].versions) for name in COMPANIONS}
    return {"torch": oldest.version, **floors}


def _wrong_words(folder: Path, listing: Listing) -> Iterator[str]:
    """What PyPI says of a version, beside what is stored."""
    for path in sorted(folder.glob("*/*.json")):
        for group in json.loads(path.read_bytes()).get("pypi", ()):
            said = listing.pypi.get((group["project"], group["version"]))
            for key in ("requires_python", "uploaded", "yanked") if said is not None else ():
                if _same(said[key]) != _same(group[key]):
                    name = f"{group['project']} {group['version']}"
                    yield f"{name}: {key} is {group[key]!r} in {path.name}, and PyPI says {said[key]!r}"


def _same(value: Any) -> Any:
    """A specifier however its parts are ordered; anything else as it is."""
    if isinstance(value, str):
        with contextlib.suppress(InvalidSpecifier):
            return SpecifierSet(value)
    return value


def _wrong_requirements(folder: Path, listing: Listing) -> Iterator[str]:
    """The requirements of the newest version, which is the only one that PyPI's document has."""
    for name, lines in listing.requires.items():
        project, _, version = name.rpartition("-")
        path = folder / "requires" / f"{project}.json"
        stored = json.loads(path.read_bytes())["versions"].get(version) if path.exists() else None
        if stored is None:
            continue
        everywhere = [
            *stored["requires_dist"],
            *(line for more in stored["by_platform"].values() for line in more),
        ]
        if _normal(lines) - _normal(everywhere):
            more = ", ".join(sorted(_normal(lines) - _normal(everywhere)))
            yield f"{project} {version}: PyPI says that it requires {more}, which {path.name} does not have"


def _normal(lines: Iterable[str]) -> set[str]:
    normal = set()
    for line in lines:
        try:
            normal.add(str(Requirement(line)))
        except InvalidRequirement:
            normal.add(line)
    return normal


def main(arguments: list[str]) -> int:
    """Run it; the exit status is 1 where a fact is wrong or missing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--unsourced", action="store_true", help="list the facts without a source as well")
    parser.add_argument(
        "data", type=Path, nargs="?", default=ROOT / "wheels_index" / "data", metavar="DATA_DIR"
    )
    parser.add_argument("sources", nargs="*", metavar="SOURCE")
    asked = parser.parse_args(arguments)
    listing = Listing()
    for source in asked.sources or PYPI:
        read_source(source, listing)
    found = audit(asked.data, listing)
    for title, lines in (("wrong", found.wrong), ("missing", found.missing)):
        for line in lines:
            print(f"{title}: {line}")
    for line in unsourced(asked.data) if asked.unsourced else ():
        print(f"unsourced: {line}")
    print(f"{len(listing.wheels)} files compared: {len(found.wrong)} wrong, {len(found.missing)} missing")
    return 1 if found.wrong or found.missing else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
