"""What a project can take over by hand: tables for Poetry, a matrix for GitHub Actions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from torchdoctor.project.toml_edit import toml_value
from wheels_index import variant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torchdoctor.detect import Machine
    from torchdoctor.project.model import FamilyTables

__all__ = ["github_matrix", "poetry_tables"]

_RUNNERS = {"linux": "ubuntu-latest", "windows": "windows-latest", "macos": "macos-latest"}


def poetry_tables(families: Sequence[FamilyTables]) -> str:
    """Return what a project of Poetry 2 needs: a source for each family, and extras that exclude each other.

    https://python-poetry.org/docs/dependency-specification/#exclusive-extras
    """
    lines = ["[project.optional-dependencies]"]
    lines += [
        f"{family.name} = {toml_value([member.line for member in family.members])}" for family in families
    ]
    lines += ["", "[tool.poetry.dependencies]"]
    for name in dict.fromkeys(member.name for family in families for member in family.members):
        entries = [
            {"markers": _only(family, families), "source": family.index_name}
            for family in families
            if any(member.name == name for member in family.members)
        ]
        lines.append(f"{name} = {toml_value(entries)}")
    for family in families:
        values = {"name": family.index_name, "url": family.index_url, "priority": "explicit"}
        lines += ["", "[[tool.poetry.source]]"]
        lines += [f"{key} = {toml_value(value)}" for key, value in values.items()]
    return "\n".join(lines)


def _only(family: FamilyTables, families: Sequence[FamilyTables]) -> str:
    """The marker of one extra without the others."""
    others = [f" and extra != '{other.name}'" for other in families if other is not family]
    return f"extra == '{family.name}'{''.join(others)}"


def github_matrix(families: Sequence[FamilyTables], machines: Mapping[str, tuple[Machine, str]]) -> str:
    """Return a job that syncs each family on each system that takes it; `machines` have a family's name each.

    GitHub's own runners have no GPU: a family for GPUs runs on a runner of one's own.
    """
    kinds = {family.name: variant(family.variant).kind for family in families}
    section = {family.name: family.section for family in families}
    rows: dict[tuple[str, str, str], None] = {}
    for machine, name in machines.values():
        python = ".".join(machine.python.version.split(".")[:2])
        rows[machine.os, python, name] = None
    lines = [
        "jobs:",
        "  test:",
        "    strategy:",
        "      fail-fast: false",
        "      matrix:",
        "        include:",
    ]
    for system, python, name in rows:
        runner = json.dumps(_RUNNERS[system] if kinds[name] == "cpu" else ["self-hosted", system, "gpu"])
        option = f"--{section[name]} {name}"
        lines.append(
            f"          - {{ runner: {runner}, python: {json.dumps(python)}, family: {json.dumps(option)} }}"
        )
    return "\n".join(
        [
            *lines,
            "    runs-on: ${{ matrix.runner }}",
            "    env:",
            "      UV_PYTHON: ${{ matrix.python }}",
            "    steps:",
            "      - uses: actions/checkout@v4",
            "      - uses: astral-sh/setup-uv@v6",
            "      - run: uv sync --locked ${{ matrix.family }}",
            '      - run: uv run --no-sync python -c "import torch; print(torch.__version__)"',
        ]
    )
