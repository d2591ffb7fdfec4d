"""Wheels that are built when they are first looked at: choosing reads many releases and few of their files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wheels_index.wheel import Wheel

__all__ = ["LazyWheels"]


class LazyWheels(Sequence["Wheel"]):
    """A tuple of wheels behind the function that makes it."""

    __slots__ = ("_load", "_loaded")

    def __init__(self, load: Callable[[], tuple[Wheel, ...]]) -> None:
        self._load = load
        self._loaded: tuple[Wheel, ...] | None = None

    def _wheels(self) -> tuple[Wheel, ...]:
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    def __len__(self) -> int:
        return len(self._wheels())

    def __iter__(self) -> Iterator[Wheel]:
        return iter(self._wheels())

    @overload
    def __getitem__(self, index: int) -> Wheel: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Wheel, ...]: ...
    def __getitem__(self, index: int | slice) -> Wheel | tuple[Wheel, ...]:
        return self._wheels()[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._wheels() == tuple(other)

    def __hash__(self) -> int:
        return hash(self._wheels())

    def __repr__(self) -> str:
        return repr(self._wheels())
