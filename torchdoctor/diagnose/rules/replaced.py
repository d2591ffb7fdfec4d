"""torch that another installation replaced."""

from __future__ import annotations

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
    predicate,
    source,
)
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.symptoms import CUDA_UNAVAILABLE, NOT_COMPILED
from torchdoctor.diagnose.rules.wheel import MORE_TO_GO_BY

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["RULES"]


TORCH_GONE = any_of(
    fact("torch.removed"),
    contains(
        "replac",
        "overwr",
        "downgrad",
        "uninstall",
        "pulled in",
        "pulls in",
        "reinstall",
        "upgraded torch",
        matching=(
            r"(?:replac|overwr|downgrad|uninstall|upgrad|pull)\w*[^.]{0,60}\b(?:torch|pytorch)\b"
            r"|\b(?:torch|pytorch)\b[^.]{0,40}(?:was|got|is|gets|being) (?:replaced|overwritten"
            r"|downgraded|uninstalled|reinstalled|upgraded)"
        ),
    ),
)


def _replaced(case: Evidence) -> Match | None:
    """A log in which torch is taken out and another build of it put in."""
    removed, came = case.observations("torch.removed"), case.observations("torch.installed")
    if not removed:
        return None
    rows = [row for row in came if row.value != removed[0].value]
    if not rows and came:
        return None
    return Match(evidence=tuple(source(row) for row in (removed[0], *rows[:1])))


RULES = (
    Rule(
        id="torch-replaced-by-other-package",
        layer=Layer.WHEEL,
        severity="error",
        title="Another package's installation replaced torch",
        explanation=(
            "A requirement on torch was resolved from PyPI, which does not know the local "
            "version (+cuXXX): pip took out the build that worked and put the default one in."
        ),
        details=("The requirement came with {culprit}.",),
        signs=(
            likely(predicate(_replaced)),
            likely(
                all_of(
                    contains("install", matching=r"install\w*"),
                    TORCH_GONE,
                    any_of(
                        NOT_COMPILED,
                        CUDA_UNAVAILABLE,
                        contains(
                            "+cpu",
                            "cpu version",
                            "cpu-only",
                            "cpu only",
                            "different version",
                            "another version",
                            "wrong version",
                            "no longer",
                            "requirements",
                        ),
                    ),
                )
            ),
            likely(
                contains(
                    "after installing",
                    "after i install",
                    "after pip install",
                    "once i install",
                    "when installing",
                    "installing",
                    "when i install",
                    "after adding",
                    "broke my",
                    matching=(
                        r"(?:after|once|when) (?:i )?(?:pip )?(?:install|add)\w*[^\n]{0,120}(?:downgrad|replac"
                        r"|overwr|forc|uninstall|remov)\w*[^.]{0,40}\btorch\b"
                        r"|(?:after|once|when) (?:i )?(?:pip )?install\w*[^.]{0,80}(?:torch"
                        r"|cuda)[^.]{0,60}(?:cpu|replac|false|gone|overw|downgrad|chang|uninstall"
                        r"|no longer)|\binstalling \S+ (?:will |also )?(?:changes?|replaces?|uninstalls?"
                        r"|removes?|downgrades?|overwrites?)\b[^.]{0,80}torch\b"
                    ),
                )
            ),
            likely(all_of(fact("told.build_changed"), no(contains("cpuonly")))),
            likely(all_of(fact("told.after_update"), NOT_COMPILED)),
            # An update of the program; one of the driver or the system is another matter.
            hint(
                all_of(
                    fact("told.after_update"),
                    fact("told.gpu_unused"),
                    no(contains("driver", "kernel", "windows update", "驱动", "内核", "系统更新")),
                    no(MORE_TO_GO_BY),
                )
            ),
            background(contains("attempting uninstall: torch")),
        ),
        unless=(contains("error: no matching distribution found for torch"), contains("winerror 5")),
        steps=(
            Step(
                text="Put the planned build back:",
                command="{right_install}",
                otherwise=Step(text="Put the build for this machine back:", command="torchdoctor install"),
            ),
            Step(
                text=(
                    "Hold torch while you install other packages: write what is installed into a "
                    "file, and name it each time."
                ),
                command=(
                    "python -m pip freeze | grep -E '^(torch|torchvision|torchaudio)==' > "
                    "constraints.txt && python -m pip install -c constraints.txt PACKAGE"
                ),
                os=("linux", "macos"),
            ),
            Step(
                text=(
                    "Hold torch while you install other packages: write its exact version into "
                    "constraints.txt and use `pip install -c constraints.txt PACKAGE`."
                ),
                os=("windows",),
            ),
        ),
        explains=(
            "cpu-only-wheel",
            "torchvision-mismatch",
            "torchaudio-mismatch",
            "xformers-mismatch",
            "flash-attn-abi-mismatch",
            "torchvision-cpu-with-cuda-torch",
            "nvidia-wheels-mixed",
            "gpu-arch-too-new",
        ),
        os=("linux", "windows", "macos"),
        find=(
            "In the log: `Found existing installation: torch` and `Successfully uninstalled "
            "torch`; in the environment: torch's dist-info is newer than torchvision's."
        ),
    ),
)
