"""What `torchdoctor project --json` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchdoctor.project.write import unified_diff

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torchdoctor.project.advice import AdviceStep
    from torchdoctor.project.result import ProjectResult
    from torchdoctor.resolve.driver_updates import DriverUpdate

__all__ = ["project_document"]


def project_document(result: ProjectResult, *, written: Sequence[tuple[Path, Path | None]]) -> dict[str, Any]:
    """Return the document; `written` are the files that were written, each with its backup."""
    project, cover = result.project, result.cover
    newer, held_back = cover.newer, cover.held_back
    return {
        "schema": 1,
        "project": {
            "path": str(project.path),
            "kind": project.kind,
            "launcher": project.launcher.id if project.launcher is not None else None,
        },
        "families": [_family(result, table.variant) for table in result.families],
        "shares_release": cover.shares_release,
        "machines": [_machine(result, name) for name in result.machines],
        "newer": {"torch": str(newer.torch), "variants": list(newer.variants)} if newer is not None else None,
        "held_back": {
            "machines": list(held_back.machines),
            "newest": str(held_back.newest),
            "others": str(held_back.torch),
        }
        if held_back is not None
        else None,
        "drivers": _drivers(result),
        "files": [
            {
                "path": str(change.path),
                "changes": change.changes,
                "notes": list(change.notes),
                "diff": unified_diff(change),
            }
            for change in result.changes
        ],
        "written": [
            {"path": str(path), "backup": str(backup) if backup is not None else None}
            for path, backup in written
        ],
        "to_add": result.to_add,
        "steps": [
            {"variant": variant, **_step(step)} for variant, steps in result.advice.items() for step in steps
        ],
        "matrix": result.matrix,
        "warnings": list(result.warnings),
    }


def _drivers(result: ProjectResult) -> dict[str, Any]:
    """What newer drivers would bring."""
    fewer = result.fewer
    return {
        "unused_gpus": [_update(each) for each in result.idle],
        "for_newer_torch": [_update(each) for each in result.newer_torch],
        "for_fewer_families": {
            "torch": str(fewer.torch),
            "variants": list(fewer.variants),
            "updates": [_update(each) for each in fewer.updates],
        }
        if fewer is not None
        else None,
    }


def _family(result: ProjectResult, variant: str) -> dict[str, Any]:
    table = next(each for each in result.families if each.variant == variant)
    family = next((each for each in result.cover.families if each.variant == variant), None)
    return {
        "variant": variant,
        "section": table.section,
        "name": table.name,
        "index_url": table.index_url,
        "requirements": [member.line for member in table.members],
        "torch": str(family.torch) if family is not None else None,
        "oldest": str(family.oldest) if family is not None else None,
        "below": str(family.too_new) if family is not None and family.too_new is not None else None,
        "machines": list(family.machines) if family is not None else [],
    }


def _machine(result: ProjectResult, name: str) -> dict[str, Any]:
    table = result.tables_of(name)
    error = result.cover.unserved.get(name)
    return {
        "name": name,
        "variant": table.variant if table is not None else None,
        "family": table.name if table is not None else None,
        "command": result.commands.get(name),
        "because": error.message if error is not None else None,
    }


def _update(update: DriverUpdate) -> dict[str, Any]:
    return {
        "machine": update.machine,
        "driver": update.driver,
        "needs": update.needs,
        "variant": update.variant,
    }


def _step(step: AdviceStep) -> dict[str, Any]:
    return {"text": step.text, "command": step.command, "file": step.file}
