"""`python -m wheels_index inspect WHEEL`: what stands in a wheel on this disk."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wheels_index.binary import BinaryError, FileReader, inspect_wheel
from wheels_index.binary.document import contents_document

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what stands in a wheel; 2 where it cannot be read."""
    parser = argparse.ArgumentParser(
        prog="python -m wheels_index", description="What stands in a PyTorch wheel."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    inspect = commands.add_parser("inspect", help="what a wheel needs, and what it was built for")
    inspect.add_argument("wheel", type=Path, help="a wheel on this disk")
    inspect.add_argument("--json", action="store_true", help="one JSON document")
    given = parser.parse_args(arguments)
    try:
        with FileReader(given.wheel) as reader:
            document = contents_document(inspect_wheel(reader))
            size = reader.size
    except (OSError, BinaryError) as error:
        why = getattr(error, "strerror", None) or error
        sys.stderr.write(f"error: {given.wheel} cannot be read: {_plain(str(why))}\n")
        return 2
    document = {"schema": 1, "file": given.wheel.name, "size": size, **document}
    if given.json:
        sys.stdout.write(f"{json.dumps(document)}\n")
    else:
        sys.stdout.writelines(f"{_plain(line)}\n" for line in _lines(document))
    return 0


def _lines(document: dict[str, Any]) -> list[str]:
    lines = [
        f"{document['name'] or '?'} {document['version'] or '?'} ({document['file']}, {document['size']:,} bytes)",
        f"  CUDA: {_listed(document['cuda_majors'])}",
        f"  links libtorch: {'yes' if document['links_torch'] else 'no'}"
        + (f", its parts for {_listed(document['torch_gpu'])}" if document["torch_gpu"] else ""),
        f"  C++ ABI: {_abi(document['cxx11_abi'])}",
        *_code_lines(document["gpu"]),
    ]
    lines += [f"  requires {requirement}" for requirement in document["requires"]]
    for library in document["libraries"]:
        lines.append(f"  {library['path']}  {library['problem'] or ' '.join(library['machines'])}")
        if library["problem"] is None:
            needed = library["needed"]
            lines.append(f"    needs {'not read' if needed is None else _listed(needed)}")
            if floor := library["glibc"] or library["macos"]:
                lines.append(f"    {'glibc' if library['glibc'] else 'macOS'} {floor} or later")
    return lines


def _code_lines(code: dict[str, Any] | None) -> list[str]:
    if code is None:
        return []
    more = "" if code["complete"] else " (and perhaps more: not all of it was read)"
    return [f"  GPU code: {_listed([*code['cubins'], *code['ptx'], *code['gfx']])}{more}"]


def _abi(cxx11: bool | None) -> str:
    return "not known" if cxx11 is None else "C++11" if cxx11 else "before C++11"


def _listed(names: Sequence[object]) -> str:
    return ", ".join(map(str, names)) or "none"


def _plain(text: str) -> str:
    """The text without what moves a terminal's cursor."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


if __name__ == "__main__":
    sys.exit(main())
