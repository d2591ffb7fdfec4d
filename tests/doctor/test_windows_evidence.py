"""Windows' settings as observations: only where something can fail by them."""

from __future__ import annotations

import pytest

from tests.doctor.check_ups import check_up
from torchdoctor.core.fact import found
from torchdoctor.diagnose import Evidence, diagnose, live_failures
from torchdoctor.doctor.windows_evidence import windows_observations


def facts(**values):
    return tuple((f"windows.{name}", found(value, "reg query")) for name, value in values.items())


@pytest.fixture
def damaged(site):
    """torch with a file of a long path that is not there, and one of a short path."""
    site.torch("2.9.1+cpu")
    record = next(site.site.glob("torch-*.dist-info/RECORD"))
    long = "torch/include/" + "deep/" * 50 + "file.h"
    record.write_text(record.read_text() + f"{long},sha256=x,1\ntorch/short.h,sha256=x,1\n")
    return site


@pytest.mark.parametrize(("long_paths", "found_"), [(False, ["torch"]), (True, [])])
def test_a_missing_file_of_a_path_that_is_too_long_is_observed(damaged, long_paths, found_):
    """Where long paths are on, it is missing for another reason."""
    seen = check_up(damaged, inventory=damaged.take(), facts=facts(long_paths=long_paths))
    rows = list(windows_observations(seen))
    assert [row.value for row in rows if row.name == "live.windows.long_path"] == found_


def test_a_missing_file_of_a_short_path_has_another_reason(site):
    """Windows allows 259 characters without long paths."""
    site.torch("2.9.1+cpu")
    record = next(site.site.glob("torch-*.dist-info/RECORD"))
    record.write_text(record.read_text() + "torch/short.h,sha256=x,1\n")
    seen = check_up(site, inventory=site.take(), facts=facts(long_paths=False))
    assert list(windows_observations(seen)) == []


def test_no_paging_file_is_only_a_possible_cause(site):
    """It is named as what may be wrong; a list with one says nothing."""
    site.torch("2.9.1+cpu")
    none = check_up(site, inventory=site.take(), facts=facts(paging_files=()))
    rows = tuple(windows_observations(none))
    assert [row.name for row in rows] == ["live.windows.no_paging_file"]
    answer = diagnose(Evidence(facts=rows), str, live_failures())
    assert ([one.id for one in answer.possible], answer.findings) == (["windows-paging-file"], ())
    managed = check_up(site, inventory=site.take(), facts=facts(paging_files=(r"?:\pagefile.sys",)))
    assert list(windows_observations(managed)) == []
