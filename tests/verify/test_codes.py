"""The codes of checks: each outcome has one, the causes rest on them, and sentences can be reworded freely."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from tests.probe.fakes import ODD_TORCH, distribution, environment
from torchdoctor.diagnose.verify_findings import findings_from, verify_causes
from torchdoctor.probe import suite
from torchdoctor.probe.verify import installed_files, late_libraries, pairing
from torchdoctor.verify import probe_process, process_end, runner, verify
from torchdoctor.verify.process_end import describe_end

PROBE = Path(probe_process.__file__).parents[1] / "probe"
SOURCES = sorted(PROBE.rglob("*.py"))
KEBAB_CASE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# Those that the runner gives a step whose process is gone.
PROCESS_CODES = {"memory-limit", "time-limit", *(describe_end(status).code for status in (-9, -4, -11, 3))}
# The codes that are put together from a companion's name or chosen in a branch.
BUILT_CODES = {
    *pairing._CODES, *late_libraries._CODES, "gpu-too-old", "gpu-without-kernels", "library-installed-twice",
    "library-loaded-twice", "libraries-from-outside", "cudnn-mismatch",
    *(f"{kind}-{end}" for kind in installed_files._KINDS for end in ("damaged", "missing")),
}  # fmt: skip
# Those of packages that need no import to be known.
PACKAGE_CODES = {
    "package-not-installed", "package-version", "packages-unknown", "no-modules", "no-packages", "no-extensions",
    "not-imported",
}  # fmt: skip


def outcome_calls(tree):
    """Every call of failed, warned and skipped."""
    names = {"failed", "warned", "skipped"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            yield node


def literal_codes():
    """The codes that stand in the probe's calls as they are."""
    for source in SOURCES:
        for call in outcome_calls(ast.parse(source.read_text("utf-8"))):
            if isinstance(call.args[0], ast.Constant):
                yield call.args[0].value


def test_every_code_is_kebab_case():
    """They are a contract, as the ids of checks are."""
    codes = set(literal_codes()) | PROCESS_CODES | BUILT_CODES | PACKAGE_CODES

    assert {code for code in codes if not KEBAB_CASE.fullmatch(code)} == set()


def test_every_code_of_the_causes_is_one_that_a_check_can_have():
    """A code that nothing gives is a cause that is never found."""
    codes = set(literal_codes()) | PROCESS_CODES | BUILT_CODES | PACKAGE_CODES

    assert {code for cause in verify_causes() for code in cause.get("codes", ())} - codes == set()


class _Reword(ast.NodeTransformer):
    """Other words in every sentence of the probe; its values stay."""

    def visit_Call(self, node):  # ast looks for this name
        self.generic_visit(node)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        place = {"sentence": 0, "failed": 1, "warned": 1, "skipped": 1}.get(name)
        if place is not None and place < len(node.args) and isinstance(node.args[place], ast.Constant):
            node.args[place] = ast.Constant(_reworded(node.args[place].value))
        return node


def _reworded(template: str) -> str:
    fields = [
        "{" + name + ("!" + conversion if conversion else "") + (":" + spec if spec else "") + "}"
        for _, name, spec, conversion in Formatter().parse(template)
        if name
    ]
    return " ".join(["reworded", *fields])


@pytest.fixture(scope="module")
def reworded_probe(tmp_path_factory):
    """A copy of the probe in which every sentence says something else."""
    folder = tmp_path_factory.mktemp("reworded") / "probe"
    for source in PROBE.rglob("*"):
        target = folder / source.relative_to(PROBE)
        if source.suffix == ".py":
            target.parent.mkdir(parents=True, exist_ok=True)
            tree = _Reword().visit(ast.parse(source.read_text("utf-8")))
            target.write_text(ast.unparse(ast.fix_missing_locations(tree)), "utf-8")
        elif source.suffix == ".json":
            target.write_bytes(source.read_bytes())
    return folder / "__main__.py"


def _site(python):
    return next(python.parents[1].glob("lib/python3*/site-packages"))


def _bare(folder):
    return environment(folder), ()


def _left_over(folder):
    python = environment(folder, torch="")
    (_site(python) / "torch" / "__init__.py").unlink()
    return python, ()


def _without_dependency(folder):
    return environment(folder, torch="import typing_extensions_x as typing_extensions"), ()


def _mixed(folder):
    python = environment(folder, torch=ODD_TORCH)
    distribution(_site(python), "torch", "2.4.1")
    distribution(_site(python), "torch", "2.13.0")
    return python, ("files", "version")


def _damaged(folder):
    python = environment(folder, torch=ODD_TORCH)
    info = distribution(_site(python), "torch", "9.9.9")
    (info / "RECORD").write_text("".join(f"torch/lib/lib{number}.so,,9\n" for number in range(5)))
    return python, ("files",)


def _unpaired(folder):
    python = environment(folder, torch=ODD_TORCH)
    linux = 'platform_system == "Linux"'
    distribution(_site(python), "torch", "9.9.9", f"nvidia-nccl-cu13==2.28.0 ; {linux}")
    distribution(_site(python), "torchvision", "0.19.1", "torch==2.4.1")
    return python, ("pairing",)


def _no_gpu(folder):
    return environment(folder, torch=ODD_TORCH), ("devices", "views")


def _crash(folder):
    return environment(folder, torch=ODD_TORCH + "###\ndef Generator(): os.abort()"), ("conv",)


def _threads(folder):
    return environment(folder, torch=ODD_TORCH + "###\ndef get_num_threads(): return 9999"), ("threads",)


BROKEN = {
    "torch-missing": _bare,
    "partial-install": _left_over,
    "torch-dependency-missing": _without_dependency,
    "partial-install of two": _mixed,
    "partial-install of some": _damaged,
    "nvidia-wheels-missing": _unpaired,
    "device-missing": _no_gpu,
    "process-crashed": _crash,
    "too-many-threads": _threads,
}


@pytest.mark.process
@pytest.mark.parametrize("finding", BROKEN)
def test_findings_stay_when_every_sentence_is_reworded(tmp_path, reworded_probe, monkeypatch, finding):
    """The same environment, the same causes; only the words are others."""
    python, only = BROKEN[finding](tmp_path / "env")
    devices = ["cuda:0"] if finding == "device-missing" else None
    before = verify(python, only=only, devices=devices)
    monkeypatch.setattr(probe_process, "PROBE", reworded_probe)
    for module in (runner, process_end):
        monkeypatch.setattr(module, "message", lambda *_, **__: "reworded")
    after = verify(python, only=only, devices=devices)

    ids = [found.id for found in findings_from(before)]
    assert ids[0] == finding.partition(" ")[0]
    assert [found.id for found in findings_from(after)] == ids
    assert [(check.id, check.status, check.code) for check in after.checks] == [
        (check.id, check.status, check.code) for check in before.checks
    ]
    assert {check.detail for check in after.checks} != {check.detail for check in before.checks}


@pytest.mark.process
def test_every_check_that_did_not_pass_has_a_code(tmp_path):
    """Of an environment without torch: the failure and each skip."""
    report = verify(environment(tmp_path / "env"))

    assert {check.code for check in report.checks} == {
        "metadata-missing", "torch-not-installed", "no-torch", "no-packages", "no-extensions",
    }  # fmt: skip
    assert len(report.checks) == len(suite.CHECKS)


@pytest.mark.process
def test_more_files_than_are_named_are_counted(tmp_path):
    """Three by name, and how many more."""
    python, only = _damaged(tmp_path / "env")
    (files,) = verify(python, only=only).checks

    assert files.code == "files-damaged"
    assert "torch/lib/lib2.so is missing and 2 more" in files.detail
