"""Two copies of torch, and foreign folders in front of the environment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.matchers import (
    Match,
    all_of,
    any_of,
    background,
    contains,
    fact,
    hint,
    likely,
    no,
    possible,
    predicate,
    source,
)
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.symptoms import NO_MODULE_TORCH, UNDEFINED

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["RULES"]


def _two_torches(case: Evidence) -> Match | None:
    """collect_env or a list shows torch in two versions at once."""
    rows = [
        row for row in case.observations("package.torch") if not row.source.lstrip().startswith(("-", "+"))
    ]
    stated = case.observations("torch.version")[:1]
    values = {
        re.sub(r"\+.*", "", row.value)
        for row in (*rows, *(row for row in stated if "version" in row.source.lower()))
    }
    if len(values) > 1 and not case.observations("torch.removed") and not case.observations("installer"):
        return Match(evidence=tuple(source(row) for row in (*stated, *rows)[:3]))
    return None


def _conda_and_pip(case: Evidence) -> Match | None:
    """collect_env lists torch from both pip and conda's own channels."""
    conda = case.observations("conda.torch")
    if not conda:
        return None
    pip = [line for line in case.text.lines if re.match(r"\s*(?:[>*-] ?)?\[pip3?\] torch(?:==| )", line)]
    return (
        Match(evidence=(pip[0].strip(), source(conda[0])))
        if pip and not _same(pip[0], conda[0].value)
        else None
    )


def _same(line: str, value: str) -> bool:
    # conda's own package is seen by pip as well, under the same number.
    return value.split(" ", maxsplit=1)[0].split("+", maxsplit=1)[0] in line


RULES = (
    Rule(
        id="conda-pip-mix",
        layer=Layer.ENVIRONMENT,
        severity="warning",
        title="torch is there from both conda and pip",
        explanation=(
            "Two installers wrote the same folder, or the companions came from the other one: "
            "the files no longer belong together."
        ),
        signs=(
            likely(predicate(_conda_and_pip)),
            likely(
                contains(
                    "conda",
                    matching=(
                        r"(?:mix\w*|both|also|then|together|and)[^.]{0,80}(?:conda[^.]{0,"
                        r"80}\bpip\b|\bpip\b[^.]{0,80}conda)[^.]{0,80}(?:torch|install|package"
                        r"|conflict|mix)|(?:installed|install) (?:it |torch |pytorch )?(?:with"
                        r"|from|via|by|using) conda[^.]{0,80}\bpip\b|\bpip install\w*[^.]{0,"
                        r"80}(?:in|into|inside|on top of|over)[^.]{0,30}conda"
                    ),
                )
            ),
            possible(
                all_of(
                    contains("conda", matching=r"conda(?:3|/|\\)"),
                    contains("undefined symbol: _znk5torch8autograd", "nameb5cxx11"),
                )
            ),
            background(
                all_of(fact("conda.torch"), fact("package.torchvision"), no(fact("conda.torchvision")))
            ),
        ),
        steps=(
            Step(
                text="Make a new environment and install the set with one installer:",
                command="conda create -n torch python=3.12 && conda activate torch",
            ),
            Step(
                text="In it, pip's wheels alone:",
                command="{any_install}",
                otherwise=Step(
                    text="In it, pip's wheels alone:",
                    command="python -m pip install torch torchvision torchaudio",
                ),
            ),
        ),
        explains=("duplicate-torch-copies",),
        find="`conda list | grep -i torch`: the channel pypi beside pytorch or conda-forge.",
    ),
    Rule(
        id="duplicate-torch-copies",
        layer=Layer.ENVIRONMENT,
        severity="warning",
        title="There are two copies of torch on the path",
        explanation=(
            "An environment that sees the system's packages, the user's folder or PYTHONPATH: "
            "what pip shows is not what is imported."
        ),
        signs=(
            likely(predicate(_two_torches)),
            likely(
                contains(
                    "undefined symbol",
                    matching=(
                        r"/torch/(?:_c\b[^/\s]{0,60}|lib/lib(?:torch|c10|shm|aten|caffe2|th)\w{0,20})\.so"
                        r"(?:\.\d)?: undefined symbol:? ?(?:_z(?!n?k?st)|th[a-z])"
                    ),
                )
            ),
            likely(
                contains(
                    "torch.__version__",
                    "pip show torch",
                    "pip list",
                    matching=(
                        r"torch\.__version__[^.]{0,200}(?:but|while|whereas|not what)[^.]{0,"
                        r"100}pip|pip (?:show|list|freeze)[^.]{0,200}(?:but|while|whereas)[^.]{0,"
                        r"100}(?:torch\.__version__|import|python)"
                    ),
                )
            ),
            likely(
                contains(
                    "system-site-packages",
                    "two versions",
                    "two copies",
                    "two installations",
                    "multiple versions",
                    "multiple torch",
                    "two torch",
                    "different versions",
                    "old version",
                    matching=(
                        r"system-site-packages|(?:two|multiple|several|different) (?:\w+ "
                        r")?(?:versions|copies|installations|installs|torch\w*)[^.]{0,40}(?:torch"
                        r"|pytorch|installed)|multiple torch"
                    ),
                )
            ),
            background(contains("dist-packages", matching=r"dist-packages/torch[^-]")),
        ),
        steps=(
            Step(
                text="See which copy is imported, and which pip speaks of:",
                command=(
                    'python -c "import torch; print(torch.__version__, torch.__file__)" && '
                    "python -m pip show torch"
                ),
            ),
            Step(
                text=(
                    "Uninstall the one that is not wanted with its own Python, or make the "
                    "environment again without --system-site-packages:"
                ),
                command="python -m venv --clear .venv",
            ),
        ),
        find="torch.__file__ and the Location of `python -m pip show torch` must be one folder.",
    ),
    Rule(
        id="user-site-shadowing",
        layer=Layer.ENVIRONMENT,
        severity="warning",
        title="Packages in ~/.local win over the environment's",
        explanation=(
            "What was installed with `pip install --user`, or without write permission, is seen "
            "by every conda environment of the same Python version, before its own packages."
        ),
        signs=(
            background(contains("defaulting to user installation")),
            likely(
                all_of(
                    contains(".local/lib/python", "roaming\\python", "roaming\\\\python"),
                    any_of(fact("conda"), contains("envs", "venv", "env")),
                    any_of(UNDEFINED, contains("import", "version", "error", "instead", "before")),
                )
            ),
            likely(
                contains(
                    "pythonnousersite",
                    "~/.local",
                    "user site",
                    "usersite",
                    matching=(
                        r"pythonnousersite|~/\.local[^.]{0,80}(?:instead|before|first|wins"
                        r"|priority|shadow|load|import|picked|remov|delet|fix|solv)|user[- ]?site"
                    ),
                )
            ),
            hint(contains(".local/lib/python")),
        ),
        unless=(NO_MODULE_TORCH,),
        steps=(
            Step(
                text="Leave the user's folder out:",
                command="export PYTHONNOUSERSITE=1",
                os=("linux", "macos"),
            ),
            Step(
                text="For a conda environment, for good:",
                command="conda env config vars set PYTHONNOUSERSITE=1",
                installer=("conda",),
            ),
            Step(text="Or uninstall there what shadows the environment, with the Python that put it there."),
        ),
        explains=("duplicate-torch-copies",),
        find=(
            '`python -c "import torch; print(torch.__file__)"` lies under ~/.local; `python -m '
            "site` shows the order."
        ),
    ),
    Rule(
        id="pythonpath-pollution",
        layer=Layer.ENVIRONMENT,
        severity="warning",
        title="PYTHONPATH brings packages of another place in",
        explanation=(
            "PYTHONPATH, set by ROS, a module system or an editor, comes before site-packages, "
            "so foreign copies are imported."
        ),
        signs=(
            likely(
                contains(
                    "pythonpath",
                    matching=(
                        r"(?:unset(?:ting)?|remov\w*|clear\w*|because of|due to|caused by"
                        r"|polluted|wrong|culprit|without)[^.]{0,40}pythonpath|pythonpath[^.]{0,"
                        r"80}(?:ros|before|instead|first|culprit|wrong|contain\w*|point\w*"
                        r"|override\w*|pollut\w*|caus\w*|was set|is set|unset)"
                    ),
                )
            ),
            likely(all_of(contains("/opt/ros/", "dist-packages"), contains("pythonpath"))),
            possible(fact("env.PYTHONPATH", lambda value: len(value) > 1)),
            background(contains("/opt/ros/")),
        ),
        steps=(
            Step(text="Start without it:", command="unset PYTHONPATH", os=("linux", "macos")),
            Step(
                text="Start without it, in this PowerShell:",
                command="Remove-Item Env:PYTHONPATH",
                os=("windows",),
            ),
            Step(
                text=(
                    "`python -I` ignores it for one start; take it out of ~/.bashrc or the "
                    "editor's settings for good."
                )
            ),
        ),
        explains=("duplicate-torch-copies",),
        find='`python -c "import sys; print(sys.path)"`, with and without -I.',
    ),
)
