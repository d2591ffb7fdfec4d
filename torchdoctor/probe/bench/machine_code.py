"""A loop of one instruction, as bytes that this process can call. For x86-64 on Linux.

Python reaches no instruction directly, and a compiler is not there in every environment: the bytes of instructions.json
are the only way to measure a core's real limit, where a nominal clock would be off by up to a factor of two.
Registers are zeroed first: what they held could be a denormal, which some cores multiply a hundred times slower.
"""

from __future__ import annotations

import ctypes
import mmap

__all__ = ["Loop", "chain", "products"]

_RETURN = b"\xc5\xf8\x77\xc3"  # vzeroupper; ret
_TILE_CONFIG, _TILE_RELEASE = b"\xc4\xe2\x78\x49\x06", b"\xc4\xe2\x78\x49\xc0"  # ldtilecfg [rsi]; tilerelease
_ARCH_PRCTL, _REQUEST_PERMISSION, _TILE_DATA = 158, 0x1023, 18
_UNROLLED_COUNT = 48


class Loop:
    """`Loop(body)(count)` runs the body `count` times. Raises `OSError` where memory may not be executed.

    ctypes releases the interpreter's lock during the call, so that threads run loops at the same time.
    """

    def __init__(self, body: bytes, before: bytes = b"", after: bytes = b"") -> None:
        # dec rdi; jnz to the first byte of the body
        back = -(len(body) + 9)
        jump = b"\x48\xff\xcf\x0f\x85" + back.to_bytes(4, "little", signed=True)
        code = before + body + jump + after + _RETURN
        self._memory = mmap.mmap(-1, len(code), prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        self._memory.write(code)
        # 64 bytes: one palette, and for eight tiles the bytes of a row (from 16) and the rows (from 48).
        self._tiles = ctypes.create_string_buffer(
            b"\x01" + bytes(15) + b"\x40\x00" * 8 + bytes(16) + b"\x10" * 8 + bytes(8), 64
        )
        kind = ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.c_void_p)
        self._call = kind(ctypes.addressof(ctypes.c_char.from_buffer(self._memory)))

    def __call__(self, count: int) -> None:
        """Run the body `count` times."""
        self._call(count, ctypes.addressof(self._tiles))


def chain() -> tuple[Loop, int]:
    """Return a chain of multiplications that each wait for the one before, and the cycles of one pass.

    imul takes 3 cycles on every Intel core since Nehalem and AMD core since Zen (https://uops.info). Additions of a
    constant would not work: newer cores remove them before they run.
    """
    length = 64
    return Loop(b"\x48\x0f\xaf\xc0" * length), 3 * length


def products(code: bytes, results: int) -> tuple[Loop, int]:
    """Return a loop with the instruction on `results` registers, so that none waits for another, and its uses per pass.

    Raises `OSError` where the system does not permit tiles.
    """
    tiles = results < 8  # noqa: PLR2004  # there are eight tiles
    if tiles and ctypes.CDLL(None).syscall(_ARCH_PRCTL, _REQUEST_PERMISSION, _TILE_DATA) != 0:
        raise OSError("the system does not permit tiles")
    rounds = max(_UNROLLED_COUNT // results, 1)
    body = b"".join(_into(code, result) for result in range(results)) * rounds
    before = _TILE_CONFIG if tiles else b"".join(_zeroed(register) for register in range(16))
    return Loop(body, before, _TILE_RELEASE if tiles else b""), rounds * results


def _into(code: bytes, result: int) -> bytes:
    """The instruction with another result register: three bits of the last byte, the fourth inverted in the second."""
    changed = bytearray(code)
    changed[-1] |= (result & 7) << 3
    changed[1] ^= (result >> 3) << 7
    return bytes(changed)


def _zeroed(register: int) -> bytes:
    """vxorps of a register with itself, which also clears the part above 128 bits."""
    high, low = register >> 3, register & 7
    extended = 0x41 | (0 if high else 0xA0)
    return bytes((0xC4, extended, (~register & 15) << 3, 0x57, 0xC0 | low << 3 | low))
