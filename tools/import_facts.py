"""Write wheels_index/data from gathered facts: `python tools/import_facts.py FACTS_DIR [DATA_DIR]`.

FACTS_DIR holds `wheels.jsonl` (files seen on the official index), `pypi.json` (PyPI's files) and
`compat.json` (build matrix, variants, architectures, GPUs). The same facts give the same bytes.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from facts_release import release
from facts_requires import requires
from facts_tables import architectures, gpus, variants
from facts_wheels import groups, pypi_group
from layout import write

from wheels_index import TORCH_PROJECTS

__all__ = ["import_facts", "main"]


def import_facts(facts: Path, data: Path) -> None:
    """Write every data file under `data` from the three files of facts."""
    compat = json.loads((facts / "compat.json").read_text("utf-8"))
    pypi = json.loads((facts / "pypi.json").read_text("utf-8"))
    rows = [json.loads(line) for line in (facts / "wheels.jsonl").read_text("utf-8").splitlines()]
    shared = _shared(compat)
    for torch in compat["releases"]:
        content = release(torch, compat=compat, pypi=pypi, rows=rows, shared=shared)
        write(data / "releases" / f"{torch}.json", content)
    for name in shared:
        write(data / "companions" / f"{name}.json", _companion(name, compat, pypi, rows))
    sources = compat["_meta"]
    for project in TORCH_PROJECTS:
        content = requires(project, pypi=pypi, source=sources["sources"]["pypi"], as_of=sources["generated"])
        write(data / "requires" / f"{project}.json", content)
    _write_others(data, rows, compat)
    write(data / "variants.json", variants(compat))
    write(data / "archs.json", architectures(compat))
    write(data / "gpus.json", gpus(compat))


def _shared(compat: dict[str, Any]) -> set[str]:
    """Return the companions that go with more than one torch: each has one file, so one truth."""
    count: Counter[str] = Counter()
    for pair in compat["pairs"]["list"]:
        count.update(f"torchvision-{version}" for version in pair["torchvision_allowed"])
        count[f"torchaudio-{pair['torchaudio']}"] += 1
    return {name for name, times in count.items() if times > 1}


def _companion(name: str, compat: dict[str, Any], pypi: dict[str, Any], rows: list[dict[str, Any]]) -> Any:
    project, _, version = name.partition("-")
    mine = [row for row in rows if row["project"] == project and row["version"].split("+")[0] == version]
    sources = compat["_meta"]["sources"]
    return {
        "as_of": compat["_meta"]["generated"],
        "sources": {"pypi": sources["pypi"], "listed": sources["urls"]},
        "wheels": groups(mine),
        "pypi": [pypi_group(project, version, pypi[project][version])],
    }


def _write_others(data: Path, rows: list[dict[str, Any]], compat: dict[str, Any]) -> None:
    """Write the index's files of every other project, one file a project."""
    for project in sorted({row["project"] for row in rows} - set(TORCH_PROJECTS)):
        mine = [row for row in rows if row["project"] == project]
        head = {"as_of": compat["_meta"]["generated"], "source": compat["_meta"]["sources"]["urls"]}
        write(data / "projects" / f"{project}.json", {**head, "wheels": groups(mine)})


def main(arguments: list[str]) -> int:
    """Run the import; the exit status is 2 for wrong usage."""
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    default = Path(__file__).resolve().parent.parent / "wheels_index" / "data"
    import_facts(Path(arguments[0]), Path(arguments[1]) if arguments[1:] else default)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
