"""Every check: its name, what it shows, on which devices, how exact, why so exact, and whether it is a quick one.

They run in this order: what the others need comes first.
"""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

from ..packages.limits import IMPORT_SECONDS
from ..step import Outcome, Step
from . import (  # fmt: skip
    attention,
    autograd,
    companions,
    data_loading,
    import_and_devices,
    installed_files,
    late_libraries,
    linear_algebra,
    memory,
    mixed_precision,
    multi_device,
    networks,
    numpy_bridge,
    pairing,
    reproducibility,
    runtime_libraries,
    serialization,
    shadowing,
    tensors,
    torch_compile,
)

__all__ = ["BASE", "BEFORE", "BESIDE", "DEVICES", "IMPORT", "NO_TORCH", "VERIFY"]


def _in_own_process(_torch: object, _device: str) -> Outcome:
    raise NotImplementedError("the parent starts it")


NO_TORCH = "not run, because torch cannot be imported"

_ROUNDING = (
    "correct float32 results were measured at 1.5e-7 to 2.6e-7 whatever the size; wrong ones lie far above"
)
_SMALL = "small integers and copies have no rounding"
_LAYERS = "each layer passes its rounding on; cuDNN's TF32 (up to 1e-3) is noted and does not fail"
_SAME = "the same work in the same order on the same device"

# These need no torch, so they run before its import and explain why it fails.
BEFORE = (
    Step("files", "no file of torch, its companions and what they require is missing or truncated",
         installed_files.installed_files, "once", reason="sizes are those that RECORD lists", quick=True),
    Step("pairing", "torchvision, torchaudio and all that torch requires are of the versions that belong to it",
         pairing.pairing, "once", reason="a compiled part fits one release and one kind of build", quick=True),
)  # fmt: skip
# Everything needs these two: every run of any suite begins with them.
# 180 s: the first import without bytecode from a cold network disk takes tens of seconds and is no failure.
IMPORT = Step("import", "torch can be imported, from this environment", import_and_devices.import_torch, "once", 180.0,
              reason="it imports or it does not", quick=True)  # fmt: skip
# CUDA's first contact with a driver on a machine of many GPUs takes up to half a minute.
DEVICES = Step("devices", "torch sees the devices, and has kernels for them", import_and_devices.devices, "once", 120.0,
               reason="NVIDIA's rule of compatibility; AMD's GPUs need their own name in the list",
               quick=True)  # fmt: skip
# Where this raises on an accelerator, nothing else can run there.
BASE = Step("tensor", "arithmetic and sums are right", linear_algebra.tensor, "each",
            tolerance="2e-6", reason=_ROUNDING, quick=True)  # fmt: skip

VERIFY = (
    *BEFORE,
    IMPORT,
    DEVICES,
    Step("version", "files and metadata are one version of torch", import_and_devices.version, "once",
         reason="a version is a version", quick=True),
    Step("libraries", "which CUDA, cuDNN, NCCL and OpenMP were loaded, from which file, none of them twice",
         runtime_libraries.libraries, "once", reason="two of one library mix their states", quick=True),
    Step("late-libraries", "what torch loads when it is used (cuSOLVER, cuDNN's parts, NVRTC, CUPTI, ptxas) loads",
         late_libraries.late_libraries, "best", 180.0, reason="it loads or it does not", quick=True),
    Step("threads", "torch uses no more threads than it has cores", runtime_libraries.threads, "once",
         reason="threads that wait for each other's core were measured at 8 to 45 times slower", quick=True),
    Step("shadow", "no file in the current folder or on PYTHONPATH is taken for a module that torch needs",
         shadowing.shadow, "once", reason="Python looks there first", quick=True),
    Step("numpy", "arrays become tensors and back, on the same memory", numpy_bridge.numpy, "once",
         reason=_SMALL, quick=True),
    Step("dataset", "batches, shuffling and splits hold every sample once", data_loading.dataset, "once",
         reason=_SMALL, quick=True),
    Step("summary", "parameters and shapes of a network are as computed by hand", networks.summary, "once",
         reason="counts are whole numbers", quick=True),
    Step("torchinfo", "torchinfo, if installed, counts the same", networks.torchinfo, "once",
         reason="counts are whole numbers"),
    Step("saving-model", "a whole model loads with weights_only=False and is refused with True",
         serialization.whole_model, "once", reason="the same weights give the same output", quick=True),
    Step("safetensors", "weights come back from safetensors, if it is installed", serialization.safetensors, "once",
         reason="a file keeps every bit"),
    Step("process-group", "a gloo process group starts, sums and ends", multi_device.process_group, "once",
         reason=_SMALL),
    BASE,
    Step("creation", "tensors of every kind and dtype hold what was put in", tensors.creation,
         reason=_SMALL, quick=True),
    Step("views", "views, slices and indexing give the right elements, on the same memory", tensors.views,
         reason=_SMALL, quick=True),
    Step("matmul", "matrix products are right in every dtype that the device has", linear_algebra.matmul,
         tolerance="float64 1e-13, float32 2e-6 (TF32 1e-3), float16 2e-3, bfloat16 1e-2, int8 exact",
         reason="3 to 10 times what correct products were measured at; TF32 in use is noted and does not fail",
         quick=True),
    Step("conv", "a convolution and its gradients are right", linear_algebra.conv,
         tolerance="2e-5 (TF32 1e-3)", reason="Winograd kernels lose a digit; cuDNN uses TF32 by default",
         quick=True),
    Step("linalg", "solving, singular values and FFT are right", linear_algebra.linalg,
         tolerance="solve, svd 2e-5; fft 2e-6", reason="a well-conditioned matrix of 64 loses a digit at most",
         quick=True),
    Step("attention", "scaled_dot_product_attention agrees with its formula", attention.attention,
         tolerance="1e-5 (TF32 1e-3), float16 5e-3", reason="measured at 1.6e-7; float16 keeps 11 bits", quick=True),
    Step("copies", "bytes sent to the device and back are the same, pinned and not", memory.copies,
         reason=_SMALL, quick=True),
    Step("autograd", "the gradient of x**2 is 2x", autograd.autograd, reason=_SMALL, quick=True),
    Step("gradcheck", "gradients are the slopes of their functions", autograd.gradcheck,
         tolerance="1e-5 + 1e-3 of the value", reason="differences with a step of 1e-6 in float64 are no better"),
    Step("training", "a step of training lowers the loss", autograd.training,
         tolerance="the loss falls", reason="the step is so small that it has to", quick=True),
    Step("mlp", "784 -> 128 -> 10 gives the right output and gradients", networks.mlp,
         tolerance="2e-5 (TF32 1e-3)", reason=_LAYERS, quick=True),
    Step("cnn", "two convolutions, pools and two layers give the right output and gradients", networks.cnn,
         tolerance="2e-5 (TF32 1e-3)", reason=_LAYERS, quick=True),
    Step("seeds", "a seed fixes what is random", reproducibility.seeds, reason=_SAME, quick=True),
    Step("deterministic", "two trainings from one seed end the same", reproducibility.deterministic,
         reason="deterministic algorithms promise it"),
    Step("saving", "a state_dict comes back with weights_only and map_location", serialization.saving,
         reason="a file keeps every bit", quick=True),
    Step("amp", "a step under autocast is right and lowers the loss", mixed_precision.mixed_precision,
         tolerance="3e-2 of float32", reason="bfloat16 keeps 8 bits, 4e-3 a rounding, over two layers", quick=True),
    Step("memory", "memory can be allocated, keeps what is written, and is freed", memory.memory,
         tolerance="64 MiB may stay", reason="the allocator keeps blocks of its own"),
    Step("fit", "Adam and CrossEntropyLoss learn to tell four clouds of points apart", autograd.fit,
         tolerance="a quarter of the first loss in 120 steps",
         reason="reached in about 10; a wrong optimizer or loss does not get there"),
    Step("freezing", "frozen layers stay, bit for bit", autograd.freezing, reason="nothing is written to them"),
    Step("torchvision", "torchvision's compiled operators work with this torch", companions.torchvision, "each", 120.0,
         reason="which boxes are kept is known", quick=True),
    Step("workers", "two worker processes deliver every sample, pinned for a GPU", data_loading.workers, "best",
         180.0, reason=_SMALL),
    Step("torchvision-transforms", "Resize, CenterCrop, ToTensor and Normalize give the known values",
         companions.transforms, "once", 120.0, tolerance="1e-5", reason="float32's rounding of one colour"),
    Step("torchvision-images", "PNG and JPEG are encoded and decoded", companions.images, "once", 120.0,
         tolerance="PNG exact, JPEG 16 of 255", reason="JPEG loses a few steps; another image is a hundred off"),
    Step("torchaudio", "torchaudio works with this torch", companions.torchaudio, "once", 120.0,
         reason="mu-law levels are whole numbers", quick=True),
    Step("peers", "copies between every two GPUs arrive unchanged", multi_device.peers, "once", 120.0, reason=_SMALL),
    Step("nccl", "NCCL sums over all GPUs", multi_device.nccl, "once", 120.0, reason=_SMALL),
    Step("compile", "torch.compile gives what the function gives, and its tracer the gradient",
         torch_compile.torch_compile, "best", 240.0,
         tolerance="2e-5 (TF32 1e-3)", reason="the compiler orders and fuses, which is rounding"),
)  # fmt: skip

# The parent starts a process for each package, so these have no function here. Results are called package:NAME and
# operation:NAME.
BESIDE = (
    Step("packages", "each package that was asked for, and each that requires torch, can be imported", _in_own_process,
         "once", IMPORT_SECONDS, reason="it imports or it does not", quick=True),
    Step("operations", "each known extension gives the right result in a small operation", _in_own_process, "each",
         120.0,
         tolerance="float32 2e-5, float16 1e-2, int8 attention 1e-1, 8-bit weights 2e-2, 4-bit weights 2e-1",
         reason="several times what correct results were measured at; sums, neighbours and boxes are known exactly",
         quick=True),
)  # fmt: skip
