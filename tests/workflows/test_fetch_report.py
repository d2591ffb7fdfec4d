"""What is said of the files of an installation: how many, from where, and which were built here."""

from __future__ import annotations

from tests.workflows.recorder import Recorder
from torchdoctor.fetch import Wheelhouse
from torchdoctor.fetch.model import FetchedWheel
from torchdoctor.lock import LockedWheel
from torchdoctor.workflows.fetch_report import report_fetched


def fetched(name, source):
    """A wheel that was fetched from there."""
    filename = f"{name}-1.0-py3-none-any.whl"
    wheel = LockedWheel(
        name=name, version="1.0", filename=filename, url="https://host/x", sha256="0" * 64, size=1
    )
    return FetchedWheel(wheel=wheel, path=None, sha256="0" * 64, size=1, source=source, first_seen=False)


def test_wheels_that_were_built_are_counted_together(tmp_path):
    """Each lies in a folder of its own, whose name says nothing to anybody; another folder is named."""
    sources = [tmp_path / "built/a", tmp_path / "built/b", tmp_path / "wheels", "https://host/a/b"]
    wheels = tuple(fetched(f"part{number}", str(source)) for number, source in enumerate(sources))
    report = Recorder()
    report_fetched(Wheelhouse(wheels=wheels), tmp_path / "built", report)
    assert report.stages["fetch"].endswith(
        f": 1 from {tmp_path / 'wheels'}, 1 from host, 2 built from source"
    )
