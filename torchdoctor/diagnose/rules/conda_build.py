"""The build that conda's solver chose."""

from __future__ import annotations

from torchdoctor.diagnose.matchers import all_of, any_of, certain, contains, fact, likely, no, possible
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.symptoms import CUDA_WORKS, NOT_COMPILED

__all__ = ["RULES"]


RULES = (
    Rule(
        id="conda-solver-chose-cpu",
        layer=Layer.WHEEL,
        severity="error",
        title="conda chose a CPU build",
        explanation=(
            "A mutex package (cpuonly), no driver seen while solving (the virtual package "
            "__cuda), or a channel without a CUDA build for this Python: then the solver takes "
            "what is left, a CPU build."
        ),
        signs=(
            certain(fact("conda.torch", r".*cpu.*")),
            certain(fact("package.cpuonly")),
            likely(
                contains(
                    "cpuonly",
                    "_cpu_0",
                    "cpu_generic",
                    "cpu_mkl",
                    "cpu_openblas",
                    "py3.",
                    matching=r"cpuonly|py\d\.?\d+_cpu_\d|cpu_(?:generic|mkl|openblas)",
                )
            ),
            likely(
                all_of(
                    contains(
                        "conda install",
                        "conda create",
                        "mamba install",
                        "conda env",
                        "conda",
                        matching=r"\b(?:conda|mamba)\b",
                    ),
                    any_of(
                        NOT_COMPILED,
                        contains(
                            "cpu version", "cpu build", "cpu-only", "cpu only", "cpuonly", "cpu版", "cpu 版"
                        ),
                    ),
                    no(contains("pip install")),
                )
            ),
            possible(contains("__cuda", matching=r"__cuda")),
        ),
        unless=(CUDA_WORKS,),
        steps=(
            Step(text="Take the CPU mutex out:", command="conda remove cpuonly pytorch-mutex"),
            Step(
                text="Ask for a CUDA build by name, also on a node without a GPU (give your driver's CUDA):",
                command="CONDA_OVERRIDE_CUDA=12.6 conda install -c conda-forge 'pytorch=*=*cuda*'",
                os=("linux",),
            ),
            Step(text="Or use pip's wheels in the conda environment:", command="{right_install}"),
        ),
        explains=("cpu-only-wheel", "conda-pip-mix"),
        os=("linux", "windows"),
        find=(
            "`conda list pytorch` shows cpu in the build; `conda info` must list __cuda among "
            "the virtual packages."
        ),
    ),
)
