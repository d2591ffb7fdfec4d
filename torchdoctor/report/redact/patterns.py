"""Words that redaction spares: those that every report contains, and those of the folders of an environment."""

from __future__ import annotations

__all__ = ["PUBLIC_PROJECTS", "STRUCTURE", "WORDS_OF_A_REPORT"]

# A user or a computer may have such a name; replacing the word everywhere would make the report unreadable.
WORDS_OF_A_REPORT = frozenset({
    "root", "user", "users", "admin", "administrator", "guest", "nobody", "runner", "docker", "home", "host",
    "localhost", "ubuntu", "debian", "fedora", "centos", "arch", "alpine", "linux", "windows", "macos", "darwin",
    "python", "torch", "pytorch", "torchvision", "torchaudio", "torchdoctor", "conda", "miniconda", "anaconda",
    "miniforge", "mamba", "jupyter", "notebook", "cuda", "nvidia", "amd", "intel", "apple", "gpu", "cpu", "rocm", "xpu",
    "bin", "lib", "lib64", "env", "venv", "site", "packages", "wheel", "pip", "uv", "numpy", "triton", "test", "tests",
    "main", "base", "default", "local", "share", "data", "work", "workspace", "tmp", "opt", "usr", "var", "etc", "app",
    "server", "desktop", "laptop", "null", "none", "true", "false", "found", "absent", "unknown", "error", "warning",
    "note", "version", "name", "value", "source", "state", "schema", "machine", "driver", "kind", "path", "folder",
    "tools", "code", "src", "project", "projects", "build", "models",
    "secret", "email", "uuid", "mac", "http", "https", "file", "com", "org", "net", "index", "url", "the", "and", "not",
})  # fmt: skip

# Folders in paths that say nothing of their owner. From such a one on that belongs to an environment the path stays.
STRUCTURE = frozenset({
    ".venv", "venv", ".env", "env", "envs", ".conda", "conda", "miniconda", "miniconda3", "anaconda", "anaconda3",
    "miniforge3", "mambaforge", "micromamba", "mamba", "bin", "scripts", "lib", "lib64", "include", "site-packages",
    "dist-packages", ".cache", ".local", ".config", ".jupyter", ".pyenv", "appdata", "torch", "torchvision",
    "torchaudio", "torchdoctor", "triton", "nvidia", "cuda", "library", "python", "kernels", "jupyter", "wheels",
    "wheelhouse",
    "pip",
    "uv", ".uv", ".torchdoctor", "tmp", "c++", "gcc",
})  # fmt: skip

# What people install from a folder of sources and everybody knows.
PUBLIC_PROJECTS = frozenset({
    "torch", "torchvision", "torchaudio", "torchdoctor", "triton", "vllm", "sglang", "xformers", "flash-attn", "apex",
    "transformers", "diffusers", "accelerate", "peft", "trl", "datasets", "deepspeed", "lightning", "pytorch-lightning",
    "bitsandbytes", "auto-gptq", "exllamav2", "detectron2", "mmcv", "mmdet", "mmengine", "pytorch3d", "nerfstudio",
    "gsplat",
    "fairseq", "fairseq2", "torchtune", "torchao", "torchrec", "torchtitan", "torchdata", "torchtext", "torchcodec",
    "fairscale", "ultralytics", "timm", "open-clip-torch", "segment-anything", "sam-2", "sam2", "comfyui",
    "llama-cpp-python",
    "comfyui-windows-portable", "python-embeded", "stable-diffusion-webui", "stable-diffusion-webui-forge",
    "text-generation-webui", "kohya-ss", "fooocus", "invokeai", "llama-factory", "megatron-lm",
    "actions-runner", "-work", "builder", "hostedtoolcache", "cb",
    "megatron-core", "nemo-toolkit", "transformer-engine", "ray", "unsloth", "axolotl", "mamba-ssm", "causal-conv1d",
})  # fmt: skip
