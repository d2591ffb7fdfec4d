"""The official index, a mirror of it and PyPI on loopback, each at its own name over TLS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.conftest import TRUSTING
from tests.install.conftest import bare, official
from tests.lock.conftest import local_index, request_for
from tests.loopback import LoopbackIndex
from tests.official_host import OfficialHost
from torchdoctor.core.net.http import close_connections

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["bare", "local_index", "official", "request_for"]

MIRROR, PYPI = "mirror.nju.edu.cn", "pypi.org"  # `--mirror nju`


@pytest.fixture
def nobody_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What most tests take on the user's word is not taken here."""
    for name in TRUSTING:
        monkeypatch.delenv(name, raising=False)


@dataclass
class World:
    """The indexes by who runs them; `host` carries them."""

    official: LoopbackIndex
    mirror: LoopbackIndex
    pypi: LoopbackIndex
    host: OfficialHost

    def cut_off(self, *names: str) -> None:
        """Let these hosts be reached no more."""
        for name in names:
            self.host.hosts[name] = None
        close_connections()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Three indexes that this process reaches by their real names."""
    with LoopbackIndex() as official, LoopbackIndex() as mirror, LoopbackIndex() as pypi:
        others = {MIRROR: mirror, PYPI: pypi}
        with OfficialHost(official, tmp_path, others) as host:
            for name, value in host.environ.items():
                monkeypatch.setenv(name, value)
            close_connections()
            yield World(official, mirror, pypi, host)
            close_connections()
