"""A wheel of some megabytes with members of many sizes, a server that serves it, and a fetch that is counted."""

from __future__ import annotations

import base64
import hashlib
import io
import random
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.faults import FaultServer
from torchdoctor.fetch import fetch
from torchdoctor.lock import LockedWheel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from torchdoctor.fetch import FetchedWheel

NAME = "heavy-1.0-py3-none-any.whl"


def heavy_wheel(megabytes: float, *, stored: bool = False, member: int = 300_000) -> bytes:
    """A right wheel of about so many megabytes that compress little."""
    made, dice, rows = io.BytesIO(), random.Random(1), []  # noqa: S311
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        for number in range(max(1, int(megabytes * 1e6 / member))):
            # Half of it repeats, so that a compressed member has many short blocks, as a library has.
            data = b"".join(
                dice.randbytes(600) + b"int add(int a, int b);" * 20 for _ in range(member // 640)
            )
            name = f"heavy/part{number}.bin"
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=archive.compression)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            rows.append(f"{name},sha256={digest},{len(data)}")
        info = "heavy-1.0.dist-info"
        meta = "Metadata-Version: 2.1\nName: heavy\nVersion: 1.0\n"
        tags = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(f"{info}/METADATA", meta)
        archive.writestr(f"{info}/WHEEL", tags)
        rows += [f"{info}/METADATA,,", f"{info}/WHEEL,,", f"{info}/RECORD,,"]
        archive.writestr(f"{info}/RECORD", "\n".join(rows) + "\n")
    return made.getvalue()


WHEEL = heavy_wheel(6)


@dataclass
class Heard:
    """Progress that remembers what it was told."""

    total: int | None = None
    arrived: int = 0
    retries: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    files: dict[str, tuple[int, int | None]] = field(default_factory=dict)

    def start(self, total, files):
        self.total = total

    def advance(self, count):
        self.arrived += count

    def file(self, filename, done, size):
        self.files[filename] = (done, size)

    def retry(self, filename, why):
        self.retries.append(why)

    def note(self, text):
        self.notes.append(text)


@dataclass
class Fetcher:
    """Fetches the wheel from the server into a cache of its own."""

    server: FaultServer
    cache: Path
    heard: Heard = field(default_factory=Heard)

    def locked(self, content: bytes = WHEEL, *, path: str = f"/{NAME}", **more) -> LockedWheel:
        known = {
            "filename": NAME, "url": f"{self.server.url}{path}", "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }  # fmt: skip
        return LockedWheel(name="heavy", version="1.0", **{**known, **more})

    def __call__(
        self, wheel: LockedWheel | None = None, *, mirrors: Sequence[str] = (), **more
    ) -> FetchedWheel:
        house = fetch(
            [wheel or self.locked()], cache=self.cache, progress=self.heard, mirrors=lambda _: mirrors, **more
        )
        return house.wheels[0]

    @property
    def read_twice(self) -> int:
        """Bytes sent beyond one file."""
        return self.server.sent - len(WHEEL)

    def visible(self) -> list[Path]:
        """Everything under a final name."""
        return sorted(self.cache.rglob("*.whl"))

    def left_over(self) -> list[str]:
        return sorted(path.name for path in (self.cache / "partial").iterdir() if path.suffix != ".lock")


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as made:
        made.files[f"/{NAME}"] = WHEEL
        yield made


@pytest.fixture
def fetcher(server: FaultServer, tmp_path: Path) -> Fetcher:
    return Fetcher(server, tmp_path / "cache")


@pytest.fixture(autouse=True)
def _direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is reached without a proxy."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
