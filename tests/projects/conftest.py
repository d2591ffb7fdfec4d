"""The stand-ins of PyPI and PyTorch's index, and `resolve` against them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import Ran, run_here, settings_of_nobody
from tests.projects.standin import StandIn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def standin() -> Iterator[StandIn]:
    """PyPI and the PyTorch index on loopback, for all tests of this folder."""
    with StandIn(cache_seconds=600) as made:  # as PyPI says of its pages
        yield made


@pytest.fixture(scope="session")
def environ(standin: StandIn, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A user without settings, whose PyPI is the stand-in; uv's cache is shared by all tests of this folder."""
    return settings_of_nobody(tmp_path_factory.mktemp("user"), standin.url)


@pytest.fixture
def resolve_for(environ: dict[str, str], tmp_path: Path) -> Callable[..., Ran]:
    """`torchdoctor resolve --json` for a machine as JSON, in this process."""

    def run(machine: dict[str, Any], *options: object) -> Ran:
        path = tmp_path / "machine.json"
        path.write_text(json.dumps(machine), "utf-8")
        return run_here(["resolve", *options, "--machine", path, "--json"], environ, tmp_path)

    return run


@pytest.fixture
def openmmlab(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of OpenMMLab's wheels are read from the stand-in."""
    from torchdoctor.workflows import own_builds

    page = own_builds._page
    official = "https://download.openmmlab.com"
    monkeypatch.setattr(own_builds, "_page", lambda url: page(url.replace(official, standin.openmmlab_url)))
