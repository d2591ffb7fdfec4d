"""A plan as text: a table for people, and the forms that a person pastes."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.catalog import gettext
from torchdoctor.core.i18n.messages import message, translate
from torchdoctor.report.terminal.wrap import padded

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchdoctor.resolve.model import Plan, PlannedPackage

__all__ = ["FORMATS", "plan_text"]


def plan_text(plan: Plan, form: str) -> str:
    """The plan in one of `FORMATS`."""
    return FORMATS[form](plan)


def _table(plan: Plan) -> str:
    width = max(len(f"{row.name} {row.version}") for row in plan.packages)
    lines = [f"{f'{row.name} {row.version}':{width}}  {_file(row)}" for row in plan.packages]
    undeclared = message("torch does not declare it")
    rows: list[tuple[str, str]] = [
        (message("from"), plan.index_url),
        *((message("because"), reason) for reason in plan.reasons),
        *((message("not {name}", name=row.variant), row.reason) for row in plan.rejected),
        *((message("also"), message("{what}: {why}", what=row, why=undeclared)) for row in plan.constraints),
        *((message("warning"), text) for text in plan.warnings),
        *((message("no {name}", name=row.name), row.reason) for row in plan.left_out),
    ]
    lines += [f"{padded(translate(label), width)}  {translate(text)}" for label, text in rows]
    return "\n".join(lines)


def _file(row: PlannedPackage) -> str:
    return row.wheel.filename if row.wheel else gettext("published; none of its files has been seen yet")


def _pip(plan: Plan) -> str:
    names = " ".join(f"{row.name}=={row.version}" for row in plan.packages)
    more = "".join(f" {shlex.quote(line)}" for line in plan.constraints)
    return f"pip install {names}{more} --index-url {plan.index_url}"


def _requirements(plan: Plan) -> str:
    hashed = all(row.wheel is not None and row.wheel.sha256 for row in plan.packages)
    names = " ".join(f"{row.name}=={row.version}" for row in plan.packages)
    lines = [f"--index-url {plan.index_url}"]
    if hashed:
        lines = [
            "# "
            + gettext("pip checks either every hash or none, and what torch depends on is not listed here:"),
            "#   pip install --no-deps -r FILE",
            f"#   pip install {names}",
            *lines,
        ]
    for row in plan.packages:
        digest = f" --hash=sha256:{row.wheel.sha256}" if hashed and row.wheel else ""
        lines.append(f"{row.name}=={row.version}{digest}")
    if not hashed:
        lines.insert(0, "# " + gettext("not every file was seen yet, so no hashes are given"))
    return "\n".join(lines)


def _urls(plan: Plan) -> str:
    return "\n".join(
        row.wheel.url + (f"#sha256={row.wheel.sha256}" if row.wheel.sha256 else "")
        if row.wheel is not None and row.wheel.url is not None
        else f"# {row.name} {row.version}: {_file(row)}"
        for row in plan.packages
    )


FORMATS: dict[str, Callable[[Plan], str]] = {
    "table": _table,
    "pip": _pip,
    "requirements": _requirements,
    "urls": _urls,
}
