"""NumPy and the libraries of CUDA and MKL that torch stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from torchdoctor.diagnose.derived import torch_version, version_of
from torchdoctor.diagnose.matchers import (
    Match,
    all_of,
    any_of,
    background,
    certain,
    contains,
    fact,
    likely,
    no,
    possible,
    predicate,
    source,
)
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.symptoms import FLASH, UNDEFINED

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["RULES"]


def _numpy(case: Evidence) -> Match | None:
    """NumPy 2 beside a torch that was built for NumPy 1."""
    torch, numpy = torch_version(case), version_of(case.first("package.numpy"))
    if torch is None or numpy is None or numpy < Version("2") or torch >= Version("2.3"):
        return None
    return Match(
        evidence=(
            source(case.observations("package.numpy")[0]),
            source(case.observations("torch.version")[0]),
        )
    )


RULES = (
    Rule(
        id="numpy2-abi",
        layer=Layer.COMPANIONS,
        severity="error",
        title="NumPy 2 beside a torch that was built for NumPy 1",
        explanation=(
            "torch before 2.3 (on Windows before 2.4.1) was compiled against NumPy 1 and cannot "
            "use NumPy 2; tensors then convert to no array."
        ),
        signs=(
            certain(
                contains(
                    "compiled using numpy 1.x cannot be run in", "_array_api not found", "using numpy 1.x"
                )
            ),
            likely(contains("numpy is not available")),
            possible(
                all_of(
                    contains("torch"),
                    contains(
                        "numpy",
                        matching=(
                            r"numpy ?(?:v|version )?(?:>=|==|is )? ?2(?:\.\d)?(?:\.x)?\b[^.\n]{0,30}"
                            r"\b(?:not compatible|incompatible|not supported|breaks?|unsupported)"
                        ),
                    ),
                )
            ),
            likely(predicate(_numpy)),
            likely(
                contains(
                    "numpy.core.multiarray failed to import",
                    "numpy.dtype size changed",
                    matching=r"multiarray failed to import|numpy\.dtype size changed",
                )
            ),
        ),
        steps=(
            Step(text="Keep NumPy 1 in this environment:", command="{pip_install} 'numpy<2'"),
            Step(
                text="Or move to a torch that was built for NumPy 2 (2.4.1 or newer):",
                command="{any_install}",
            ),
        ),
        find='`python -c "import torch; torch.zeros(1).numpy()"`.',
    ),
    Rule(
        id="nccl-mismatch",
        layer=Layer.COMPANIONS,
        severity="error",
        title="A second NCCL is loaded in place of torch's",
        explanation=(
            "torch asks for a function that the NCCL found first does not have: one of the "
            "system, of another framework, or of the other nvidia-nccl-cuXX package, which "
            "writes the same folder."
        ),
        signs=(
            certain(
                contains(
                    "nccl",
                    matching=(
                        r"undefined symbol:? nccl\w+|libnccl\S*[^\n]{0,80}(?:undefined symbol"
                        r"|version `?nccl)"
                    ),
                )
            ),
            likely(
                contains(
                    "nccl",
                    matching=(
                        r"nvidia-nccl-cu1\d[^.]{0,160}nvidia-nccl-cu1\d|(?:two|both|different"
                        r"|multiple|another|second|system(?! error)|wrong|older|mismatch\w*"
                        r"|conflict\w*)[^.]{0,60}(?:nccl\b|libnccl)|nccl version mismatch"
                    ),
                )
            ),
        ),
        steps=(
            Step(
                text="See which NCCL packages are there, and which one torch requires:",
                command="python -m pip list | grep -i nccl; python -m pip show torch",
            ),
            Step(
                text=(
                    "Remove the other one, then put torch's own back (the name ends in your "
                    "torch's CUDA major):"
                ),
                command=(
                    "python -m pip uninstall -y nvidia-nccl-cu11 nvidia-nccl-cu12 "
                    "nvidia-nccl-cu13 && {pip_reinstall} torch=={torch} --index-url {index_url}"
                ),
                otherwise=Step(
                    text=(
                        "Remove the one that torch does not require, and reinstall torch with "
                        "its dependencies, for both packages write the same folder."
                    )
                ),
            ),
            Step(
                text="Start without a foreign NCCL on the path:",
                command="unset LD_LIBRARY_PATH LD_PRELOAD",
                os=("linux",),
            ),
        ),
        explains=("ld-library-path-pollution", "nvidia-wheels-mixed"),
        os=("linux",),
        find="`LD_DEBUG=libs python -c 'import torch' 2>&1 | grep nccl` shows the file that is loaded.",
    ),
    Rule(
        id="nvidia-wheels-missing",
        layer=Layer.COMPANIONS,
        severity="error",
        title="CUDA libraries that torch needs are not installed",
        explanation=(
            "torch's CUDA wheel keeps its libraries in nvidia-* packages. They were left out: "
            "--no-deps, a lock file made for another platform, or a build system that puts "
            "packages into separate folders."
        ),
        signs=(
            likely(
                all_of(
                    contains(
                        "cannot open shared object file",
                        "cannot open shared object",
                        matching=(
                            r"lib(?:cudart|cublas|cublaslt|cudnn|cufft|curand|cusolver|cusparse"
                            r"|cusparselt|nccl|nvrtc|cupti|nvtoolsext|nvjitlink|cufile"
                            r"|nvshmem_host)\S{0,12}: cannot open shared object"
                        ),
                    ),
                    no(FLASH),
                    no(contains("libcudnn_ops_infer", "libcudnn_cnn")),
                )
            ),
            possible(
                contains(
                    "not found",
                    matching=(
                        r"lib(?:cudart|cublas|cublaslt|cudnn|cufft|curand|cusolver|cusparse|cusparselt|nccl|nvrtc"
                        r"|nvjitlink)\.so\.\d{1,2}\b[^.\n]{0,4}(?: (?:/|and|or) \S{1,30} )?"
                        r"(?: (?:is|are|was|were))? ?not found"
                    ),
                )
            ),
            certain(
                contains(
                    "not found in the system path",
                    matching=r"lib\w+\.so\.\*\[0-9\][^\n]{0,20} not found in the system path",
                )
            ),
            likely(
                contains(
                    "nvidia-",
                    matching=(
                        r"(?:no|without|missing|not install\w*|skipp\w*|lack\w*)[^.]{0,"
                        r"60}nvidia-(?:cublas|cuda|cudnn|\*|cu1\d|nccl)\S*"
                    ),
                )
            ),
            possible(
                contains(
                    "error loading",
                    "could not load library",
                    matching=r"(?:dll|library)[^\n]{0,60}(?:cublas|cudart|cusparse|cusolver)64_",
                )
            ),
        ),
        unless=(
            fact("arch", "aarch64"),
            contains(
                "libcudart.so.11.0: cannot open",
                matching=(
                    r"(?:mmcv|detectron2|bitsandbytes|apex|torch_scatter|torch_sparse)[^\n]{0,"
                    r"300}libcudart|libcudart[^\n]{0,300}(?:mmcv/|bitsandbytes/|apex/)"
                ),
            ),
        ),
        steps=(
            Step(
                text="Install torch again with its dependencies, from one index:",
                command="{pip_reinstall} torch=={torch} --index-url {index_url}",
                otherwise=Step(
                    text="Install torch again with its dependencies, from one index, and without --no-deps:",
                    command="{right_install}",
                    otherwise=Step(
                        text="Install torch again with its dependencies:", command="{pip_reinstall} torch"
                    ),
                ),
            ),
            Step(
                text=(
                    "A lock file must be made for Linux, or for all platforms, to hold the nvidia-* packages."
                ),
                installer=("poetry", "uv"),
            ),
        ),
        explains=("cudnn-load-failure", "duplicate-torch-copies"),
        os=("linux",),
        find="`python -m pip check`, and `python -m pip list | grep nvidia`.",
    ),
    Rule(
        id="nvidia-wheels-mixed",
        layer=Layer.COMPANIONS,
        severity="error",
        title="nvidia-* packages are not the versions that torch pins",
        explanation=(
            "torch names exact versions of its CUDA libraries. Another package (tensorflow, cupy,"
            " vllm, onnxruntime) moved one of them, and the libraries no longer fit each other."
        ),
        signs=(
            certain(
                contains(
                    "requires nvidia-",
                    "has requirement nvidia-",
                    matching=(
                        r"torch \S+ (?:requires|has requirement) nvidia-\S+[^\n]{0,60}(?:but you "
                        r"have|which is incompatible|is not installed)"
                    ),
                )
            ),
            likely(
                contains(
                    "nvidia-",
                    matching=(
                        r"nvidia-[a-z-]+-cu1\d[^.\n]{0,60}(?:upgrad|downgrad|wrong version"
                        r"|version mismatch|incompatible|conflict|but you have)"
                    ),
                )
            ),
            possible(
                contains(
                    "undefined symbol",
                    matching=(
                        r"site-packages/(?:torch/lib/\.\./\.\./)?nvidia/\S+: (?:undefined symbol"
                        r"|symbol)|undefined symbol:? (?:__nvjitlink\w+|cublaslt\w*|cudnn\w+"
                        r"|cusparse\w+)"
                    ),
                )
            ),
            background(contains("tensorflow[and-cuda]", "cupy", "tensorflow")),
        ),
        steps=(
            Step(text="See what does not fit:", command="python -m pip check"),
            Step(
                text="Put back the versions that torch names:",
                command="{pip_reinstall} torch=={torch} --index-url {index_url}",
                otherwise=Step(
                    text="Put back the versions that torch names, from the index it came from:",
                    command="{pip_reinstall} torch",
                ),
            ),
            Step(text="Keep frameworks that pin other CUDA libraries in an environment of their own."),
        ),
        os=("linux",),
        find="`python -m pip check` lists nvidia-* packages; LD_LIBRARY_PATH must be empty for the test.",
    ),
    Rule(
        id="mkl-2024-1",
        layer=Layer.COMPANIONS,
        severity="error",
        title="conda's MKL 2024.1 beside a torch up to 2.2",
        explanation=(
            "MKL 2024.1 no longer has a symbol (iJIT_NotifyEvent) that conda's builds of torch "
            "up to 2.2 ask for."
        ),
        signs=(
            certain(contains("ijit_notifyevent", "ijit_isprofilingactive", "ijit_getnewmethodid", "ijit_")),
            likely(
                all_of(
                    any_of(fact("package.mkl", r"2024\.[1-9].*|202[5-9].*")),
                    fact("torch.version", r"(?:1\.\d+|2\.[0-2])\..*"),
                    UNDEFINED,
                )
            ),
        ),
        steps=(Step(text="Go back to the MKL before it:", command="conda install 'mkl<2024.1'"),),
        explains=("cxx11-abi-mismatch", "conda-pip-mix", "ld-library-path-pollution"),
        os=("linux",),
        find="`conda list mkl`.",
    ),
)
