"""Every command on the pages is run as it is typed, page by page, by a user who has nothing but this machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_pages import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = Path(__file__).parent
# Each page begins where the last one ended; what one makes, a later one may use.
PAGES = (
    "docs/howto/china-mirrors.md",
    "docs/howto/air-gapped.md",
    "docs/howto/bill-of-materials.md",
    "docs/howto/hpc-slurm.md",
    "docs/howto/ci.md",
    "docs/howto/issue-bot.md",
    "docs/howto/keep-torch.md",
    "docs/howto/verify-packages.md",
    "docs/howto/wsl.md",
    "docs/howto/docker.md",
    "docs/howto/conda.md",
    "docs/howto/old-gpu.md",
    "docs/howto/uv-projects.md",
    "docs/howto/projects.md",
    "docs/howto/classroom.md",
    "docs/howto/other-tools.md",
    "docs/explanation/choice.md",
    "docs/explanation/sources.md",
    "docs/reference/commands.md",
)
# Their commands are those of the other pages in other words, and minutes long.
SLOW_PAGES = frozenset(
    {
        "docs/howto/hpc-slurm.md",
        "docs/howto/ci.md",
        "docs/howto/verify-packages.md",
        "docs/howto/wsl.md",
        "docs/howto/projects.md",
        "docs/howto/other-tools.md",
        "docs/explanation/sources.md",
    }
)
NOT_RUN = {row["line"]: row for row in tomllib.loads((HERE / "not_run.toml").read_text("utf-8"))["command"]}
SECONDS = 300
LONG_CASES = (
    "matmul-float8", "matmul-int8", "matmul-float16", "matmul-bfloat16", "matmul-tf32", "matmul-float64",
    "matmul-float32-middle", "matmul-float32-large", "matmul-one-thread",
)  # fmt: skip
# What a project has in the folder in which the commands run.
PROJECT = {
    "requirements.txt": "torch\nfsspec>=2024.1\n",
    "more-requirements.txt": "einops\n",
    "theirs.txt": "torch\n--extra-index-url https://wheels.example.org/simple\n",
    "broken.txt": "torch\neinops\nnumpy => 1.26\n",
    "setup.cfg": "[options]\ninstall_requires =\n  torch\n",  # with a pyproject.toml here, `uv init` would change it
    "training/pyproject.toml": (
        '[project]\nname = "training"\ndependencies = ["torch"]\n[dependency-groups]\ndev = ["einops"]\n'
    ),
}
NO_MATCH = """\
ERROR: Could not find a version that satisfies the requirement torch (from versions: none)
ERROR: No matching distribution found for torch
"""


def lines_of(page):
    """What a page gives to be typed into a shell, without remarks."""
    for language, text in re.findall(
        r"^```(console|bash|powershell)\n(.*?)^```",
        (ROOT / page).read_text("utf-8"),
        re.DOTALL | re.MULTILINE,
    ):
        for line in text.splitlines():
            if language == "console" and not line.startswith("$ "):
                continue
            if typed := re.sub(r"(^|\s+)# .*", "", line.removeprefix("$ ")).strip():
                yield typed


LINES = [(page, line) for page in PAGES for line in lines_of(page)]


@pytest.fixture(scope="module")
def place(tmp_path_factory, _real_install):
    """A home with environments that have torch, a folder to work in, and the files that the pages speak of."""
    home, work = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("work")
    if _real_install.ran.status:
        pytest.skip("no torch can be had here")
    for env in (home / "envs" / "vision", home / "envs" / "torch", work / ".venv", work / "ENV"):
        env.parent.mkdir(exist_ok=True)
        shutil.copytree(_real_install.folder, env, symlinks=True, copy_function=os.link)
    (home / ".config" / "fish" / "completions").mkdir(parents=True)
    machine = json.loads((ROOT / "tests" / "machines" / "wsl2-rtx-4090.json").read_text("utf-8")).get(
        "machine"
    )
    if machine:
        (work / "other.json").write_text(json.dumps({"machine": machine}), "utf-8")
    for name in ("report.txt", "issue.md"):
        (work / name).write_text("AssertionError: Torch not compiled with CUDA enabled\n", "utf-8")
    for name, text in PROJECT.items():
        (work / name).parent.mkdir(exist_ok=True)
        (work / name).write_text(text, "utf-8")
    programs = work / "programs"
    programs.mkdir()
    # A cluster's srun starts what it is given; here there is one node and one task.
    (programs / "srun").write_text('#!/bin/sh\nwhile [ "${1#--}" != "$1" ]; do shift 2; done\nexec "$@"\n')
    # Nothing is installed into the environment that runs the tests.
    (programs / "pip").write_text(f"#!/bin/sh\ncat <<END\n{NO_MATCH}END\nexit 1\n")
    for program in programs.iterdir():
        program.chmod(0o755)
    # What the user's pip is told of its indexes; a page may change its copy.
    settings = home / ".config" / "pip" / "pip.conf"
    settings.parent.mkdir(parents=True)
    for given in (os.environ.get("PIP_CONFIG_FILE"), Path.home() / ".config" / "pip" / "pip.conf"):
        if given and Path(given).is_file():
            shutil.copy(given, settings)
            break
    else:
        settings.touch()
    shutil.copy(settings, settings.with_name("before.conf"))
    environ = {
        **{name: value for name, value in os.environ.items() if name != "PIP_CONFIG_FILE"},
        "HOME": str(home),
        "PATH": os.pathsep.join((str(programs), str(Path(sys.executable).parent), os.environ["PATH"])),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "TORCHDOCTOR_CACHE_DIR": str(home / "cache"),
        "TORCHDOCTOR_DATA_DIR": str(home / "data"),
        "JUPYTER_DATA_DIR": str(home / "jupyter"),
        # As typed, but for how much is measured: minutes would be spent on figures that nobody looks at.
        "TORCHDOCTOR_BENCH_QUICK": "1",
        "TORCHDOCTOR_BENCH_ONLY": "launch",
        "TORCHDOCTOR_BENCH_SKIP": " ".join(LONG_CASES),
        "TORCHDOCTOR_INDEX_MIRRORS_MEASURE": "0",
        "TORCHDOCTOR_VERIFY_ONLY": "import tensor",
        "TERM": "dumb",
    }
    return work, environ


def cases():
    """Each line that can be run, as a parameter; what fetches gigabytes runs where it is asked for.

    What stands on several pages runs on the first of them. The first line of a page begins it, and always runs.
    """
    ran = set()
    for page, line in LINES:
        entry, slow = NOT_RUN.get(line, {}), page in SLOW_PAGES
        repeated = (line, slow) in ran and line != next(iter(lines_of(page)))
        ran.add((line, slow))
        if "why" not in entry and not repeated:
            marks = [pytest.mark.huge] if entry.get("huge") else [pytest.mark.slow] if slow else []
            yield pytest.param(page, line, marks=marks)


@pytest.mark.parametrize(("page", "line"), list(cases()))
def test_a_command_of_a_page_does_what_the_page_says(place, tmp_path, page, line):
    """It ends with status 0, or with one that the data file expects on a machine without a GPU."""
    work, environ = place
    if NOT_RUN.get(line, {}).get("huge"):
        # What it makes is for other machines, and no later line is to find it.
        for name in ("other.json", "requirements.txt"):
            shutil.copy(work / name, tmp_path)
        work = tmp_path
    if "--distributed" in line:
        chosen = ("TORCHDOCTOR_BENCH_ONLY", "TORCHDOCTOR_BENCH_SKIP")
        environ = {name: value for name, value in environ.items() if name not in chosen}
    if line == next(iter(lines_of(page))):
        # What one page sets for good is not there on the next.
        config = Path(environ["XDG_CONFIG_HOME"])
        (config / "torchdoctor" / "config.toml").unlink(missing_ok=True)
        shutil.copy(config / "pip" / "before.conf", config / "pip" / "pip.conf")
    if line.startswith("sh bundle/install.sh"):
        # It is another machine, which has no environment yet.
        shutil.rmtree(Path(environ["HOME"]) / "envs" / "vision")
    done = subprocess.run(
        ["bash", "-c", line], cwd=work, env=environ, timeout=SECONDS, check=False,
        capture_output=True, text=True, encoding="utf-8", errors="replace", stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode in NOT_RUN.get(line, {}).get("status", [0]), done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_what_is_not_run_is_still_on_a_page():
    """An entry that nobody needs any more is removed."""
    assert [line for line in NOT_RUN if line not in {row[1] for row in LINES}] == []
