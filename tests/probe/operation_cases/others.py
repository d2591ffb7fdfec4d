"""Extensions that bring data, quantise, or compute without torch."""

from __future__ import annotations

import math
import types

import torch
from base import AMD, case, module


class Session:
    """One that falls back to the CPU without a word."""

    used = ("CPUExecutionProvider",)

    def __init__(self, model, providers):
        assert model.startswith(b"\x08\x08")
        self.providers = providers

    def get_providers(self):
        """Those that started."""
        return list(self.used)

    def run(self, _outputs, inputs):
        """The sum."""
        return [inputs["a"] + inputs["b"]]


def onnx(*available):
    """ONNX Runtime with these providers."""
    return module("onnxruntime", get_available_providers=lambda: list(available), InferenceSession=Session)


GPU = {"_probe__operations__runtimes__kind": lambda device: device.partition(":")[0]}
case("onnxruntime", "onnxruntime-session", [onnx("CPUExecutionProvider")])
case("onnxruntime without CUDA", "onnxruntime-session", [onnx("CPUExecutionProvider")], "cuda:0")
case("onnxruntime that falls back", "onnxruntime-session", [onnx("CUDAExecutionProvider")], "cuda:1")


def translate(*, gpus):
    """CTranslate2 that sees so many GPUs."""
    return module(
        "ctranslate2",
        get_cuda_device_count=lambda: gpus,
        get_supported_compute_types=lambda *_: {"float32", "int8"},
    )


case("ctranslate2", "ctranslate2-devices", [translate(gpus=0)])
case("ctranslate2 without CUDA", "ctranslate2-devices", [translate(gpus=0)], "cuda:0")
case("ctranslate2 on a GPU", "ctranslate2-devices", [translate(gpus=1)], "cuda:0")
case("ctranslate2 on AMD", "ctranslate2-devices", [translate(gpus=0)], "cuda:0", **AMD)
llama = module(
    "llama_cpp", llama_backend_init=lambda: None, llama_supports_gpu_offload=lambda: False,
    llama_print_system_info=lambda: b"AVX2 = 1\n",
)  # fmt: skip
case("llama", "llama-cpp-backend", [llama])
case("llama for the CPU", "llama-cpp-backend", [llama], "cuda:0")


class Decoder:
    """Decodes 16 bits of one channel."""

    def __init__(self, source):
        self.source = source

    def get_all_samples(self):
        """As the decoders of torchcodec say it."""
        raw = torch.frombuffer(bytearray(self.source[44:]), dtype=torch.int16)
        return types.SimpleNamespace(data=raw.float()[None] / 32768)


class Encoder:
    """Encodes what the decoder decodes."""

    def __init__(self, samples, sample_rate):
        assert sample_rate == 16_000
        self.samples = samples

    def to_tensor(self, format):  # noqa: A002
        """A file in memory."""
        assert format == "wav"
        return bytes(44) + (self.samples[0] * 32768).round().to(torch.int16).numpy().tobytes()


class Silent(Encoder):
    """Encodes silence."""

    def to_tensor(self, format):  # noqa: A002
        """A file in memory."""
        return bytes(len(super().to_tensor(format)))


codec = module("torchcodec.decoders", AudioDecoder=Decoder)
parent = module("torchcodec", __path__=[])
case("torchcodec", "torchcodec-decode", [parent, codec, module("torchcodec.encoders", AudioEncoder=Encoder)])
case(
    "torchcodec that is silent",
    "torchcodec-decode",
    [parent, codec, module("torchcodec.encoders", AudioEncoder=Silent)],
)
case("torchcodec without an encoder", "torchcodec-decode", [parent, codec])
case("torchcodec of old", "torchcodec-decode", [parent, module("torchcodec.decoders")])


class Vocab:
    """Words by number."""

    def set_default_index(self, number):
        """For words that are not known."""
        self.default = number

    def __call__(self, words):
        return [{"the": 1, "cat": 2}.get(word, self.default) for word in words]


case(
    "torchtext",
    "torchtext-vocab",
    [module("torchtext.vocab", build_vocab_from_iterator=lambda *_a, **_k: Vocab())],
)


class Loader:
    """Batches from where a state says."""

    def __init__(self, numbers, batch_size, shuffle):
        self.batches, self.at = torch.tensor(list(numbers)).split(batch_size), 0

    def __iter__(self):
        while self.at < len(self.batches):
            self.at += 1
            yield self.batches[self.at - 1]

    def state_dict(self):
        """Where it is."""
        return self.at

    def load_state_dict(self, state):
        """Go on there."""
        self.at = state


class Pipe(list):
    """A datapipe."""

    def map(self, function):
        """Of each."""
        return Pipe(function(item) for item in self)


parent = module("torchdata", __path__=[])
case(
    "torchdata",
    "torchdata-loader",
    [parent, module("torchdata.stateful_dataloader", StatefulDataLoader=Loader)],
)
case(
    "torchdata of old", "torchdata-loader", [parent, module("torchdata.datapipes.iter", IterableWrapper=Pipe)]
)


class Linear4bit(torch.nn.Module):
    """Weights in sixteen steps, or none at all."""

    steps = 16

    def __init__(self, *_given, **_options):
        super().__init__()
        self.weight = None

    def forward(self, inputs):
        """The product."""
        scale = self.weight.abs().max() / self.steps
        return inputs @ ((self.weight / scale).round() * scale).t()


class Coarse(Linear4bit):
    """Two steps."""

    steps = 1


def quantised(layer):
    """bitsandbytes with this layer."""
    weight = lambda tensor, **_options: torch.nn.Parameter(tensor, requires_grad=False)  # noqa: E731
    return [module("bitsandbytes", nn=module("bitsandbytes.nn", Linear4bit=layer, Params4bit=weight))]


case("bitsandbytes", "bitsandbytes-linear", quantised(Linear4bit))
case("bitsandbytes that is coarse", "bitsandbytes-linear", quantised(Coarse))


def quantize(model, config):
    """In 8 bits."""
    assert config == "int8"
    weight = model[0].weight.data
    scale = weight.abs().max() / 127
    weight.copy_((weight / scale).round() * scale)


case(
    "torchao",
    "torchao-quantize",
    [module("torchao.quantization", quantize_=quantize, Int8WeightOnlyConfig=lambda: "int8")],
)
case(
    "torchao of old",
    "torchao-quantize",
    [module("torchao.quantization", quantize_=quantize, int8_weight_only=lambda: "int8")],
)


class Convolution(torch.nn.Module):
    """A graph convolution of three nodes in a row."""

    def __init__(self, *_sizes, bias):
        super().__init__()
        self.lin = torch.nn.Linear(2, 2, bias=False)

    def forward(self, nodes, _edges):
        """By its formula."""
        half, third = 1 / math.sqrt(6), 1 / 3
        matrix = torch.tensor([[0.5, half, 0], [half, third, half], [0, half, 0.5]])
        return matrix @ self.lin(nodes)


case("geometric", "geometric-convolution", [module("torch_geometric.nn", GCNConv=Convolution)])


class Kernel:
    """A compiled function, which is given a grid first."""

    def __init__(self, _function):
        pass

    def __getitem__(self, grid):
        assert grid == (4,)
        return lambda one, other, result, _count, **_options: result.copy_(one + other)


language = module("triton.language", constexpr=int)
compiler = module("triton", jit=Kernel, cdiv=lambda one, other: -(-one // other), language=language)
case("triton", "triton-kernel", [compiler, language])
