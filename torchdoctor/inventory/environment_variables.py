"""Environment variables that matter to PyTorch, without secrets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.text import sanitize_line
from torchdoctor.core.urls import redact_url
from torchdoctor.inventory import files
from torchdoctor.inventory.settings_model import Certificate, Variable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["certificates", "is_secret", "proxies", "variables", "without_credentials"]

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ftp_proxy")
_CERTIFICATES = (
    "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "PIP_CERT", "PIP_CLIENT_CERT",
    "NODE_EXTRA_CA_CERTS", "CONDA_SSL_VERIFY", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS", "NIX_SSL_CERT_FILE",
)  # fmt: skip
_PREFIXES = (
    "CUDA", "NVIDIA_", "NV_", "CUDNN_", "CUBLAS_", "NCCL_", "TORCH", "PYTORCH_", "ATEN_", "TRITON_", "OMP_", "KMP_",
    "GOMP_", "MKL_", "OPENBLAS_", "NUMEXPR_", "HIP_", "HSA_", "ROCR_", "ROCM_", "MIOPEN_", "AMD_", "GPU_", "ZE_",
    "ZES_", "SYCL_", "ONEAPI_", "IPEX_", "XPU_", "DYLD_", "PYTHON", "CONDA_", "MAMBA_", "VIRTUAL_ENV", "GLOO_", "TP_",
    "MASTER_", "LOCAL_RANK", "WORLD_SIZE", "SLURM_GPUS", "SLURM_JOB_GPUS", "UCX_", "FI_",
)  # fmt: skip
_NAMES = ("LD_LIBRARY_PATH", "LD_PRELOAD", "CC", "CXX", "MAX_JOBS", "TMPDIR", "TEMP", "HF_HOME")
_SECRET = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE|AUTH|COOKIE|LICEN[CS]E|SIGNATURE|_KEY$|_PWD$|_PASS$",
    re.IGNORECASE,
)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}://[^\s,;'\"]+")
_BARE = re.compile(r"[^\s/@:]{1,100}:[^\s/@]{1,300}@(?=[^\s@]+)")
_MAX_VARIABLES = 300
_MAX_VALUE_LENGTH = 2000


def is_secret(name: str) -> bool:
    """Tell whether a variable or setting with this name holds a secret."""
    return _SECRET.search(name.replace("-", "_")) is not None


def without_credentials(text: str) -> str:
    """Return the text with every URL, and `user:password@host`, without user, password and query."""
    shown = _URL.sub(lambda match: redact_url(match[0]), sanitize_line(text, limit=_MAX_VALUE_LENGTH))
    return _BARE.sub("****@", shown)


def variables(environ: Mapping[str, str]) -> tuple[Variable, ...]:
    """Return the variables that torch, its libraries, loaders and interpreters read, without secrets."""
    names = sorted(name for name in environ if name.upper().startswith(_PREFIXES) or name in _NAMES)
    return tuple(
        Variable(name=sanitize_line(name, limit=100), value=without_credentials(environ[name]))
        for name in names[:_MAX_VARIABLES]
        if not is_secret(name)
    )


def proxies(environ: Mapping[str, str]) -> tuple[Variable, ...]:
    """Return the proxy settings in both spellings, without credentials."""
    return tuple(
        Variable(name=name, value=without_credentials(environ[name]))
        for name in sorted(environ)
        if name.lower() in _PROXIES and environ[name]
    )


def certificates(environ: Mapping[str, str]) -> tuple[Certificate, ...]:
    """Return the variables that name certificates, and whether the file or folder exists."""
    return tuple(
        Certificate(
            variable=name, path=sanitize_line(environ[name], limit=1000), there=files.exists(environ[name])
        )
        for name in _CERTIFICATES
        if environ.get(name)
    )
