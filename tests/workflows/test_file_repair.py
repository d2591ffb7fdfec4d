"""The least repair: a file is read from its wheel by ranges, and taken only where it is the one that was installed."""

from __future__ import annotations

import io
import zipfile

import pytest

from tests.inventory.site import Environment
from tests.wheelmaker import make_wheel
from torchdoctor.core.progress import SilentReporter
from torchdoctor.errors import SourceFailed
from torchdoctor.lock import LockedWheel
from torchdoctor.workflows.file_repair import plan_file_repair, repair_files

MODULES = {"tool/__init__.py": "whole = 1\n", "tool/data.py": "x" * 5000}


def wheel_of(tmp_path, **more):
    """A wheel of the package on this disk."""
    name, content = make_wheel("tool", "1.0", tag="py3-none-any", modules={**MODULES, **more})
    (tmp_path / name).write_bytes(content)
    url = (tmp_path / name).as_uri()
    return LockedWheel(name="tool", version="1.0", filename=name, url=url, sha256=None, size=len(content))


@pytest.fixture
def site(tmp_path):
    """An environment with the package, of which one file is cut and one is gone."""
    environment = Environment(tmp_path / "env")
    (environment.prefix / "bin").mkdir(exist_ok=True)
    (environment.prefix / "bin/python").write_text("")
    (environment.prefix / "pyvenv.cfg").write_text("home = /usr/bin\n")
    wheel = wheel_of(tmp_path)
    with zipfile.ZipFile(tmp_path / wheel.filename) as archive:
        archive.extractall(environment.site)
    (environment.site / "tool/data.py").write_text("cut")
    (environment.site / "tool/__init__.py").unlink()
    return environment


def repaired(site, wheel, tmp_path):
    """Plan the repair from this wheel and make it."""
    plan = plan_file_repair(site.python, [wheel], tmp_path / "cache", offline=False)
    run = tmp_path / "run"
    run.mkdir()
    repair_files(plan, site.python, tmp_path / "cache", run, lambda _: None, SilentReporter(), offline=False)
    return plan


def test_the_damaged_files_alone_are_put_back(site, tmp_path):
    """Nothing is downloaded where the wheel is on this disk."""
    plan = repaired(site, wheel_of(tmp_path), tmp_path)
    assert sorted(row.path for row in plan.parts[0].rows) == ["tool/__init__.py", "tool/data.py"]
    assert plan.fetched_bytes == 0
    assert (site.site / "tool/data.py").read_text() == MODULES["tool/data.py"]
    assert (site.site / "tool/__init__.py").read_text() == "whole = 1\n"


def test_a_file_that_is_not_the_one_that_was_installed_is_refused(site, tmp_path):
    """A wheel of that name may be another one; the hash in RECORD decides."""
    other = wheel_of(tmp_path, **{"tool/data.py": "y" * 5000})
    with pytest.raises(SourceFailed, match="is not the file that was installed"):
        repaired(site, other, tmp_path)
    assert (site.site / "tool/data.py").read_text() == "cut"


def test_another_version_is_no_source_of_files(site, tmp_path):
    """The package is installed as a whole then."""
    wheel = wheel_of(tmp_path)
    other = LockedWheel(
        name="tool", version="1.1", filename=wheel.filename, url=wheel.url, sha256=None, size=wheel.size
    )
    assert plan_file_repair(site.python, [other], tmp_path / "cache", offline=False) is None


def test_a_record_without_hashes_tells_nothing(site, tmp_path):
    """What belongs there is not known then."""
    record = next(site.site.glob("tool-*.dist-info")) / "RECORD"
    rows = [f"{line.split(',')[0]},,1" for line in record.read_text().splitlines()]
    record.write_text("\n".join(rows))
    assert plan_file_repair(site.python, [wheel_of(tmp_path)], tmp_path / "cache", offline=False) is None


def test_a_member_that_unpacks_to_something_else_is_refused(site, tmp_path):
    """Its checksum in the archive is compared as it is read."""
    wheel = wheel_of(tmp_path)
    path = tmp_path / wheel.filename
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        place = archive.getinfo("tool/__init__.py").header_offset
    content[place + 30 + len("tool/__init__.py") + 2] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(SourceFailed, match="cannot be used for the repair"):
        repaired(site, wheel, tmp_path)
