"""Environments that are broken on purpose: real interpreters with a stand-in for torch, or with the real one spoilt."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import venv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# The least that lets the probe reach its checks: every check then meets what the test puts in.
ODD_TORCH = """
    import os, signal, sys, time
    __version__ = "9.9.9"
    class Tensor: pass
    class version: cuda = hip = None
    class backends: pass
    def get_num_threads(): return 1
"""


def environment(folder: Path, **modules: str) -> Path:
    """The interpreter of a new venv with these modules in its site-packages."""
    venv.create(folder, symlinks=True, with_pip=False)
    site = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    _write(site, modules)
    return folder / "bin" / "python"


def spoilt(torch_python: Path, folder: Path, **modules: str) -> Path:
    """The interpreter of a new venv that sees the real torch, with these modules beside it."""
    site = _linked_venv(torch_python, folder)
    real = torch_python.parents[1] / site.relative_to(folder)
    (site / "real.pth").write_text(f"{real}\n")
    _write(site, modules)
    return folder / "bin" / "python"


def _linked_venv(torch_python: Path, folder: Path) -> Path:
    """The empty site-packages of a new venv of the same Python; no interpreter is started to make it."""
    real = torch_python.parents[1]
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(torch_python.resolve())
    shutil.copy2(real / "pyvenv.cfg", folder)
    site = folder / next((real / "lib").glob("python3.*/site-packages")).relative_to(real)
    site.mkdir(parents=True)
    return site


def patching(statements: str) -> str:
    """A sitecustomize that runs these statements right after `import torch`, with `torch` in sight."""
    return f"""
        import sys
        from importlib.machinery import PathFinder

        class Finder(PathFinder):
            @classmethod
            def find_spec(cls, name, path=None, target=None):
                if name != "torch":
                    return None
                spec = PathFinder.find_spec(name, path, target)
                run = spec.loader.exec_module
                def exec_module(torch):
                    run(torch)
                    exec({textwrap.dedent(statements)!r}, {{"torch": torch}})
                spec.loader.exec_module = exec_module
                return spec

        sys.meta_path.insert(0, Finder)
    """


def _write(site: Path, modules: dict[str, str]) -> None:
    for name, source in modules.items():
        file = site / f"{name}.py"
        if name in {"torch", "torchvision", "torchaudio"}:
            (site / name).mkdir()
            file = site / name / "__init__.py"
        file.write_text("\n".join(textwrap.dedent(part) for part in source.split("###\n")))


def copied(torch_python: Path, folder: Path) -> Path:
    """The site-packages of a new venv with hard links to the files of the real one, to be broken there.

    A link must be replaced, never written to. Headers and what pip brings are left out: thousands of files.
    """
    site = _linked_venv(torch_python, folder)
    real = torch_python.parents[1] / site.relative_to(folder)
    for entry in real.iterdir():
        if entry.is_dir() and not entry.name.startswith("pip"):
            headers = shutil.ignore_patterns("include", "share")
            shutil.copytree(entry, site / entry.name, copy_function=os.link, ignore=headers)
        elif entry.is_file():
            shutil.copy2(entry, site / entry.name)
    return site


class Copy:
    """A copy to break, and to mend again: making one takes seconds."""

    def __init__(self, torch_python: Path, folder: Path) -> None:
        self.site = copied(torch_python, folder)
        self.python = folder / "bin" / "python"
        self._aside = folder / "aside"
        self._undo: list[tuple[Path, Path]] = []

    def replace(self, name: str, content: bytes | None) -> None:
        """Put other content in place of a file, or take it away with None."""
        file = self.site / name
        self._aside.mkdir(exist_ok=True)
        kept = self._aside / str(len(self._undo))
        file.rename(kept)
        self._undo.append((file, kept))
        if content is not None:
            file.write_bytes(content)

    def mend(self) -> None:
        """As it was."""
        for place, kept in reversed(self._undo):
            place.unlink(missing_ok=True)
            kept.rename(place)
        self._undo.clear()


def distribution(site: Path, name: str, version: str, *requires: str) -> Path:
    """Metadata of an installed package, as pip leaves it."""
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    rows = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {row}" for row in requires)]
    (info / "METADATA").write_text("Metadata-Version: 2.1\n" + "\n".join(rows) + "\n")
    (info / "RECORD").write_text(f"{info.name}/METADATA,,\n{info.name}/RECORD,,\n")
    return info
