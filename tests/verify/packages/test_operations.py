"""The operations of known extensions, run after the import in the same process."""

from __future__ import annotations

import pytest

from tests.verify.packages.environments import Packages
from torchdoctor.verify import verify

pytestmark = pytest.mark.process

WORKS = (
    "def get_cuda_device_count(): return 0\ndef get_supported_compute_types(kind, index): return {'float32'}"
)
CRASHES = "import ctypes\ndef get_supported_compute_types(kind, index): ctypes.string_at(0)"


@pytest.fixture
def packages(tmp_path) -> Packages:
    return Packages(tmp_path / "env")


def results(packages, *only, **options):
    report = verify(packages.python, only=only or ("packages", "operations"), **options)
    return {check.id: (check.status, check.code) for check in report.checks}


def test_an_extension_is_imported_and_then_proven(packages):
    """Known ones are although nobody asked for them and their metadata do not name torch."""
    packages.put("ctranslate2", WORKS)

    assert results(packages) == {
        "package:ctranslate2": ("pass", None),
        "operation:ctranslate2": ("pass", None),
    }


def test_an_operation_that_needs_a_gpu_is_skipped_without_one(packages):
    """Never passed: nothing was proven."""
    packages.put("flash-attn", "")

    assert results(packages)["operation:flash-attn"] == ("skip", "no-device-for-it")


def test_a_crash_of_the_operation_is_its_own_failure(packages):
    """The import before it passed."""
    packages.put("ctranslate2", CRASHES)

    assert results(packages) == {
        "package:ctranslate2": ("pass", None),
        "operation:ctranslate2": ("fail", "process-signal"),
    }


def test_an_operation_is_not_run_where_the_import_fails(packages):
    """It would fail for the same reason."""
    packages.put("ctranslate2", "raise OSError('libcudart.so.12: cannot open shared object file')")

    assert results(packages) == {
        "package:ctranslate2": ("fail", "import-raised"),
        "operation:ctranslate2": ("skip", "not-imported"),
    }


def test_without_torch_an_extension_that_does_not_need_it_is_imported_only(tmp_path):
    """The operations look for devices by torch."""
    packages = Packages(tmp_path / "env", torch="raise ImportError")
    packages.put("ctranslate2", WORKS)

    assert results(packages) == {
        "package:ctranslate2": ("pass", None),
        "operation:ctranslate2": ("skip", "no-torch"),
        "import": ("fail", "exception"),
    }


def test_operations_can_be_selected_alone(packages):
    """The import is then reported only where it fails; without an extension there is nothing to prove."""
    packages.put("pure", "", "torch")
    assert results(packages, "operations") == {"operations": ("skip", "no-extensions")}

    packages.put("ctranslate2", WORKS)
    assert results(packages, "operations") == {"operation:ctranslate2": ("pass", None)}
    assert results(packages, "operation:ctranslate2") == {"operation:ctranslate2": ("pass", None)}
