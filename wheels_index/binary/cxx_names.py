"""What the names of C++ symbols tell: whether they are libtorch's, and which `std::string` they were built with.

Names are mangled by the Itanium C++ ABI: https://itanium-cxx-abi.github.io/cxx-abi/abi.html#mangling
libstdc++'s dual ABI: https://gcc.gnu.org/onlinedocs/libstdc++/manual/using_dual_abi.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["cxx11_abi", "is_torch_symbol", "string_abi"]

# The namespaces of libtorch, and of Caffe2, which it was part of until 2.5; `_ZTI` and the like are data about types.
_TORCH = re.compile(r"_Z(?:T[ISV]|GV)?(?:N[VKO]*)?(?:3c10|4c10d|2at|5torch|6caffe2)(?=[0-9A-Z])")
# Functions of C that libtorch gives: `aoti_torch_…` are those of its stable interface.
_TORCH_C = re.compile(r"(?:aoti_torch|torch)_[a-z0-9_]+|THP\w+")
_NEW = re.compile(r"NSt7__cxx1112basic_string|NSt7__cxx114list|B5cxx11")
# A number before a name is its length; `L…E` are constants, `S0_` and `T_` refer back, `Ss` is the old `std::string`.
_TOKEN = re.compile(
    r"(?P<constant>L[a-z]n?\d+E)|(?P<back>[ST][0-9A-Z]*_)|(?P<old>Ss)|(?P<length>\d+)|.", re.DOTALL
)


def is_torch_symbol(name: str) -> bool:
    """Tell whether a symbol is one of libtorch's, by its namespace."""
    return _TORCH.match(name) is not None or _TORCH_C.fullmatch(name) is not None


def string_abi(name: str) -> bool | None:
    """Tell by one name whether it was built with the newer `std::string`; None where it has none in it."""
    if _NEW.search(name):
        return True
    return False if "Ss" in name and _has_old_string(name) else None


def cxx11_abi(names: Iterable[str]) -> bool | None:
    """Tell whether those that a library needs of libtorch were built with `_GLIBCXX_USE_CXX11_ABI=1`.

    None where no name tells it, and where names tell both.
    """
    told = {string_abi(name) for name in names if name.startswith("_Z") and is_torch_symbol(name)} - {None}
    return told.pop() if len(told) == 1 else None


def _has_old_string(name: str) -> bool:
    place = 2  # after _Z
    while place < len(name):
        token = _TOKEN.match(name, place)
        if token is None:
            return False
        if token["old"]:
            return True
        place = token.end() + (int(token["length"][:6]) if token["length"] else 0)
    return False
