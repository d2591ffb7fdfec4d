"""A companion that is not imported: of another torch, or beside a package that is broken itself."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from torchdoctor.probe.verify import companions


@pytest.mark.parametrize(
    ("helper", "companion", "code"),
    [
        ("raise ImportError('SymPy now depends on mpmath')", "import a_helper_of_both", "exception"),
        ("", "raise RuntimeError('operator torchvision::nms does not exist')", "torchvision-mismatch"),
    ],
)
def test_what_breaks_in_another_package_is_no_mismatch(tmp_path, monkeypatch, helper, companion, code):
    """Who raised it decides: the cause of the other package is told by its own text."""
    site = tmp_path / "site-packages"
    (site / "torchvision").mkdir(parents=True)
    (site / "torchvision" / "__init__.py").write_text(companion + "\n")
    (site / "a_helper_of_both").mkdir()
    (site / "a_helper_of_both" / "__init__.py").write_text(helper + "\n")
    monkeypatch.syspath_prepend(str(site))
    for name in ("torchvision", "a_helper_of_both"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    outcome = companions.torchvision(SimpleNamespace(__version__="2.14.1"), "cpu")

    assert (outcome.status, outcome.code) == ("fail", code)
