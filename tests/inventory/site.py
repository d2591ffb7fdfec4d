"""Environments for the inventory to read: real folders with what an installer leaves in them."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.detect.recorded_system import RecordedSystem, paper_python
from torchdoctor.inventory import collect_inventory

if TYPE_CHECKING:
    from torchdoctor.detect import PythonInfo
    from torchdoctor.inventory import Inventory

VERSION_PY = """from typing import Optional

__all__ = ['__version__', 'debug', 'cuda', 'git_version', 'hip', 'rocm', 'xpu']
__version__ = '{version}'
debug = False
cuda: Optional[str] = {cuda!r}
git_version = 'cf30153c4c131c8164ee7798e5022d810682e2cb'
hip: Optional[str] = {hip!r}
rocm: Optional[str] = {hip!r}
xpu: Optional[str] = {xpu!r}
"""


class Environment:
    """A virtual environment's folders; packages are put in one by one."""

    def __init__(self, folder: Path, *, venv: bool = True) -> None:
        self.prefix = folder
        self.site = folder / "lib/python3.12/site-packages"
        self.site.mkdir(parents=True)
        if venv:
            (folder / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
        self.python: PythonInfo = paper_python(
            executable=folder / "bin/python",
            prefix=folder,
            base_prefix=Path("/usr") if venv else folder,
            site_packages=(self.site,),
            path=("/usr/lib/python312.zip", str(self.site)),
        )

    def put(
        self,
        name: str,
        version: str,
        *,
        files: dict[str, str | bytes] | None = None,
        requires: tuple[str, ...] = (),
        installer: str = "pip",
        requested: bool = False,
        site: Path | None = None,
    ) -> Path:
        """A distribution as pip leaves it, its RECORD included; gives its dist-info."""
        site = site or self.site
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        lines = [f"Requires-Dist: {row}" for row in requires]
        head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"
        contents = {
            **(files or {f"{name.replace('-', '_')}/__init__.py": ""}),
            f"{info.name}/METADATA": "\n".join([head, *lines, "", "# long text"]),
            f"{info.name}/INSTALLER": f"{installer}\n",
            **({f"{info.name}/REQUESTED": ""} if requested else {}),
        }
        rows = []
        for path, text in contents.items():
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            content = text.encode() if isinstance(text, str) else text
            (site / path).write_bytes(content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            rows.append(f"{path},sha256={digest},{len(content)}")
        (info / "RECORD").write_text("\n".join([*rows, f"{info.name}/RECORD,,", ""]))
        return info

    def torch(self, version: str, *, says: str | None = None, **said: object) -> Path:
        """A torch whose version.py says `says` and what else is given; other names are those of `put`."""
        built = {"cuda": None, "hip": None, "xpu": None, "version": says or version}
        built |= {key: said.pop(key) for key in tuple(said) if key in built}
        files = {"torch/__init__.py": "", "torch/version.py": VERSION_PY.format(**built)}
        return self.put("torch", version, files=files, **said)  # type: ignore[arg-type]

    def conda(self, name: str, version: str, build: str, **more: object) -> None:
        """A package as conda records it."""
        folder = self.prefix / "conda-meta"
        folder.mkdir(exist_ok=True)
        document = {"name": name, "version": version, "build": build, "depends": [], **more}
        (folder / f"{name}-{version}-{build}.json").write_text(json.dumps(document))

    def take(
        self, *, here: Path | None = None, environ: dict[str, str] | None = None, **more: object
    ) -> Inventory:
        """The inventory of it, with no variables but those given."""
        python = replace(self.python, user_site=more.pop("user_site", None))  # type: ignore[arg-type]
        system = RecordedSystem(
            environ={"HOME": str(self.prefix / "home"), "XDG_CONFIG_DIRS": "/nowhere", **(environ or {})}
        )
        return collect_inventory(system, python, here=here or self.prefix, **more)  # type: ignore[arg-type]
