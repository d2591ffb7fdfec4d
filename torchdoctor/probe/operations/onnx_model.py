"""The smallest model in ONNX's format, c = a + b, written without the onnx package.

https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3 and https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

__all__ = ["addition"]

_IR_VERSION, _OPERATORS_VERSION = 8, 13
_FLOAT = 1


def addition() -> bytes:
    """Return a model with the inputs `a` and `b`, two floats each, and their sum `c`."""
    node = _text(1, "a") + _text(1, "b") + _text(2, "c") + _text(4, "Add")
    graph = _bytes(1, node) + _text(2, "sum")
    graph += _bytes(11, _value("a")) + _bytes(11, _value("b")) + _bytes(12, _value("c"))
    return _number(1, _IR_VERSION) + _bytes(7, graph) + _bytes(8, _number(2, _OPERATORS_VERSION))


def _value(name: str) -> bytes:
    shape = _bytes(1, _number(1, 2))
    tensor = _number(1, _FLOAT) + _bytes(2, shape)
    return _text(1, name) + _bytes(2, _bytes(1, tensor))


def _text(field: int, text: str) -> bytes:
    return _bytes(field, text.encode("ascii"))


def _number(field: int, value: int) -> bytes:
    return bytes([field << 3, value])


def _bytes(field: int, content: bytes) -> bytes:
    """A field with its length; every length here is below 128, which is one byte."""
    return bytes([field << 3 | 2, len(content)]) + content
