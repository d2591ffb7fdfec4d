"""What a hold says: the family of builds, how new torch may get in it, and where its builds lie."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torchdoctor.core.fs.regular_files import open_regular

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["HOLD_FILE", "PIP_HOLD_FILE", "UV_HOLD_FILE", "Hold", "Variable", "read_hold"]

HOLD_FILE = "torchdoctor-hold.txt"  # what pip's constraint names; where it is, the environment is held
UV_HOLD_FILE = "torchdoctor-hold-uv.txt"
PIP_HOLD_FILE = "torchdoctor-hold-pip.conf"  # what pip.conf is a link to

_HEADER = "# torchdoctor-hold: "
_MAX_BYTES = 64 * 1024
_CAP = re.compile(r"([a-z0-9-]{1,100})<=([0-9][0-9a-z.]{0,60})")
_WORD = re.compile(r"[a-z0-9.]{1,20}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """An environment variable that activating the environment sets."""

    name: str
    value: str
    added: bool = False  # behind a value that is there already
    file: str = ""  # the path without which it is not set: the tool would stop where it is missing


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """How pip and uv are kept in one family of builds.

    `caps` are the newest releases that the family has, by project, torch first; without a place in reach that has the
    family, they are the installed ones. `pip_lines` name that place for pip, `uv_lines` for a uv without `uv_backend`,
    the name by which uv knows the family.
    """

    variant: str
    caps: tuple[tuple[str, str], ...]
    pip_lines: tuple[str, ...] = ()
    uv_lines: tuple[str, ...] = ()
    uv_backend: str | None = None

    @property
    def cap(self) -> str:
        """The newest torch that may be installed."""
        return dict(self.caps)["torch"]

    @property
    def pip_text(self) -> str:
        """The file that pip's constraint names."""
        return self._text(self.pip_lines)

    @property
    def uv_text(self) -> str:
        """The file that uv's constraint names."""
        return self._text(self.uv_lines)

    def _text(self, places: tuple[str, ...]) -> str:
        header = _HEADER + json.dumps({"variant": self.variant, "uv": self.uv_backend})
        about = "# Keeps torch in this family of builds. `torchdoctor unhold` removes it, `torchdoctor hold` renews it."
        caps = (f"{name}<={version}" for name, version in self.caps)
        return "".join(f"{line}\n" for line in (header, about, *places, *caps))

    def variables(self, folder: Path) -> tuple[Variable, ...]:
        """Return what activating the environment at `folder` sets for uv."""
        if self.uv_backend is not None:
            return (Variable(name="UV_TORCH_BACKEND", value=self.uv_backend),)
        path = folder / UV_HOLD_FILE
        names = ("UV_CONSTRAINT", "UV_BUILD_CONSTRAINT")
        return tuple(Variable(name=name, value=path.as_uri(), added=True, file=str(path)) for name in names)

    def to_json(self) -> dict[str, Any]:
        """Return the hold as it stands in `--json`."""
        return {
            "variant": self.variant,
            "caps": [{"name": name, "version": version} for name, version in self.caps],
            "index": [line.partition(" ")[2] for line in self.pip_lines],
            "uv": "torch-backend" if self.uv_backend else "constraint",
        }


def read_hold(folder: Path) -> Hold | None:
    """Return the hold of an environment; None where there is none, or none that can be read."""
    text = _read(folder / HOLD_FILE)
    lines = text.splitlines() if text is not None else []
    if not lines or not lines[0].startswith(_HEADER):
        return None
    try:
        header = json.loads(lines[0].removeprefix(_HEADER))
    except (ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or not _is_word(header.get("variant")):
        return None
    caps = tuple((match[1], match[2]) for line in lines if (match := _CAP.fullmatch(line)))
    if "torch" not in dict(caps):
        return None
    backend = header.get("uv")
    return Hold(
        variant=header["variant"],
        caps=caps,
        pip_lines=_places(lines),
        uv_lines=_places((_read(folder / UV_HOLD_FILE) or "").splitlines()),
        uv_backend=backend if _is_word(backend) else None,
    )


def _places(lines: list[str]) -> tuple[str, ...]:
    return tuple(line for line in lines if line.startswith(("--extra-index-url ", "--find-links ")))


def _is_word(value: object) -> bool:
    return isinstance(value, str) and bool(_WORD.fullmatch(value))


def _read(path: Path) -> str | None:
    try:
        with open_regular(path) as file:
            return file.read(_MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return None
