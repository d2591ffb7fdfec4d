"""torchvision, torchaudio and xFormers of another torch or another build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from torchdoctor.diagnosis.knowledge import torch_version, version_of
from torchdoctor.diagnosis.rule import Layer, Rule, Step
from torchdoctor.diagnosis.signs import Seen, all_of, likely, no, possible, says, source, sure, test

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchdoctor.diagnosis.case_file import CaseFile

__all__ = ["RULES"]

_FIRST_PAIR = 4
# Before 0.3 torchvision was Python alone, for any torch: https://github.com/pytorch/vision/releases/tag/v0.3.0
_FIRST_COMPILED = (0, 3)


def _belonging(project: str, torch: Version) -> set[tuple[int, ...]]:
    """The companion's minor versions that go with a torch; empty where none is known, or none is declared.

    torch 1.N went with torchvision 0.(N+1) and torchaudio 0.N, from 1.4 on:
    https://github.com/pytorch/vision#installation, https://github.com/pytorch/audio/releases
    """
    from wheels_index import UnknownRelease, bundled

    if torch.major == 1:
        return {(0, torch.minor + (project == "torchvision"))} if torch.minor >= _FIRST_PAIR else set()
    try:
        row = bundled().release(Version(torch.public)).companions.get(project)
    except UnknownRelease:
        return set()
    if row is None or (project == "torchaudio" and row.constraint is None):
        return set()
    return {version.release[:2] for version in row.versions}


def _pair(project: str) -> Callable[[CaseFile], Seen | None]:
    """The companion's version is one that another torch goes with."""

    def look(case: CaseFile) -> Seen | None:
        torch = torch_version(case)
        rows = case.of(f"package.{project}") or case.of(f"mention.{project}")
        companion = version_of(rows[0].value) if rows else None
        if torch is None or companion is None or "dev" in str(torch) or case.value("torch.removed"):
            return None
        if project == "torchvision" and companion.release[:2] < _FIRST_COMPILED:
            return None
        fits = _belonging(project, torch)
        if not fits or companion.release[:2] in fits:
            return None
        return Seen(evidence=tuple(source(one) for one in (*case.of("torch.version")[:1], *rows[:1])))

    return look


def _builds_differ(project: str) -> Callable[[CaseFile], Seen | None]:
    """The local versions of torch and the companion differ, both being said."""

    def look(case: CaseFile) -> Seen | None:
        torch, companion = torch_version(case), version_of(case.value(f"package.{project}"))
        if (
            torch is None
            or companion is None
            or not torch.local
            or not companion.local
            or torch.local == companion.local
            or torch.is_prerelease  # built from source: each has its own commit there
        ):
            return None
        return Seen(evidence=(source(case.of("torch.version")[0]), source(case.of(f"package.{project}")[0])))

    return look


def _cpu_vision(case: CaseFile) -> Seen | None:
    """torch is a CUDA build and torchvision is tagged cpu."""
    torch, vision = torch_version(case), version_of(case.value("package.torchvision"))
    if torch is None or vision is None or vision.local != "cpu" or not (torch.local or "").startswith("cu"):
        return None
    return Seen(evidence=(source(case.of("torch.version")[0]), source(case.of("package.torchvision")[0])))


def _xformers(case: CaseFile) -> Seen | None:
    """xFormers says for which torch it was built, and another one is there."""
    return says("was built for", matching=r"xformers[^.]{0,60} was built for|was built for:? pytorch")(case)


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
            sure(
                says(
                    "torchvision::",
                    matching=r"could not run 'torchvision::\w+' with arguments from the 'cuda' backend",
                )
            ),
            sure(test(_cpu_vision)),
            likely(all_of(says("libc10_cuda.so: cannot open"), no(says("flash", "torchaudio", "mmcv")))),
            likely(
                says(
                    "torchvision",
                    matching=(
                        r"(?:not compiled with gpu support|torchvision[^.]{0,80}(?:cpu[- ]only"
                        r"|cpu version|without cuda|\+cpu))"
                    ),
                )
            ),
        ),
        unless=(says("torchvision::nms does not exist"),),
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
            sure(
                says(
                    "operator torchvision::nms does not exist",
                    "operator torchvision::",
                    matching=r"operator torchvision::\w+ does not exist|no such operator torchvision::",
                )
            ),
            sure(says("couldn't load custom c++ ops", "could not load custom c++ ops")),
            likely(
                says(
                    "partially initialized module 'torchvision' has no attribute",
                    "module 'torchvision' has no attribute",
                )
            ),
            likely(
                says(
                    "failed to load image python extension",
                    matching=(
                        r"failed to load image python extension:?\W{0,4}.{0,200}(?:undefined "
                        r"symbol|procedure could not be found|symbol not found|找不到指定的程序"
                        r"|could not find module|cannot open shared)"
                    ),
                )
            ),
            likely(
                says(
                    "torchvision",
                    matching=(
                        r"torchvision[\\/](?:_c|image)\S{0,60}(?:: )?(?:undefined symbol|symbol "
                        r"not found)|(?:undefined symbol|procedure could not be found|entry "
                        r"point)[^\n]{0,120}torchvision"
                    ),
                )
            ),
            sure(test(_pair("torchvision"))),
            likely(test(_builds_differ("torchvision"))),
            likely(
                says(
                    "torchvision",
                    matching=(
                        r"torchvision (?P<tv>\d[\w.+]*) (?:requires|depends on|has requirement) "
                        r"(?:on )?torch ?==|requires torch==\S+, but you have torch|detected that "
                        r"pytorch and torchvision were compiled with different cuda"
                    ),
                )
            ),
            possible(says("failed to load image python extension")),
            possible(
                says(
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
            sure(
                says(
                    "_torch_sox",
                    matching=(
                        r"_torch_sox\S{0,60}:? ?(?:undefined symbol|symbol not found)|symbol not "
                        r"found[^$]{0,160}_torch_sox|_torch_sox[^\n]{0,60}symbol not found"
                    ),
                )
            ),
            sure(
                says(
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
                says(
                    "import torchaudio",
                    matching=(
                        r"import torchaudio\b[^$]{0,200}undefined symbol"
                        r"|undefined symbol[^$]{0,200}import torchaudio\b"
                    ),
                )
            ),
            sure(says("_torch_library_impl")),
            likely(says("libtorch_cuda_cpp.so: cannot open", "libtorch_cuda_cu.so: cannot open")),
            likely(
                all_of(
                    says("torchaudio"),
                    says(
                        "libtorch_hip.so: cannot open",
                        "libc10_hip.so: cannot open",
                        "libtorch_cuda.so: cannot open",
                    ),
                )
            ),
            sure(test(_pair("torchaudio"))),
            likely(test(_builds_differ("torchaudio"))),
            likely(
                says(
                    "torchaudio",
                    matching=(
                        r"torchaudio \S+ (?:requires|depends on|has requirement) (?:on )?torch "
                        r"?==|detected that pytorch and torchaudio were compiled with different "
                        r"cuda|module 'torchaudio' has no attribute"
                    ),
                )
            ),
            likely(
                says(
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
            sure(
                says(
                    "can't load c++/cuda extensions",
                    "xformers was built for",
                    "cannot load c++/cuda extensions",
                )
            ),
            sure(test(_xformers)),
            likely(
                says(
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
            says(
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
