"""torchaudio and xFormers of another torch or another build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.diagnose.matchers import Match, all_of, certain, contains, likely, possible, predicate
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.pairs import builds_differ, of_another_torch

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["RULES"]


def _xformers(case: Evidence) -> Match | None:
    """xFormers says for which torch it was built, and another one is there."""
    return contains("was built for", matching=r"xformers[^.]{0,60} was built for|was built for:? pytorch")(
        case
    )


RULES = (
    Rule(
        id="torchaudio-mismatch",
        layer=Layer.COMPANIONS,
        severity="error",
        title="torchaudio belongs to another torch",
        explanation=(
            "torchaudio has torch's own version number and must match it, up to 2.10. 2.11, the "
            "last one, declares no torch, so pip puts it beside any; it works from torch 2.11 "
            "on."
        ),
        details=("torch {torch} goes with torchaudio {torchaudio_for}.",),
        signs=(
            certain(
                contains(
                    "_torch_sox",
                    matching=(
                        r"_torch_sox\S{0,60}:? ?(?:undefined symbol|symbol not found)|symbol not "
                        r"found[^$]{0,160}_torch_sox|_torch_sox[^\n]{0,60}symbol not found"
                    ),
                )
            ),
            certain(
                contains(
                    "torchaudio",
                    matching=(
                        r"(?:lib)?_?torchaudio\S{0,60}(?:: )?(?:undefined symbol|symbol not "
                        r"found)|torchaudio[\\/]lib[\\/][^\n]{0,120}(?:undefined symbol|cannot "
                        r"open shared object|symbol not found|procedure could not|winerror 127"
                        r"|could not (?:find|load))|(?:undefined symbol|cannot open shared object"
                        r"|could not load this library|symbol not found|winerror 127)[^\n]{0,"
                        r"200}torchaudio"
                    ),
                )
            ),
            possible(
                contains(
                    "import torchaudio",
                    matching=(
                        r"import torchaudio\b[^$]{0,200}undefined symbol"
                        r"|undefined symbol[^$]{0,200}import torchaudio\b"
                    ),
                )
            ),
            certain(contains("_torch_library_impl")),
            likely(contains("libtorch_cuda_cpp.so: cannot open", "libtorch_cuda_cu.so: cannot open")),
            likely(
                all_of(
                    contains("torchaudio"),
                    contains(
                        "libtorch_hip.so: cannot open",
                        "libc10_hip.so: cannot open",
                        "libtorch_cuda.so: cannot open",
                    ),
                )
            ),
            certain(predicate(of_another_torch("torchaudio"))),
            likely(predicate(builds_differ("torchaudio"))),
            likely(
                contains(
                    "torchaudio",
                    matching=(
                        r"torchaudio \S+ (?:requires|depends on|has requirement) (?:on )?torch "
                        r"?==|detected that pytorch and torchaudio were compiled with different "
                        r"cuda|module 'torchaudio' has no attribute"
                    ),
                )
            ),
            likely(
                contains(
                    "libtorchaudio",
                    matching=(
                        r"libtorchaudio\S*[^\n]{0,80}(?:could not load|undefined|cannot|error)"
                        r"|could not load this library:[^\n]{0,120}libtorchaudio"
                    ),
                )
            ),
        ),
        steps=(
            Step(
                text="Install the torchaudio that goes with this torch, from the same index:",
                command="{pip_reinstall} --no-deps torchaudio=={torchaudio_for} --index-url {index_url}",
                otherwise=Step(
                    text=(
                        "Install the torchaudio that goes with this torch, from the index that "
                        "torch came from:"
                    ),
                    command="{pip_reinstall} --no-deps torchaudio=={torchaudio_for}",
                    otherwise=Step(
                        text="Let torchdoctor put the torchaudio of this torch in:",
                        command="torchdoctor install --with torchaudio",
                    ),
                ),
            ),
        ),
        explains=("cxx11-abi-mismatch", "nvidia-wheels-missing"),
        find=(
            "`python -m pip list | grep torch`: torch and torchaudio must have one number, and "
            "one part after +."
        ),
    ),
    Rule(
        id="xformers-mismatch",
        layer=Layer.COMPANIONS,
        severity="warning",
        title="xFormers was built for another torch",
        explanation=(
            "An xFormers wheel is for one torch. pip with --no-deps, or a later change of torch, "
            "breaks the pair; its kernels are then turned off."
        ),
        signs=(
            certain(
                contains(
                    "can't load c++/cuda extensions",
                    "xformers was built for",
                    "cannot load c++/cuda extensions",
                )
            ),
            certain(predicate(_xformers)),
            likely(
                contains(
                    "xformers",
                    matching=(
                        r"xformers \S+ (?:requires|depends on|has requirement) (?:on )?torch ?=="
                        r"|xformers[^\n]{0,80}(?:undefined symbol|incompatible|not compatible"
                        r"|winerror 127)|no operator found for `?memory_efficient_attention"
                    ),
                )
            ),
        ),
        unless=(
            contains(
                "(you have", matching=r"built for:? ?pytorch (?P<a>\d\S*) with cuda \d+ \(you have \S*\+cpu\)"
            ),
        ),
        steps=(
            Step(
                text="Install torch and its xFormers in one command, from one index:",
                command="{pip_install} -U xformers torch=={torch} --index-url {index_url}",
                otherwise=Step(
                    text=(
                        "Install torch and its xFormers in one command, from the index that torch came from:"
                    ),
                    command="python -m pip install -U xformers torch",
                ),
            ),
        ),
        os=("linux", "windows"),
        find="`python -m xformers.info` names the torch that it was built for.",
    ),
)
