"""The bill of materials of `torchdoctor report --format cyclonedx`: the packages of ENV, read from its files."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from torchdoctor.cli.locations import environment_python_or_own
from torchdoctor.core.fs.user_folders import current_folder

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

__all__ = ["packages_text"]


def packages_text(env: Path | None, when: datetime) -> str:
    """Return the document as text, read from files alone: no interpreter of the environment runs for it.

    Raises `EnvironmentUnusable` where there is no environment.
    """
    from torchdoctor.core.system import host_system
    from torchdoctor.install.record import read_record
    from torchdoctor.install.recorded import recorded_packages, vouchers_of
    from torchdoctor.inventory import collect_inventory
    from torchdoctor.inventory.interpreter_files import look_at_python
    from torchdoctor.inventory.package_details import read_details
    from torchdoctor.inventory.required import marker_environment
    from torchdoctor.report.cyclonedx import RecordedWheel, cyclonedx_document

    system = host_system(os.environ)
    python = look_at_python(system, environment_python_or_own(env))
    inventory = collect_inventory(system, python, here=current_folder(), depth="list")
    record = read_record(python.prefix) or {}
    vouched_by = vouchers_of(record)
    wheels = {
        package.name: RecordedWheel(
            version=package.version,
            filename=package.filename,
            sha256=package.sha256,
            url=package.url,
            vouched_by=vouched_by.get(package.name),
        )
        for package in recorded_packages(record)
    }
    details = {
        package.name: read_details(package) for package in reversed(inventory.distributions.value or ())
    }
    document = cyclonedx_document(
        inventory, details, wheels, environment=marker_environment(python), when=when
    )
    return json.dumps(document, indent=2) + "\n"
