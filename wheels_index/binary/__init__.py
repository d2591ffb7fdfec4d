"""What stands in a compiled wheel, read from its headers.

>>> from pathlib import Path
>>> from wheels_index.binary import FileReader, inspect_wheel
>>> with FileReader(Path("torch.whl")) as reader:  # doctest: +SKIP
...     inspect_wheel(reader).libraries[0].library.needed
('libc10.so', 'libstdc++.so.6', 'libc.so.6')
"""

from __future__ import annotations

from wheels_index.binary.gpu_code import GpuCode, joined_code
from wheels_index.binary.library import Library, read_library
from wheels_index.binary.package_libraries import PackageLibrary, read_libraries
from wheels_index.binary.reader import (
    BinaryError,
    BlockReader,
    BytesReader,
    Damaged,
    FileReader,
    LimitedReader,
    NotRead,
    Reader,
)
from wheels_index.binary.torch_build import ExportedSymbols, TorchBuild, exported_symbols
from wheels_index.binary.torch_fit import Misfit, PackageFit, judge_package
from wheels_index.binary.wheel_contents import WheelContents, WheelFile, inspect_wheel

__all__ = [
    "BinaryError",
    "BlockReader",
    "BytesReader",
    "Damaged",
    "ExportedSymbols",
    "FileReader",
    "GpuCode",
    "Library",
    "LimitedReader",
    "Misfit",
    "NotRead",
    "PackageFit",
    "PackageLibrary",
    "Reader",
    "TorchBuild",
    "WheelContents",
    "WheelFile",
    "exported_symbols",
    "inspect_wheel",
    "joined_code",
    "judge_package",
    "read_libraries",
    "read_library",
]
