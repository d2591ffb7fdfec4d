"""What redaction looks for and what it spares: forms of tokens, public hosts, words of every report."""

from __future__ import annotations

import re

__all__ = ["PUBLIC_HOSTS", "TOKENS", "WORDS_OF_A_REPORT"]

# Each as its issuer describes it:
# https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/,
# https://docs.gitlab.com/security/tokens/#token-prefixes, https://huggingface.co/docs/hub/security-tokens,
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html, https://api.slack.com/authentication,
# https://warehouse.pypa.io/development/token-scanning.html, RFC 7519 (JWT), RFC 7468 (PEM).
TOKENS = tuple(
    re.compile(pattern)
    for pattern in (
        r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)",
        r"\bgh[pousr]_[A-Za-z0-9]{16,}",
        r"\bgithub_pat_\w{16,}",
        r"\bgl(?:pat|dt|ptt|cbt|soat|rt)-[\w-]{16,}",
        r"\bhf_[A-Za-z0-9]{16,}",
        r"\bsk-[\w-]{16,}",
        r"\bxox[abeoprs]-[\w-]{10,}",
        r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b",
        r"\bAIza[\w-]{30,}",
        r"\bya29\.[\w-]{20,}",
        r"\bnpm_[A-Za-z0-9]{20,}",
        r"\bpypi-[\w-]{20,}",
        r"\bdckr_pat_[\w-]{16,}",
        r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?",
    )
)

PUBLIC_HOSTS = frozenset({
    "pypi.org", "files.pythonhosted.org", "packaging.python.org", "docs.python.org", "www.python.org",
    "peps.python.org", "download.pytorch.org", "download-r2.pytorch.org", "pytorch.org",
    "docs.pytorch.org", "discuss.pytorch.org",
    "dev-discuss.pytorch.org", "github.com", "raw.githubusercontent.com", "objects.githubusercontent.com",
    "conda.anaconda.org", "repo.anaconda.com", "repo.anaconda.org", "docs.conda.io", "conda-forge.org",
    "prefix.dev", "repo.prefix.dev", "pypi.nvidia.com", "developer.nvidia.com", "docs.nvidia.com", "www.nvidia.com",
    "developer.download.nvidia.com", "nvcr.io", "repo.radeon.com", "rocm.docs.amd.com", "www.amd.com",
    "www.intel.com", "dgpu-docs.intel.com", "learn.microsoft.com", "aka.ms", "huggingface.co", "docs.astral.sh",
    "astral.sh", "pip.pypa.io", "stackoverflow.com", "mirror.nju.edu.cn", "mirrors.aliyun.com", "mirror.sjtu.edu.cn",
    "pypi.tuna.tsinghua.edu.cn", "mirrors.tuna.tsinghua.edu.cn", "mirrors.ustc.edu.cn", "mirrors.cloud.tencent.com",
    "wheels.vllm.ai", "example.com", "example.org", "localhost",
})  # fmt: skip

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
    "secret", "email", "uuid", "mac", "http", "https", "file", "com", "org", "net", "index", "url", "the", "and", "not",
})  # fmt: skip
