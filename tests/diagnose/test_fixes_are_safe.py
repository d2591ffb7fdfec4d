"""Every command that a fix can print: it names what it changes, at a version, and clears or removes nothing else."""

from __future__ import annotations

import re
import shlex

import pytest

from torchdoctor.diagnose import Evidence, Observation
from torchdoctor.diagnose.catalogue import all_failures
from torchdoctor.diagnose.cause_table import verify_causes
from torchdoctor.diagnose.fix_commands import pin_torch, rewrite_for_environment
from torchdoctor.diagnose.fix_lines import step_lines
from torchdoctor.diagnose.placeholders import Placeholders, command_values
from torchdoctor.diagnose.verify_findings import findings_from
from torchdoctor.verify import CheckResult, VerifyReport

# What may stand where a person or the evidence puts a name and its version.
_PINNED = re.compile(r"'?(?:PACKAGE==VERSION|[\w.-]+==[\w.+*]+|[\w.-]+(?:[<>~=]=?[\w.]+,?)+)'?")
_CLEARS = re.compile(
    r"--clear(?![\w-])|\brm -\w*r|Remove-Item (?!Env:)|rmdir|-exec rm|pip freeze \| xargs"
    r"|conda (?:env )?remove --(?:all|name)"
    r"|pip cache purge && |conda clean -a"
)


def live(version, build, system="linux"):
    """The facts of an environment on this machine, as the check-up gives them."""
    facts = {
        "environment.prefix": "/envs/a", "environment.python": "/envs/a/bin/python", "torch.version": version,
        "torch.build": build, "package.pip": "25.0", "os.system": system, "arch": "x86_64",
        "python.version": "3.11.7", "package.flash-attn": "2.8.3", "live.record": "torch",
        "live.stack.asked-missing": "timm", "live.stack.requirement-missing": "omegaconf",
        "live.stack.requirement-version": "pillow<12", "live.stack.extension": "torchcodec",
        "live.stack.python": "timm==1.0.2", "installed.name": "vllm",
    }  # fmt: skip
    return Evidence(facts=tuple(
        Observation(name=name, value=value, source=name) for name, value in facts.items()
    ))  # fmt: skip


ENVIRONMENTS = {
    "cu128": live("2.9.1+cu128", "cu128"),
    "cu130 of PyPI": live("2.14.1", "cu130"),
    "cpu": live("2.13.0+cpu", "cpu"),
    "no torch": Evidence(facts=tuple(
        each for each in live("2.9.1", "cu128").facts if not each.name.startswith("torch.")
    )),
    "Windows": live("2.9.1+cu128", "cu128", "windows"),
}  # fmt: skip


def steps_of(failure):
    """Each step of a failure, with those that take its place where a value is not known."""
    for first in failure.fixes:
        step = first
        while step is not None:
            yield step
            step = step.fallback


def unsafe(command):
    """Return why a command may not be printed by itself; None where it may."""
    if _CLEARS.search(command):
        return "it clears or removes what it does not name"
    part = []
    for word in [*shlex.split(command), "&&"]:
        if word in ("&&", "||", ";", "|"):
            if reason := _unpinned(part):
                return reason
            part = []
        else:
            part.append(word)
    return None


def _unpinned(words):
    forced = {"--force-reinstall", "--reinstall", "-U", "--upgrade", "--ignore-installed"} & set(words)
    if "install" not in words or "pip" not in words or not forced:
        return None
    if {"--force-reinstall", "--reinstall"} & forced and "--no-deps" not in words:
        return "it replaces the dependencies by others"
    names, skip = [], False
    for word in words[words.index("install") + 1 :]:
        if not skip and not word.startswith("-"):
            names.append(word)
        skip = word in (
            "--index-url",
            "--extra-index-url",
            "--find-links",
            "--timeout",
            "--no-binary",
            "--python",
        )
    if {"--force-reinstall", "--reinstall"} & forced and not all(map(_PINNED.fullmatch, names)):
        return "it takes another version than the one that belongs"
    if any(re.fullmatch("torch(?:vision|audio)?", name) for name in names):
        return "it raises torch"
    return None


@pytest.mark.parametrize("failure", all_failures(), ids=lambda failure: failure.id)
def test_no_fix_of_the_catalogue_harms(failure):
    """On each kind of environment, and with nothing known at all."""
    for evidence in (*ENVIRONMENTS.values(), Evidence()):
        values = Placeholders(evidence, {}), command_values(evidence, {})
        for step in steps_of(failure):
            for line in step_lines(step, evidence, values, str)[-1:]:
                if step.command:
                    assert unsafe(line) is None, line


@pytest.mark.parametrize("name", [name for name in ENVIRONMENTS if name != "no torch"])
def test_what_is_added_to_an_environment_keeps_its_torch(name):
    """`torchdoctor install ENV --with X` names the release and the build that are there."""
    evidence = ENVIRONMENTS[name]
    version, build = evidence.first("torch.version").partition("+")[0], evidence.first("torch.build")
    for failure in all_failures():
        for step in steps_of(failure):
            values = Placeholders(evidence, {}), command_values(evidence, {})
            for line in step_lines(step, evidence, values, str):
                if "torchdoctor install" in line and "--with" in line and line.startswith("torchdoctor"):
                    assert f"--torch {version}+{build}" in line, (failure.id, line)


# These say that another family is needed, and which.
_OTHER_FAMILY = {"extension-cuda-major", "gpu-arch-too-old", "aarch64-cpu-wheel"}


@pytest.mark.parametrize("name", ["cu128", "cu130 of PyPI", "Windows"])
def test_no_fix_changes_the_family_of_builds_by_the_way(name):
    """Only where the build itself is what is wrong; a machine without a GPU is no reason."""
    evidence = ENVIRONMENTS[name]
    for failure in all_failures():
        if failure.repair == "other-build" or failure.id in _OTHER_FAMILY:
            continue
        for step in steps_of(failure):
            values = Placeholders(evidence, {}), command_values(evidence, {})
            for line in step_lines(step, evidence, values, str):
                if line.startswith(("/envs/a/bin/python", "uv ", "torchdoctor install")):
                    found = set(re.findall(r"\+(cu\d+|cpu|rocm[\d.]+)\b", line))
                    assert found <= {evidence.first("torch.build")}, (failure.id, line)


def test_what_is_done_in_a_new_environment_is_not_done_in_this_one():
    """The interpreter of the environment that was checked is in no such command."""
    for failure in all_failures():
        for step in steps_of(failure):
            if re.search(r"-m venv|conda (?:create|run)", step.command):
                values = Placeholders(ENVIRONMENTS["cu128"], {}), command_values(ENVIRONMENTS["cu128"], {})
                for line in step_lines(step, ENVIRONMENTS["cu128"], values, str)[-1:]:
                    assert "/envs/a/bin/python" not in line, (failure.id, line)


def test_pip_gets_the_torch_that_is_there():
    """A bare name would take the newest one; another index or environment is a choice of its own."""
    evidence = ENVIRONMENTS["cu128"]
    assert pin_torch("python -m pip install --no-cache-dir torch", evidence).endswith("torch==2.9.1")
    for command in (
        "python -m pip install torch --index-url https://x.org/whl/cpu",
        "python3.12 -m venv .venv && .venv/bin/python -m pip install torch",
        "python -m pip install torchvision",
        "torchdoctor install --mirror auto",
    ):
        assert pin_torch(command, evidence) == command


def test_a_torch_of_pypi_comes_from_there_again():
    """Its version names no build; the index of a build may be out of reach, and a companion's file another build's."""
    command = "python -m pip install --force-reinstall --no-deps torch==2.14.1 --index-url https://download.pytorch.org/whl/cu130"
    plain = "/envs/a/bin/python -m pip install --force-reinstall --no-deps torch==2.14.1"
    assert rewrite_for_environment(command, ENVIRONMENTS["cu130 of PyPI"]) == plain
    assert rewrite_for_environment(command, ENVIRONMENTS["cu128"]).endswith("/whl/cu130")
    other = command.replace("torch==2.14.1", "torchvision==0.29.1")
    assert rewrite_for_environment(other, ENVIRONMENTS["cu130 of PyPI"]).endswith("/whl/cu130")


def test_a_new_environment_is_made_beside_the_one_that_is_there():
    """The folder that is named does not hold what a user has."""
    rewritten = rewrite_for_environment("python3 -m venv .venv-new", ENVIRONMENTS["cpu"])
    assert rewritten == "python3 -m venv /envs/a-new"


@pytest.mark.parametrize("cause", verify_causes(), ids=lambda cause: cause["id"])
def test_no_fix_of_verify_harms(cause):
    """Each printed fix is pinned to the torch that was verified, in its build."""
    code = cause.get("codes", ["exception"])[0]
    check = CheckResult(
        id=re.sub(r"\|.*|[.*:]", "", cause["check"]) or "import", device="cpu", status="fail", seconds=0.1,
        code=code, detail=(cause.get("samples") or [""])[0], evidence=tuple(cause.get("samples", ())),
    )  # fmt: skip
    environment = {
        "torch": "2.9.1+cu128", "variant": "cu128", "executable": "/envs/a/bin/python", "prefix": "/envs/a",
        "numpy": "2.3.0",
    }  # fmt: skip
    for finding in findings_from(VerifyReport(environment=environment, checks=(check,))):
        for step in finding.fix:
            if not step[:1].isupper():
                assert unsafe(step) is None, step
                if "torchdoctor install" in step and "--with" in step:
                    assert "--torch 2.9.1+cu128" in step, step


@pytest.mark.parametrize("command", ["hold", "unhold", "restore", "install --with timm"])
def test_commands_for_an_environment_name_it(command):
    """Without its folder they would mean the active environment."""
    rewritten = rewrite_for_environment(f"torchdoctor {command}", ENVIRONMENTS["cpu"])
    name, *options = command.split()
    folder = ENVIRONMENTS["cpu"].first("environment.prefix")
    assert rewritten.startswith(f"torchdoctor {name} {folder}")
    assert all(option in rewritten for option in options)
