"""`torchdoctor index inspect`: what stands in a wheel, on this disk or at a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from torchdoctor.cli.options import output_options
from torchdoctor.cli.output import Output, print_json, stage_lines
from torchdoctor.core.fs.regular_files import regular_descriptor
from torchdoctor.core.i18n import joined, message, translate
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["inspect"]

_MAX_REMOTE_BYTES = 32 << 20  # of each library, compressed
_SHOWN_REQUIREMENTS = 12  # without -v


@click.command("inspect", short_help="Look into a wheel: what it needs, and what it was built for.")
@click.argument("wheel", metavar="WHEEL|URL")
@click.option(
    "--full",
    is_flag=True,
    help="Read all of a wheel at a server, and not only some places for which GPUs it has code.",
)
@output_options
def inspect(*, wheel: str, full: bool, output: Output) -> int:
    """Show what stands in a wheel: its requirements, the libraries that it needs, GPUs, CUDA and C++ ABI.

    Of a wheel at a server only some parts are read; nothing of a wheel is run.

    \b
    torchdoctor index inspect torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl
    torchdoctor index inspect https://example.org/flash_attn-2.8.3-cp312-cp312-linux_x86_64.whl --json
    """
    remote = wheel.lower().startswith(("http://", "https://"))
    document = _inspect_remote(wheel, output, full=full) if remote else _inspect_local(wheel)
    if output.json:
        print_json(document)
    else:
        for line in _lines(document, output):
            echo(translate(line))
    return 0


def _inspect_local(name: str) -> dict[str, Any]:
    from pathlib import Path

    from torchdoctor.errors import UsageError
    from wheels_index.binary import BinaryError, FileReader, inspect_wheel
    from wheels_index.binary.document import contents_document

    path = Path(name)
    try:
        with FileReader(regular_descriptor(path)) as reader:
            contents = inspect_wheel(reader)
            size = reader.size
    except (OSError, ValueError) as error:
        strerror = getattr(error, "strerror", None) or error
        raise UsageError(
            message("{path} cannot be read as a wheel: {why}", path=name, why=strerror),
            fix=message("name a file that ends in .whl, or the URL of one"),
            code="not-a-wheel" if isinstance(error, BinaryError) else "usage",
        ) from error
    head = {"schema": 1, "file": path.name, "url": None, "size": size, "bytes_read": None, "requests": None}
    return head | contents_document(contents)


def _inspect_remote(url: str, output: Output, *, full: bool) -> dict[str, Any]:
    from urllib.parse import unquote, urlsplit

    from torchdoctor.core.net import RangeReader
    from torchdoctor.core.urls import redact_url
    from torchdoctor.errors import UsageError
    from wheels_index.binary import BinaryError, inspect_wheel
    from wheels_index.binary.document import contents_document

    report = stage_lines(output)
    reader = RangeReader(url)
    try:
        contents = inspect_wheel(
            reader,
            max_bytes=None if full else _MAX_REMOTE_BYTES,
            gpu="all" if full else "some",
            on_library=lambda path: report.note(message("reading {path}", path=path)),
        )
    except BinaryError as error:
        raise UsageError(
            message("{path} cannot be read as a wheel: {why}", path=redact_url(url), why=error),
            fix=message("name a file that ends in .whl, or the URL of one"),
            code="not-a-wheel",
        ) from error
    head = {
        "schema": 1,
        "file": unquote(urlsplit(url).path.rpartition("/")[2]),
        "url": redact_url(url),
        "size": reader.size,
        "bytes_read": reader.bytes_read,
        "requests": reader.requests,
    }
    return head | contents_document(contents)


def _lines(document: dict[str, Any], output: Output) -> Iterator[str]:
    yield message(
        "{name} {version}  {file}, {size:,} bytes",
        name=document["name"] or "?",
        version=document["version"] or "?",
        file=document["file"],
        size=document["size"],
    )
    if document["bytes_read"] is not None and not output.quiet:
        yield message(
            "  read: {bytes_read:,} bytes in {requests} requests",
            bytes_read=document["bytes_read"],
            requests=document["requests"],
        )
    yield from _build_lines(document)
    shown = document["requires"] if output.verbose else document["requires"][:_SHOWN_REQUIREMENTS]
    if document["requires_python"]:
        yield message("  Python: {specifier}", specifier=document["requires_python"])
    for requirement in shown:
        yield message("  requires: {requirement}", requirement=requirement)
    if len(shown) < len(document["requires"]):
        yield message("    ... {count} more (-v)", count=len(document["requires"]) - len(shown))
    for library in document["libraries"]:
        yield from _library_lines(library, output)


def _build_lines(document: dict[str, Any]) -> Iterator[str]:
    """What the libraries need together."""
    if not document["libraries"]:
        yield message("  no compiled libraries")
        return
    if document["links_torch"]:
        parts = document["torch_gpu"]
        if parts:
            yield message("  links libtorch, and its parts for {parts}", parts=joined(parts))
        else:
            yield message("  links libtorch")
    if document["cuda_majors"]:
        yield message("  CUDA: {majors}", majors=joined(document["cuda_majors"]))
    if document["rocm"]:
        yield message("  ROCm: yes")
    if document["cxx11_abi"] is not None:
        yield message("  C++ ABI: {abi}", abi="C++11" if document["cxx11_abi"] else message("before C++11"))
    if document["gpu"] is not None:
        yield _code_line(document["gpu"], "  ")


def _code_line(code: dict[str, Any], indent: str) -> str:
    names = joined([*code["cubins"], *code["ptx"], *code["gfx"]]) or message("none found")
    if code["complete"]:
        return message("{indent}GPU code: {names}", indent=indent, names=names)
    return message(
        "{indent}GPU code: {names}, perhaps more: not all of it was read", indent=indent, names=names
    )


def _library_lines(library: dict[str, Any], output: Output) -> Iterator[str]:
    if library["problem"] is not None:
        yield message("  {path}: cannot be read: {why}", path=library["path"], why=library["problem"])
        return
    yield message("  {path}  {machines}", path=library["path"], machines=joined(library["machines"]))
    yield _needed_line(library["needed"])
    for floor, name in (("glibc", "glibc"), ("macos", "macOS")):
        if library[floor]:
            yield message("    {name} {version} or later", name=name, version=library[floor])
    if library["gpu"] is not None and output.verbose:
        yield _code_line(library["gpu"], "    ")


def _needed_line(needed: Sequence[str] | None) -> str:
    if needed is None:
        return message("    needs: not read")
    return message("    needs: {libraries}", libraries=joined(needed) or message("nothing"))
