"""The checks of `verify`: what each proves, its tolerance and the reason; for the terminal and docs/checks.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n.catalog import gettext as _
from torchdoctor.probe import suite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

__all__ = ["check_rows", "checks_markdown", "render_checks"]

_WHERE = {"once": "once", "each": "each device", "best": "the fastest device"}
_INTRODUCTION = """\
# The checks of `torchdoctor verify`

Made from the program's own table, which `torchdoctor verify --list` prints. `--quick` runs those marked so. Errors are
relative: the Frobenius norm of the difference from a float64 reference over that of the reference. `packages` has a
result `package:NAME` for each package, `operations` one `operation:NAME` for each extension and device:
[how they are proven](howto/verify-packages.md).

| check | proves | on | tolerance | because | quick |
| --- | --- | --- | --- | --- | --- |
"""


def check_rows() -> list[dict[str, Any]]:
    """Return every check in its order: id, proves, where, tolerance, reason, quick, and `limit_s` in seconds."""
    return [
        {
            "id": step.id,
            "proves": step.proves,
            "where": _WHERE[step.where],
            "tolerance": step.tolerance,
            "reason": step.reason,
            "quick": step.quick,
            "limit_s": step.limit,
        }
        for step in suite.CHECKS
    ]


def checks_markdown() -> str:
    """Return the page docs/checks.md."""
    lines = [
        f"| `{check['id']}` | {check['proves']} | {check['where']} | {check['tolerance']} | {check['reason']} "
        f"| {'yes' if check['quick'] else ''} |\n"
        for check in check_rows()
    ]
    return _INTRODUCTION + "".join(lines)


def render_checks(checks: Sequence[dict[str, Any]], console: Console) -> None:
    """Print the list."""
    from torchdoctor.report.terminal.table import Grid

    grid = Grid(_("check"), _("proves"), _("on"), _("tolerance"), _("because"), _("quick"))
    for check in checks:
        texts = (_(check[name]) for name in ("proves", "where", "tolerance", "reason"))
        grid.add(check["id"], *texts, _("yes") if check["quick"] else "")
    grid.print_on(console)
