"""What a source needs to be built is vouched for and fetched as packages are, and uv builds without a network."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tests.sdistmaker import make_sdist
from tests.security.conftest import MIRROR
from tests.wheelmaker import make_wheel
from tests.workflows.recorder import Recorder
from torchdoctor.errors import InstallFailed, NoSolution, TorchdoctorError
from torchdoctor.lock.model import LockRequest
from torchdoctor.sources import PYPI, Source, Sources
from torchdoctor.workflows.wheel_build import build_wheel
from wheels_index import Sdist

if TYPE_CHECKING:
    from tests.loopback import LoopbackIndex
    from tests.security.conftest import World

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("nobody_is_trusted")]

COPY = Source(name="copy", url=f"https://{MIRROR}/pypi/web/simple", layout="simple", origin="pip.conf")


def add_tool(
    index: LoopbackIndex, page: str, who: str, name: str = "tool", needs: tuple[str, ...] = ()
) -> None:
    """A wheel that says from whom it is."""
    filename, content = make_wheel(
        name, "1.0", tag="py3-none-any", modules={f"{name}/who.py": f"who = '{who}'\n"}, requires=needs
    )
    index.add(f"{page}/{name}/", filename, content)


class Workshop:
    """Builds a source of `app` with what an index serves."""

    def __init__(self, folder: Path, world: World) -> None:
        self.folder, self.report, self.world = folder, Recorder(), world
        world.pypi.pages["/simple/pip/"] = b"<a href='/f/pip-1.0-py3-none-any.whl'>pip</a>"

    def build(self, default: Source = PYPI, **more: object) -> Path:
        """The wheel; `more` is how its source is made."""
        filename, content = make_sdist("app", "1.0", **more)  # type: ignore[arg-type]
        path = self.folder / filename
        path.write_bytes(content)
        sdist = Sdist(
            project="app", version=Version("1.0"), filename=filename, url=path.as_uri(), sha256=None, size=None,
            requires_python=None,
        )  # fmt: skip
        sources = Sources(torch=(), indexes=(), default_index=default, find_links=())
        request = LockRequest(
            python=Path(sys.executable), sources=sources,
            environ={**os.environ, "UV_CACHE_DIR": str(self.folder / "uv"), "COLUMNS": "40"},
        )  # fmt: skip
        return build_wheel(path, sdist, request, self.folder / "home" / "built", self.report)

    def ran(self, name: str = "ran") -> str:
        """Code that leaves a trace, and the text of it."""
        return f"open({str(self.folder / name)!r}, 'w').close()"

    def traces(self) -> list[str]:
        """The names of the code that ran."""
        return [name for name in ("ran", "evil") if (self.folder / name).exists()]


@pytest.fixture
def workshop(tmp_path: Path, world: World) -> Workshop:
    """A folder that reaches PyPI and a copy of it."""
    return Workshop(tmp_path, world)


def test_what_a_build_needs_comes_through_our_own_fetch(workshop: Workshop) -> None:
    """What pyproject.toml names, what that needs, and what the backend asks for: all of it is in the cache."""
    for name, needs in (("tool", ("deeper",)), ("deeper", ()), ("late", ())):
        add_tool(workshop.world.pypi, "/simple", "pypi", name, needs)
    code = "import tool.who, deeper.who, late.who"
    made = workshop.build(build_requires=("tool>=1",), asks=("late==1.0; python_version > '3'",), code=code)
    assert made.name == "app-1.0-py3-none-any.whl"
    fetched = (workshop.folder / "home" / "wheels").rglob("*.whl")
    assert {path.name.partition("-")[0] for path in fetched} == {"tool", "deeper", "late"}


def test_a_copy_that_lies_about_a_build_requirement_is_replaced_by_pypi(workshop: Workshop) -> None:
    """The code that runs in the build is PyPI's."""
    add_tool(workshop.world.pypi, "/simple", "pypi")
    add_tool(workshop.world.mirror, "/pypi/web/simple", "evil")
    workshop.build(COPY, build_requires=("tool",), code="import tool.who; assert tool.who.who == 'pypi'")
    assert any("PyPI itself" in warning for warning in workshop.report.warnings)


@pytest.mark.parametrize("how", ["build_requires", "asks"])
def test_a_build_requirement_that_a_copy_alone_has_is_refused(workshop: Workshop, how: str) -> None:
    """Nothing is built with it, whether the file or the backend asks for it."""
    add_tool(workshop.world.mirror, "/pypi/web/simple", "evil", "invented")
    with pytest.raises(NoSolution) as refused:
        workshop.build(COPY, code=workshop.ran(), **{how: ("invented",)})
    assert refused.value.code == "build-needs"
    assert "invented" in refused.value.message
    assert workshop.traces() == []


def test_a_build_requirement_that_is_a_source_runs_no_code(workshop: Workshop) -> None:
    """Nobody agreed to it."""
    filename, content = make_sdist("tool", "1.0", code=workshop.ran("evil"))
    workshop.world.pypi.add("/simple/tool/", filename, content, sidecar=False)
    with pytest.raises(NoSolution) as refused:
        workshop.build(build_requires=("tool",), code=workshop.ran())
    assert refused.value.code == "build-needs"
    assert workshop.traces() == []


@pytest.mark.parametrize("how", ["build_requires", "asks"])
def test_a_build_requirement_by_url_is_refused(workshop: Workshop, how: str) -> None:
    """Nobody vouches for it."""
    with pytest.raises(TorchdoctorError):
        workshop.build(code=workshop.ran(), **{how: (f"tool @ {workshop.world.mirror.url}/tool-1.0.tar.gz",)})
    assert workshop.world.mirror.seen == []
    assert workshop.traces() == []


def test_a_backend_gets_no_torch_for_itself(workshop: Workshop) -> None:
    """A build against torch has the one that was chosen; here none was."""
    add_tool(workshop.world.pypi, "/simple", "evil", "torch")
    with pytest.raises(InstallFailed, match="torch"):
        workshop.build(asks=("torch",), code=workshop.ran())
    assert workshop.traces() == []
