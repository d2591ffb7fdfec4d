"""A local index, and requests that lock from it with uv."""

from __future__ import annotations

import html
import os
import sys
from pathlib import Path

import pytest

from tests.wheelmaker import make_wheel
from torchdoctor.lock.model import LockRequest
from torchdoctor.sources import Source, Sources


class LocalIndex:
    """A simple index (PEP 503) in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = Source(name="local", url=folder.as_uri(), layout="simple", origin="a test")

    def add(
        self, project: str, version: str, *, requires: tuple[str, ...] = (), tag: str = "py3-none-any"
    ) -> None:
        """Put a wheel, for any Python unless `tag` says otherwise, onto the page of its project."""
        name, content = make_wheel(project, version, tag=tag, requires=requires)
        page = self.folder / project
        page.mkdir(exist_ok=True)
        (page / name).write_bytes(content)
        links = "".join(f'<a href="{html.escape(path.name)}">x</a>' for path in page.glob("*.whl"))
        (page / "index.html").write_text(links, "utf-8")


@pytest.fixture
def local_index(tmp_path):
    """An index without a package."""
    folder = tmp_path / "index"
    folder.mkdir()
    return LocalIndex(folder)


@pytest.fixture
def request_for(tmp_path, local_index):
    """Make a request that is served by the local index alone."""

    def make(**fields) -> LockRequest:
        sources = Sources(torch=(), indexes=(), default_index=local_index.source, find_links=())
        environ = {**os.environ, "UV_CACHE_DIR": str(tmp_path / "cache"), "UV_HTTP_RETRIES": "0"}
        return LockRequest(
            **{"python": Path(sys.executable), "sources": sources, "environ": environ, **fields}
        )

    return make
