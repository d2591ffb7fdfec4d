"""Symptoms that several failures share, so that each rule names them the same way."""

from __future__ import annotations

from torchdoctor.diagnose.matchers import all_of, any_of, contains, fact, no

__all__ = [
    "ANY_NONE",
    "ASKS",
    "CPU_TAG",
    "CUDA_INDEX",
    "CUDA_UNAVAILABLE",
    "CUDA_UNKNOWN_ERROR",
    "CUDA_WORKS",
    "EXTENSIONS",
    "FLASH",
    "FROM_NONE",
    "GPU_UNUSED",
    "IN_CONTAINER",
    "IN_WSL",
    "NOT_COMPILED",
    "NOT_OF_TORCH",
    "NOT_SUPPORTED",
    "NO_CUDA_DEVICE",
    "NO_DRIVER",
    "NO_KERNEL_IMAGE",
    "NO_MATCHING",
    "NO_MODULE_TORCH",
    "NO_SPACE",
    "NVML_UNKNOWN",
    "ON_AMD",
    "ON_LINUX",
    "ON_MACOS",
    "ON_NVIDIA",
    "ON_ROCM",
    "ON_WINDOWS",
    "SMI_ANSWERS",
    "SMI_FAILED",
    "SMI_WORKS",
    "UNDEFINED",
    "UV_NONE",
]

SMI_FAILED = contains(
    "couldn't communicate with the nvidia driver",
    "couldnt communicate with the nvidia driver",
    "nvidia-smi has failed",
)
SMI_WORKS = any_of(
    fact("nvidia.cuda"),
    contains(
        "nvidia-smi",
        matching=(
            r"nvidia-smi\W{0,3}(?:output )?(?:command )?(?:works|shows|is fine|prints|sees|lists"
            r"|on the host works|works on the host|looks fine|ok\b)"
        ),
    ),
)
# A post tells that the command answers.
SMI_ANSWERS = contains(
    "nvidia-smi",
    matching=(
        r"nvidia-smi[^.\n]{0,50}\b(?:works?|shows?|sees?|lists?|finds?|fine|ok|okay|normal(?:ly)?|correct(?:ly)?"
        r"|detects?|displays?|prints?|returns?)\b|nvidia-smi[^。\n]{0,12}(?:正常|能|可以|显示|看到|没问题)"
    ),
)
NO_DRIVER = contains("found no nvidia driver", "no nvidia driver on your system")
NO_CUDA_DEVICE = contains("no cuda-capable device is detected", "cuda_error_no_device", "cudaerrornodevice")
CUDA_UNKNOWN_ERROR = contains(
    "cuda unknown error",
    "error (999)",
    "error 999",
    "cudaerrorunknown",
    "cuda_error_unknown",
    "cuda error: unknown error",
    "cuinit(0) returned 999",
    "cuda error 999",
    "cuinit failed with error 999",
    "unknown error (999)",
    "failure: 999",
    "err: 999",
    "error=999",
    "failed with error #30",
    "cudagetdevicecount returned 30",
)
NVML_UNKNOWN = contains(
    "failed to initialize nvml: unknown error",
    "nvmlerror_unknown",
    "nvml: unknown error",
    "nvml error: unknown error",
)
NO_KERNEL_IMAGE = contains(
    "no kernel image", "cudaerrornokernelimagefordevice", "cuda_error_no_binary_for_gpu", "arch_mismatch"
)
NO_MATCHING = contains(
    "no matching distribution found for torch",
    "could not find a version that satisfies the requirement torch",
    "no matching distribution found for pytorch",
    "no matching distribution found",
)
NO_MODULE_TORCH = contains(
    "no module named 'torch'",
    "no module named torch",
    'no module named "torch"',
    "modulenotfounderror: no module named 'torch",
)
NO_SPACE = contains(
    "no space left on device",
    "errno 28",
    "disk quota exceeded",
    "errno 122",
    "not enough space on the disk",
    "winerror 112",
    "设备上没有空间",
    "磁盘空间不足",
)
UNDEFINED = contains(
    "undefined symbol",
    "symbol not found",
    "symbol lookup error",
    "procedure could not be found",
    "with link time reference",
    "not defined in file",
    "找不到指定的程序",
)
CUDA_UNAVAILABLE = any_of(
    fact("cuda.available", "false"),
    contains("torch not compiled with cuda"),
    contains("is_available", matching=r"is_available\W{0,20}false"),
    contains("no cuda runtime is found"),
    contains("not able to access cuda", "not able to use gpu", "not able to use the gpu"),
    all_of(
        contains("cuda.is_available"),
        contains(
            "false",
            matching=(
                r"\b(?:prints?|printed|returns?|gives?|gave|shows?|says|outputs?|get|got)"
                r"(?: out| me| back)? \W?false\b"
            ),
        ),
    ),
)

# Posts about other programs, where torch is not named.
NOT_OF_TORCH = all_of(
    contains(
        "tensorflow", "keras", "paddle", "jax", "ollama", "blender", "taichi", "onnxruntime", "opencv", "directx",
        "lm studio", "llama.cpp", "premiere", "ffmpeg", "mxnet", "caffe", "minecraft", "davinci",
    ),
    no(contains("torch")),
)  # fmt: skip
# In a post's own words; alone it does not say why.
GPU_UNUSED = any_of(fact("told.gpu_unused"), CUDA_UNAVAILABLE)
ASKS = any_of(fact("told.asks"), contains("?", "\uff1f"))

# Where a paste has two answers, the one that says no counts.
# A program that says these computes on the GPU: whatever fails is its own.
COMPUTES = any_of(
    contains(
        "at least two devices",
        "device-side assert",
        matching=r"at least two devices[^.]{0,20}cuda|device-side assert triggered",
    ),
    all_of(contains("cuda:0 (", matching=r"cuda:0 \([^)\n]{3,60}\d ?mi?b\)"), no(contains("+cpu"))),
)
CUDA_WORKS = all_of(any_of(fact("cuda.available", "true"), COMPUTES), no(fact("cuda.available", "false")))
IN_CONTAINER = fact("container")
IN_WSL = fact("wsl")
ON_LINUX = any_of(fact("os.system", "linux"), IN_WSL)
ON_WINDOWS = all_of(fact("os.system", "windows"), no(IN_WSL))
ON_MACOS = fact("os.system", "macos")
ON_NVIDIA = any_of(fact("nvidia.gpu"), fact("nvidia.driver"), fact("gpu.vendor", "nvidia"))
ON_AMD = any_of(fact("amd.gpu"), fact("amd.gfx"), fact("gpu.vendor", "amd"))

NOT_COMPILED = contains(
    "torch not compiled with cuda enabled", "not compiled with cuda", "torch not linked with cuda"
)
CPU_TAG = contains("+cpu", matching=r"\btorch\S{0,12}\d\.\d+\.\d+\S{0,10}\+cpu|\+cpu\b")
FLASH = contains("flash_attn", "flash-attn", "flashattention", "flash attention", "flash-attention")
FROM_NONE = contains("(from versions: none)", "from versions: none", "from versions: )", "from versions:)")
NOT_SUPPORTED = contains("is not a supported wheel on this platform")
UV_NONE = contains(
    "no wheels with a matching",
    "no solution found",
    "doesn't have a wheel for the current platform",
    "does not have a wheel for the current platform",
    "doesn't have a source distribution or wheel",
)
ANY_NONE = any_of(
    NO_MATCHING,
    UV_NONE,
    NOT_SUPPORTED,
    contains("unable to find installation candidates", "packagesnotfounderror", "unsatisfiableerror"),
)
CUDA_INDEX = fact("index", r"https?://[^ ]*/whl/(?:nightly/|test/)?(?:cu\d+|rocm[\d.]+|xpu)/?.*")
EXTENSIONS = contains(
    "gsplat",
    "apex",
    "flash",
    "xformers",
    "bitsandbytes",
    "mmcv",
    "detectron2",
    "pytorch3d",
    "exllama",
    "auto_gptq",
    "autogptq",
    "deepspeed",
    "causal_conv1d",
    "causal-conv1d",
    "mamba",
    "diff_gaussian",
    "diff-gaussian",
    "nvdiffrast",
    "tiny-cuda-nn",
    "tinycudann",
    "torch_scatter",
    "torch-scatter",
    "torch_cluster",
    "spconv",
    "custom op",
    "extension",
    "vllm",
    "llama_cpp",
    "llama-cpp",
    "ggml",
    "cupy",
    "dcnv2",
    "sageattention",
    "awq",
    "onnxruntime",
    "ctranslate2",
    "simple_knn",
    "gaussian",
    "rasteriz",
    "minkowski",
    "pointnet",
    "torch_sparse",
    "natten",
    "triton",
    "kaolin",
    "selective_scan",
)
ON_ROCM = any_of(
    # collect_env's line "ROCM used to build PyTorch: N/A" is in every report.
    contains(
        "hip error",
        "rocm",
        "hsa_",
        "rocblas",
        "amdgpu",
        "radeon",
        "hiperror",
        matching=r"hip error|rocm(?! used to build pytorch\s*:\s*n/a)|hsa_|rocblas|amdgpu|radeon|hiperror",
    ),
    fact("amd.gfx"),
    fact("torch.hip", r"\d.*"),
    fact("torch.build", "rocm.*"),
)
