"""torchvision that does not go with torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.diagnose.derived import torch_version, version_of
from torchdoctor.diagnose.matchers import (
    Match,
    all_of,
    certain,
    contains,
    likely,
    no,
    possible,
    predicate,
    source,
)
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.pairs import builds_differ, of_another_torch

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["RULES"]


def _cpu_vision(case: Evidence) -> Match | None:
    """torch is a CUDA build and torchvision is tagged cpu."""
    torch, vision = torch_version(case), version_of(case.first("package.torchvision"))
    if torch is None or vision is None or vision.local != "cpu" or not (torch.local or "").startswith("cu"):
        return None
    return Match(
        evidence=(
            source(case.observations("torch.version")[0]),
            source(case.observations("package.torchvision")[0]),
        )
    )


RULES = (
    Rule(
        id="torchvision-cpu-with-cuda-torch",
        layer=Layer.COMPANIONS,
        severity="error",
        title="A CPU torchvision beside a CUDA torch",
        explanation=(
            "torchvision came from PyPI or another index than torch. Its C++ part has no CUDA "
            "code, and its metadata does not say so."
        ),
        signs=(
            certain(
                contains(
                    "torchvision::",
                    matching=r"could not run 'torchvision::\w+' with arguments from the 'cuda' backend",
                )
            ),
            certain(predicate(_cpu_vision)),
            likely(
                all_of(contains("libc10_cuda.so: cannot open"), no(contains("flash", "torchaudio", "mmcv")))
            ),
            likely(
                contains(
                    "torchvision",
                    matching=(
                        r"not compiled with gpu support"
                        r"|torchvision(?:(?! and |, |`)[^.]){0,60}(?:cpu[- ]only|cpu version|without cuda|\+cpu)"
                    ),
                )
            ),
        ),
        unless=(contains("torchvision::nms does not exist"),),
        steps=(
            Step(
                text="Install the torchvision of torch's own index:",
                command="{pip_reinstall} --no-deps torchvision=={torchvision_for} --index-url {index_url}",
                otherwise=Step(
                    text="Let torchdoctor put the torchvision of this torch in:",
                    command="torchdoctor install --with torchvision",
                ),
            ),
        ),
        explains=("torchvision-mismatch",),
        os=("linux", "windows"),
        find="`python -m pip list | grep torch`: the parts after + must be the same.",
    ),
    Rule(
        id="torchvision-mismatch",
        layer=Layer.COMPANIONS,
        severity="error",
        title="torchvision belongs to another torch",
        explanation=(
            "torchvision's C++ library is made for one torch minor version: torch 2.N goes with "
            "torchvision 0.(N+15). From 0.29.1 on it needs torch 2.14 or newer."
        ),
        details=("torch {torch} goes with torchvision {torchvision_for}.",),
        signs=(
            certain(
                contains(
                    "operator torchvision::nms does not exist",
                    "operator torchvision::",
                    matching=r"operator torchvision::\w+ does not exist|no such operator torchvision::",
                )
            ),
            certain(contains("couldn't load custom c++ ops", "could not load custom c++ ops")),
            likely(
                contains(
                    "partially initialized module 'torchvision' has no attribute",
                    "module 'torchvision' has no attribute",
                )
            ),
            likely(
                contains(
                    "failed to load image python extension",
                    matching=(
                        r"failed to load image python extension:?\W{0,4}.{0,200}(?:undefined "
                        r"symbol|procedure could not be found|symbol not found|找不到指定的程序"
                        r"|could not find module|cannot open shared)"
                    ),
                )
            ),
            likely(
                contains(
                    "torchvision",
                    matching=(
                        r"torchvision[\\/](?:_c|image)\S{0,60}(?:: )?(?:undefined symbol|symbol "
                        r"not found)|(?:undefined symbol|procedure could not be found|entry "
                        r"point)[^\n]{0,120}torchvision"
                    ),
                )
            ),
            certain(predicate(of_another_torch("torchvision"))),
            likely(predicate(builds_differ("torchvision"))),
            likely(
                contains(
                    "torchvision",
                    matching=(
                        r"torchvision (?P<tv>\d[\w.+]*) (?:requires|depends on|has requirement) "
                        r"(?:on )?torch ?==|requires torch==\S+, but you have torch|detected that "
                        r"pytorch and torchvision were compiled with different cuda"
                    ),
                )
            ),
            possible(contains("failed to load image python extension")),
            possible(
                contains(
                    "torchvision.ops",
                    "torchvision.extension",
                    matching=r"_has_ops|extension\._assert_has_ops|no such operator torchvision",
                )
            ),
        ),
        steps=(
            Step(
                text="Install the torchvision that goes with this torch, from the same index:",
                command="{pip_reinstall} --no-deps torchvision=={torchvision_for} --index-url {index_url}",
                otherwise=Step(
                    text=(
                        "Install the torchvision that goes with this torch, from the index that "
                        "torch came from:"
                    ),
                    command="{pip_reinstall} --no-deps torchvision=={torchvision_for}",
                    otherwise=Step(
                        text="Let torchdoctor put the torchvision of this torch in:",
                        command="torchdoctor install --with torchvision",
                    ),
                ),
            ),
        ),
        explains=("cxx11-abi-mismatch",),
        find=(
            "`python -m pip list | grep torch`: compare the pair with the release's table, and "
            "the parts after +."
        ),
    ),
)
