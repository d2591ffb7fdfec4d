"""The facts on a command line: `python -m wheels_index --help`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from wheels_index._version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheels_index.binary import WheelContents

__all__ = ["main"]

_STATUS = """exit status:
  0  well
  1  unsourced: a fact names no source
  2  wrong usage, or a wheel that cannot be read
  3  the output cannot be written
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 1 where a fact names no source, 2 where a wheel cannot be read, 3 where nothing can be written."""
    given = _parser().parse_args(arguments)
    run: dict[str, Any] = {
        "inspect": _inspect,
        "matrix": _matrix,
        "schema": _schema,
        "unsourced": _unsourced,
    }
    try:
        status: int = run[given.command](given)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read it has seen enough
        _discard_output()
        return 0
    except OSError as error:
        _discard_output()
        sys.stderr.write(f"error: the output cannot be written: {error.strerror or error}\n")
        return 3
    return status


def _discard_output() -> None:
    """Let the end of the program not try again to write what is left."""
    # https://docs.python.org/3/library/signal.html#note-on-sigpipe
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    own_command = "wheels-index"  # where the library is installed alone
    parser = argparse.ArgumentParser(
        prog=own_command if Path(sys.argv[0]).stem == own_command else "python -m wheels_index",
        description="Which PyTorch wheels exist, and what stands in one.",
        epilog=_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"wheels_index {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    inspect = commands.add_parser("inspect", help="what a wheel needs, and what it was built for")
    inspect.add_argument(
        "wheel", help="a wheel on this disk, or an https URL, of which only the pieces needed are read"
    )
    inspect.add_argument("--json", action="store_true", help="one JSON document")
    commands.add_parser("matrix", help="releases, variants and GPUs as one JSON document")
    commands.add_parser("schema", help="the JSON schema of that document")
    commands.add_parser("unsourced", help="the facts that name no source")
    return parser


def _matrix(_given: argparse.Namespace) -> int:
    from wheels_index.matrix import matrix_document

    sys.stdout.write(f"{json.dumps(matrix_document())}\n")
    return 0


def _schema(_given: argparse.Namespace) -> int:
    from wheels_index.matrix import matrix_schema_file

    sys.stdout.write(matrix_schema_file().read_text("utf-8"))
    return 0


def _unsourced(_given: argparse.Namespace) -> int:
    from wheels_index.source_audit import unsourced

    lines = list(unsourced())
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 1 if lines else 0


def _inspect(given: argparse.Namespace) -> int:
    from wheels_index.binary import BinaryError
    from wheels_index.binary.document import contents_document

    try:
        name, size, contents = _contents(given.wheel)
    except (OSError, BinaryError) as error:
        why = getattr(error, "strerror", None) or getattr(error, "reason", None) or error
        sys.stderr.write(f"error: {_plain(_shown(given.wheel))} cannot be read: {_plain(str(why))}\n")
        return 2
    document = {"schema": 1, "file": name, "size": size, **contents_document(contents)}
    if given.json:
        sys.stdout.write(f"{json.dumps(document)}\n")
    else:
        sys.stdout.writelines(f"{_plain(line)}\n" for line in _lines(document))
    return 0


def _contents(wheel: str) -> tuple[str, int, WheelContents]:
    """The name and the size of a wheel, and what stands in it."""
    from wheels_index.binary import BlockReader, FileReader, inspect_wheel

    if not wheel.startswith(("https://", "http://")):
        with FileReader(Path(wheel)) as reader:
            return Path(wheel).name, reader.size, inspect_wheel(reader)
    from wheels_index.binary.remote import RemoteReader

    remote = RemoteReader(wheel)
    name = unquote(urlsplit(wheel).path.rpartition("/")[2])
    return name, remote.size, inspect_wheel(BlockReader(remote))


def _shown(wheel: str) -> str:
    """A URL without what may be secret in it; a path as it is."""
    parts = urlsplit(wheel)
    return f"{parts.scheme}://{parts.hostname}{parts.path}" if parts.scheme in ("https", "http") else wheel


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
