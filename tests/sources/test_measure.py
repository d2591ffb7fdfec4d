"""Mirrors are measured with a short range request, taken in order of speed, and asked only when named."""

from __future__ import annotations

import hashlib
import html
import json
import os
import subprocess
import sys

import pytest

from tests.faults import Fault, FaultServer
from tests.fetch.conftest import NAME, WHEEL, Fetcher
from torchdoctor.errors import SourceFailed, UsageError
from torchdoctor.fetch import mirrors as fetch_mirrors
from torchdoctor.fetch.mirrors import MirrorLookup
from torchdoctor.sources import OFFICIAL, PYPI, Source, mirrors, order_sources
from torchdoctor.sources.mirrors import mirror, mirror_table, mirrors_by_speed
from torchdoctor.sources.speed import Measurement, fastest, measure, measure_all

PAGE = b"<a href='x'>x</a>" * 5000


@pytest.fixture(autouse=True)
def _direct(monkeypatch):
    """Loopback is reached without a proxy."""
    monkeypatch.setenv("NO_PROXY", "*")


def listing(filename: str, href: str, sha256: str | None) -> bytes:
    """A page that lists one file."""
    fragment = f"#sha256={sha256}" if sha256 else ""
    return f'<a href="{html.escape(href)}{fragment}">{filename}</a>'.encode()


def table(**servers: FaultServer) -> str:
    """A data file of mirrors on loopback."""
    return "".join(
        f'[{name}]\nbase = "{server.url}/whl"\nlayout = "pytorch"\nlacks = []\nsource = "here"\n'
        for name, server in servers.items()
    )


def test_a_place_is_measured_by_a_short_range():
    """Half a MiB at the most, whatever lies there."""
    with FaultServer() as server:
        server.files["/big"] = bytes(5_000_000)
        found = measure(f"{server.url}/big")
        assert server.sent <= 512 * 1024
    assert found.failure is None
    assert found.rate > 0
    assert found.latency >= 0


@pytest.mark.parametrize("fault", [Fault(status=403), Fault(status=500), Fault(location="/big")])
def test_a_place_that_refuses_is_a_result(fault):
    """A measurement never fails."""
    with FaultServer() as server:
        server.files["/big"] = PAGE
        server.fault = lambda _: fault
        found = measure(f"{server.url}/big")
    assert found.rate is None
    assert found.failure


def test_a_place_that_is_not_there_is_a_result():
    """Nobody listens."""
    assert measure_all(["http://127.0.0.1:9/"])[0].failure == "it refuses the connection"
    assert measure_all([]) == ()


def test_the_fastest_come_first_and_the_far_slower_not_at_all():
    """A quarter of the best is enough to help."""
    rows = [Measurement(url="c", rate=2e6), Measurement(url="a", rate=8e6), Measurement(url="d", rate=1.9e6),
            Measurement(url="b", rate=4e6), Measurement(url="e", failure="gone")]  # fmt: skip
    assert fastest(rows) == ("a", "b", "c")
    assert fastest([Measurement(url="e", failure="gone")]) == ()


def test_every_mirror_of_the_data_file_can_be_asked_for():
    """Each has a base, a layout, what it lacks and a source; the official index is one of them."""
    for name, row in mirror_table().items():
        source, companion = mirror(name)
        assert source.url == row["base"]
        assert {"lacks", "source", "layout"} <= row.keys()
        assert companion is None or companion.url == row["companion_pypi"]
    assert mirror("official") == (OFFICIAL, None)
    with pytest.raises(UsageError) as caught:
        mirror("tuna")
    assert "auto" in caught.value.fix


def test_auto_asks_the_fastest_first_and_lets_all_serve_each_others_files():
    """The user's own index comes before a mirror of PyPI that nobody named."""
    sources = order_sources(mirror_name="auto", by_speed=("nju", "official", "sjtu"))
    assert [row.name for row in sources.torch] == [
        "mirror nju", "download.pytorch.org", "mirror sjtu", "PyPI",
    ]  # fmt: skip
    assert sources.default_index.url == "https://mirror.nju.edu.cn/pypi/web/simple"
    assert OFFICIAL in sources.mirrors
    assert len(sources.mirrors) == 4


def test_auto_changes_nothing_where_the_official_index_is_fastest():
    """Dependencies come from where they came without it."""
    sources = order_sources(mirror_name="auto", by_speed=("official", "nju"))
    assert sources.default_index == PYPI
    assert sources.torch[0] == OFFICIAL


def test_no_mirror_is_used_unasked():
    """Neither for pages nor for files."""
    sources = order_sources()
    assert sources.mirrors == ()
    assert not any("mirror" in row.name for row in sources.torch)


def test_the_mirrors_in_reach_are_ordered_by_what_they_give(monkeypatch, tmp_path):
    """And each is told with its figure or its failure."""
    with FaultServer() as quick, FaultServer() as slow, FaultServer() as dead:
        for server in (quick, slow):
            server.files["/whl/cpu/torch/"] = PAGE * 4
        slow.fault = lambda _: Fault(rate=600_000)
        monkeypatch.setattr(mirrors, "_TABLE", tmp_path / "mirrors.toml")
        (tmp_path / "mirrors.toml").write_text(table(slow=slow, dead=dead, quick=quick))
        told: list[str] = []
        assert mirrors_by_speed(told.append)[0] == "quick"
        assert any("dead: it answers 403" in row for row in told)
        assert any("quick" in row and "MB/s" in row for row in told)


def test_when_no_mirror_answers_that_is_an_error(monkeypatch, tmp_path):
    """Each is named with its reason."""
    (tmp_path / "mirrors.toml").write_text('[a]\nbase = "http://127.0.0.1:9"\nlayout = "pytorch"\n')
    monkeypatch.setattr(mirrors, "_TABLE", tmp_path / "mirrors.toml")
    with pytest.raises(SourceFailed, match="a: it refuses the connection"):
        mirrors_by_speed(lambda _: None)


def test_a_file_is_looked_up_on_the_mirrors_pages_and_comes_from_the_fastest(tmp_path, monkeypatch):
    """Its own place is slow, one mirror is quick, one has another file under the name."""
    monkeypatch.setattr(fetch_mirrors, "_MIN_BYTES", 0)
    right = hashlib.sha256(WHEEL).hexdigest()
    with FaultServer() as own, FaultServer() as quick, FaultServer() as other:
        own.files[f"/{NAME}"] = quick.files[f"/files/{NAME}"] = WHEEL
        own.fault = lambda _: Fault(rate=300_000)
        quick.files["/whl/cpu/heavy/"] = listing(NAME, f"/files/{NAME}", None)
        other.files["/whl/cpu/heavy/"] = listing(NAME, f"/files/{NAME}", "0" * 64)
        places = MirrorLookup(
            [
                Source(name="m", url=f"{row.url}/whl", layout="pytorch", origin="--mirror auto")
                for row in (quick, other)
            ]
        )
        fetcher = Fetcher(own, tmp_path)
        wheel = fetcher.locked()
        urls = places(wheel)
        assert urls == (f"{quick.url}/files/{NAME}",)
        assert fetcher(wheel, mirrors=urls).sha256 == right
        assert quick.sent > 0.8 * len(WHEEL)
        assert not any(row.path.endswith(".whl") for row in other.seen)


def test_a_file_without_a_known_hash_comes_from_its_own_place_alone(fetch_nowhere):
    """Nothing would tell whether two places have the same file."""
    assert fetch_nowhere(sha256=None) == ()


def test_a_small_file_is_not_looked_up(fetch_nowhere):
    """It has come before its mirrors are measured."""
    assert fetch_nowhere(size=1000) == ()


@pytest.fixture
def fetch_nowhere(tmp_path):
    """Asks for places of a file, and fails when any mirror is asked."""

    def ask(**known):
        with FaultServer() as server:
            wheel = Fetcher(server, tmp_path).locked(**known)
            found = MirrorLookup([Source(name="m", url=server.url, layout="pytorch", origin="x")])(wheel)
            assert server.seen == []
            return found

    return ask


MAIN = """
import sys
from pathlib import Path
from torchdoctor.sources import mirrors
mirrors._TABLE = Path(sys.argv.pop(1))
from torchdoctor.cli import main
main()
"""


@pytest.mark.process
def test_index_mirrors_shows_what_each_gives(tmp_path):
    """A figure where it answers, the reason where not; a script gets both."""
    with FaultServer() as quick, FaultServer() as dead:
        quick.files["/whl/cpu/torch/"] = PAGE
        data = tmp_path / "mirrors.toml"
        data.write_text(table(quick=quick, dead=dead))

        def run(*more: str) -> str:
            command = [sys.executable, "-c", MAIN, str(data), "index", "mirrors", *more]
            environ = {**os.environ, "NO_PROXY": "*"}
            return subprocess.run(command, capture_output=True, text=True, check=True, env=environ).stdout

        shown = run()
        assert "MB/s, first byte after" in shown
        assert "out of reach: it answers 403" in shown
        rows = {row["name"]: row for row in json.loads(run("--json"))["mirrors"]}
        assert rows["quick"]["bytes_per_s"] > 0
        assert rows["dead"]["failure"] == "it answers 403"
        before = len(quick.seen)
        assert "MB/s" not in run("--no-measure")
        assert len(quick.seen) == before
