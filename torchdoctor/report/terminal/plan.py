"""A plan as text: a table for people, and the URLs of its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message, translate
from torchdoctor.core.i18n.catalog import gettext
from torchdoctor.report.terminal.wrap import padded

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchdoctor.resolve import Plan, PlannedPackage

__all__ = ["FORMATS", "plan_row", "plan_text"]


def plan_text(plan: Plan, form: str) -> str:
    """Return the plan in the form with this name in `FORMATS`."""
    return FORMATS[form](plan)


def plan_row(plan: Plan, label: str, text: str) -> str:
    """Return a further row for the table of the plan."""
    width = max(len(name) for name, _ in _files(plan))
    return f"{padded(translate(label), width)}  {translate(text)}"


def _files(plan: Plan) -> list[tuple[str, str]]:
    files = [(f"{package.name} {package.version}", translate(_file(package))) for package in plan.packages]
    asked = [package for package in plan.solved if package.asked]
    return files + [(f"{package.name} {package.version}", gettext("asked for")) for package in asked]


def _table(plan: Plan) -> str:
    files = _files(plan)
    width = max(len(name) for name, _ in files)
    lines = [f"{name:{width}}  {file}" for name, file in files]
    undeclared = message("torch does not declare it")
    details: list[tuple[str, str]] = [
        (message("from"), plan.index_url),
        *((message("because"), reason) for reason in plan.reasons),
        *((message("not {name}", name=build.variant), build.reason) for build in plan.rejected),
        *(
            (message("also"), message("{what}: {why}", what=requirement, why=undeclared))
            for requirement in plan.constraints
        ),
        *((message("warning"), text) for text in plan.warnings),
        *((message("no {name}", name=package.name), package.reason) for package in plan.left_out),
    ]
    lines += [plan_row(plan, label, text) for label, text in details]
    return "\n".join(lines)


def _file(package: PlannedPackage) -> str:
    if package.wheel and package.wheel.url is None:  # from facts, which know no place of PyPI's files
        return message("{filename} on {source}", filename=package.wheel.filename, source=package.source)
    if package.wheel:
        return package.wheel.filename
    return gettext("none of its files has been seen yet")


def _urls(plan: Plan) -> str:
    return "\n".join(map(_url, plan.packages))


def _url(package: PlannedPackage) -> str:
    wheel = package.wheel
    if wheel is None or wheel.url is None:
        return f"# {package.name} {package.version}: {_file(package)}"
    return wheel.url + (f"#sha256={wheel.sha256}" if wheel.sha256 else "")


FORMATS: dict[str, Callable[[Plan], str]] = {
    "table": _table,
    "urls": _urls,
}
