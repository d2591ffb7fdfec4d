"""One environment to break, with what surrounds it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Place"]


@dataclass(kw_only=True)
class Place:
    """The environment `env` of a `build`; `folder` is for what lies beside it.

    `real` holds the environments that were made by pip, by the name of their build; without them it is a stand-in.
    What a break changes besides files is here too: variables, the current folder, the limit of the address space.
    """

    build: str
    env: Path
    folder: Path
    real: dict[str, Path] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    current: Path | None = None
    address_space_mib: int | None = None

    @property
    def site(self) -> Path:
        """The folder of packages."""
        return next(self.env.glob("lib/python*/site-packages"))

    @property
    def python(self) -> Path:
        """The interpreter."""
        return self.env / "bin" / "python"

    @property
    def here(self) -> Path:
        """Where a program is started."""
        return self.current or self.folder

    def environ(self) -> dict[str, str]:
        """The variables of a program that is started there, of a user without settings."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
        return {**kept, "HOME": str(home), **self.variables}

    def limited(self, command: list[str]) -> list[str]:
        """The command under the limit of the address space."""
        if self.address_space_mib is None:
            return command
        code = "import os, resource, sys; size = int(sys.argv[1]) << 20; "
        code += "resource.setrlimit(resource.RLIMIT_AS, (size, size)); os.execv(sys.argv[2], sys.argv[2:])"
        return [sys.executable, "-c", code, str(self.address_space_mib), *command]
