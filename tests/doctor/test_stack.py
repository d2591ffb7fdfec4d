"""The packages beside torch by their files: what was asked for, what is required, what is built for something else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.doctor.check_ups import check_up, finding
from torchdoctor.diagnose import Evidence, Observation, diagnose, live_failures
from torchdoctor.doctor.environment_evidence import environment_observations
from torchdoctor.doctor.lines import check_lines
from torchdoctor.doctor.package_findings import package_findings, with_findings
from torchdoctor.doctor.stack import inspect_stack
from torchdoctor.doctor.stack.python_tags import runs_on
from torchdoctor.report.terminal.doctor import verdict
from torchdoctor.verify import CheckResult

MACHINE_FACTS = {"os.system": "linux", "arch": "x86_64"}


def ask(site, *lines):
    """Write what was asked for into the environment's record."""
    asked = [{"requirement": line, "origin": "requirements.txt:3"} for line in lines]
    document = {"schema": 1, "plan": None, "files": [], "asked": asked}
    (site.prefix / "torchdoctor.json").write_text(json.dumps(document))


def problems(site):
    """Kind and requirement of each."""
    state = inspect_stack(site.take(), site.python)
    return [(problem.kind, problem.package, problem.requirement) for problem in state.problems]


def found(site, **more):
    """The findings of this environment, by id."""
    seen = check_up(site, stack=inspect_stack(site.take(), site.python), **more)
    machine = [Observation(name=name, value=value, source=value) for name, value in MACHINE_FACTS.items()]
    evidence = Evidence(facts=(*machine, *environment_observations(seen)))
    return {finding.id: finding for finding in diagnose(evidence, failures=live_failures()).findings}


@pytest.mark.parametrize(
    ("line", "installed", "kind"),
    [
        ("einops>=0.8", None, "asked-missing"),
        ("einops>=0.8", "0.7", "asked-version"),
        ("einops>=0.8", "0.8.1", None),
        ("Ein_Ops", None, "asked-missing"),
        ("einops; sys_platform == 'win32'", None, None),
        ("einops[all] @ https://example.org/einops.zip", None, "asked-missing"),
        ("no requirement at all", None, None),
    ],
)
def test_what_was_asked_for_is_compared_with_what_is_installed(site, line, installed, kind):
    """By the record, for this system; an edited record disturbs nothing."""
    ask(site, line)
    if installed:
        site.put("einops", installed)

    assert [row[0] for row in problems(site)] == ([kind] if kind else [])


def test_requirements_are_followed_through_every_package(site):
    """Of what was asked for with its extras, and of what requires torch; markers count, each gap is told once."""
    ask(site, "app[gpu]")
    site.torch("2.9.1+cpu")
    site.put("app", "1.0", requires=("middle>=1", 'fast; extra == "gpu"', 'other; extra == "docs"'))
    site.put("middle", "1.5", requires=("deep<2", 'only-windows; sys_platform == "win32"'))
    site.put("deep", "2.0")
    site.put("model", "1.0", requires=("torch>=2", "deep<2", "absent"))
    site.put("bystander", "1.0", requires=("nothing-that-is-there",))

    assert problems(site) == [
        ("requirement-missing", "app", "fast"),
        ("requirement-version", "model", "deep<2"),
        ("requirement-missing", "model", "absent"),
    ]


def test_a_package_that_excludes_the_installed_torch_is_told(site):
    """torch's own companions are judged by more than metadata, and not here."""
    site.torch("2.9.1+cpu")
    site.put("model", "1.0", requires=("torch<2.9",))
    site.put("torchvision", "0.19.1", requires=("torch==2.4.1",))

    assert problems(site) == [("requirement-version", "model", "torch<2.9")]


@pytest.mark.parametrize(
    ("torch", "extension", "kind"),
    [
        ("2.13.0+cpu", ("torchtext", "0.18.0"), "extension"),
        ("2.3.0+cpu", ("torchtext", "0.18.0"), None),
        ("2.13.0+cpu", ("torchcodec", "0.17.0"), "extension-cuda"),
        ("2.13.0+cpu", ("torchcodec", "0.17.0+cpu"), None),
        ("2.13.0+cpu", ("torchao", "0.18.0"), None),
        ("2.9.1+cu128", ("xformers", "0.0.30"), "extension-part"),
        ("2.9.1+cu128", ("torchtext", "not a version"), None),
    ],
)
def test_an_extension_for_another_torch_is_seen_without_an_import(site, torch, extension, kind):
    """By the pairs that are known; kernels of GPUs are no loss beside a torch for the CPU."""
    cuda = "12.8" if "cu128" in torch else None
    site.torch(torch, cuda=cuda)
    site.put(*extension)

    assert [row[0] for row in problems(site) if row[0].startswith("extension")] == ([kind] if kind else [])


@pytest.mark.parametrize(
    ("tags", "wrong"),
    [
        (("cp310-cp310-manylinux_2_28_x86_64",), True),
        (("cp312-cp312-manylinux_2_28_x86_64",), False),
        (("cp310-cp310-linux_x86_64", "cp312-cp312-linux_x86_64"), False),
        (("cp39-abi3-linux_x86_64",), False),
        (("cp313-abi3-linux_x86_64",), True),
        (("py3-none-any",), False),
        (("py2.py3-none-linux_x86_64",), False),
        (("cp312-cp312t-linux_x86_64",), True),
        ((), False),
    ],
)
def test_a_package_for_another_python_is_seen_by_its_tags(site, tags, wrong):
    """This Python is 3.12."""
    ask(site, "compiled")
    info = site.put("compiled", "1.0")
    (info / "WHEEL").write_text("Wheel-Version: 1.0\n" + "".join(f"Tag: {tag}\n" for tag in tags))

    assert problems(site) == ([("python", "compiled", "compiled==1.0")] if wrong else [])


@given(st.text(max_size=40))
def test_any_tag_can_be_judged(tag):
    """WHEEL is somebody's text."""
    from tests.detect.recorded_system import paper_python

    assert runs_on(tag, paper_python()) in (True, False)


def test_each_problem_is_a_finding_with_a_command(site):
    """For this environment, beside the torch that is there."""
    ask(site, "einops>=0.8", "model")
    site.torch("2.9.1+cpu")
    site.put("model", "1.0", requires=("safetensors", "numpy<2"))
    site.put("numpy", "2.3.0")
    site.put("torchtext", "0.18.0")

    findings = found(site)

    assert set(findings) >= {
        "asked-package-missing", "package-dependency-missing", "package-dependency-version", "extension-torch-mismatch",
    }  # fmt: skip
    install = f"torchdoctor install {site.prefix} --torch 2.9.1+cpu"
    assert f"{install} --with 'einops>=0.8'" in findings["asked-package-missing"].fix
    assert f"{install} --with safetensors" in findings["package-dependency-missing"].fix
    assert f"{install} --with torchtext" in findings["extension-torch-mismatch"].fix


def test_a_build_of_an_extension_that_goes_with_this_torch_is_named_with_its_version_and_index(site):
    """Where exactly one is in the way and a pair is known."""
    site.torch("2.13.0+cpu")
    site.put("torchcodec", "0.17.0")

    fix = found(site)["extension-cuda-major"].fix

    assert any(
        "--no-deps 'torchcodec>=0.14' --index-url https://download.pytorch.org/whl/cpu" in step
        for step in fix
    )


def imported(name, status, code=None, detail=""):
    """The result of one package's import."""
    return CheckResult(
        id=f"package:{name}", device="cpu", status=status, seconds=1.0, detail=detail, code=code
    )


def test_an_extension_that_was_imported_is_not_built_for_another_torch(site):
    """What really happened goes before what is known of pairs."""
    site.torch("2.13.0+cpu")
    site.put("torchtext", "0.18.0")

    assert "extension-torch-mismatch" in found(site)
    assert "extension-torch-mismatch" not in found(site, packages=(imported("torchtext", "pass"),))


def test_a_failed_import_is_an_error_that_joins_what_the_files_say(site):
    """One finding, as grave as the gravest, with the evidence of both."""
    site.torch("2.9.1+cpu")
    raised = imported(
        "timm", "fail", "import-raised", "import timm: ModuleNotFoundError: No module named 'torchvision'"
    )
    more = package_findings(check_up(site, packages=(raised,)), str)
    (joined,) = with_findings([finding("package-dependency-missing", "warning")], more)

    assert (joined.id, joined.severity) == ("package-dependency-missing", "error")
    assert "package:timm" in joined.evidence[0]


def test_all_is_well_is_never_said_where_what_was_asked_for_was_not_imported(site):
    """Neither where the import failed nor where nobody tried."""
    ask(site, "einops")
    site.torch("2.9.1+cpu")
    site.put("einops", "0.8")
    state = inspect_stack(site.take(), site.python)
    checks = ("pytorch.build", "packages.requirements", "packages.import")

    def said(packages):
        return verdict((), check_lines(check_up(site, stack=state, packages=packages), (), checks), "", "")

    assert said((imported("einops", "pass"),)) == "All is well."
    assert said(None) == "Nothing wrong was found, but what was asked for was not imported."
    assert said((imported("einops", "fail", "process-signal"),)) == "1 thing to repair."
