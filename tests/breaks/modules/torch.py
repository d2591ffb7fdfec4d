# ruff: noqa: BLE001, E402, F401, I001, N811, PTH100, PTH118, PTH120, PTH207, S110  (as torch does it)
"""A stand-in for torch/__init__.py: it loads its libraries as torch does, and the loader says the same of them."""

import ctypes
import glob
import os
import sys
import tempfile
import textwrap
import typing_extensions
from typing_extensions import ParamSpec as _ParamSpec, TypeIs as _TypeIs

from .version import __version__, cuda as _cuda

_HERE = os.path.dirname(os.path.abspath(__file__))
# Libraries that are loaded from NVIDIA's packages where the loader does not find them by itself.
_LIBRARIES = [
    ("cublas", "libcublasLt.so.*[0-9]"),
    ("cublas", "libcublas.so.*[0-9]"),
    ("cudnn", "libcudnn.so.*[0-9]"),
    ("cuda_nvrtc", "libnvrtc.so.*[0-9]"),
    ("cuda_runtime", "libcudart.so.*[0-9]"),
    ("cuda_cupti", "libcupti.so.*[0-9]"),
    ("cufft", "libcufft.so.*[0-9]"),
    ("curand", "libcurand.so.*[0-9]"),
    ("nvjitlink", "libnvJitLink.so.*[0-9]"),
    ("cusparse", "libcusparse.so.*[0-9]"),
    ("cusparselt", "libcusparseLt.so.*[0-9]"),
    ("cusolver", "libcusolver.so.*[0-9]"),
    ("nccl", "libnccl.so.*[0-9]"),
    ("nvshmem", "libnvshmem_host.so.*[0-9]"),
    ("cufile", "libcufile.so.*[0-9]"),
]


def _preload(folder, name, required):
    for path in sys.path:
        for place in (folder, "cu13"):
            found = glob.glob(os.path.join(glob.escape(path), "nvidia", place, "lib", name))
            if found:
                ctypes.CDLL(found[0])
                return
    if required:
        raise ValueError(f"{name} not found in the system path {sys.path}")


def _load_global_deps():
    path = os.path.join(_HERE, "lib", "libtorch_global_deps.so")
    try:
        ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
    except OSError as err:
        if not [name for _, name in _LIBRARIES if name.split(".", 1)[0] in err.args[0]]:
            raise
        for folder, name in _LIBRARIES:
            _preload(folder, name, required=True)
        ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
    else:
        try:
            for folder, name in _LIBRARIES if _cuda else ():
                _preload(folder, name, required=False)
        except Exception:
            pass


_load_global_deps()
try:
    import torch._C as _compiled
except ImportError as error:
    # The stand-in's compiled module is a library without code: that it was loaded is enough.
    if "dynamic module does not define" not in str(error):
        raise
else:
    if _compiled.__file__ is None:
        raise ImportError(
            textwrap.dedent(
                """
                Failed to load PyTorch C extensions:
                    It appears that PyTorch has loaded the `torch/_C` folder
                    of the PyTorch repository rather than the C extensions which
                    are expected in the `torch._C` namespace. This can occur when
                    using the `install` workflow. e.g.
                        $ python setup.py install && python -c "import torch"

                    This error can generally be solved using the `develop` workflow
                        $ python setup.py develop && python -c "import torch"  # This should succeed
                    or by running Python from a different directory.
                """
            ).strip()
        ) from None


import sympy


class Tensor:
    """No tensor."""


def zeros(*_size):
    return Tensor()


def get_num_threads():
    return 1


from torch import backends, cuda, nn, random, serialization, version
from torch.functional import einsum
