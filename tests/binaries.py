"""Makes small shared libraries of each format, with headers as compilers write them, and code for GPUs in them."""

from __future__ import annotations

import struct

PAGE = 0x1000


def fatbin(*entries: tuple[str, str] | str, code: bytes = b"\x00" * 64) -> bytes:
    """A fat binary of CUDA: `sm_90` is machine code, `compute_90` PTX; `code` is each one's."""
    body = b""
    for name in entries:
        kind, number = (
            (2, name.removeprefix("sm_")) if name.startswith("sm_") else (1, name.removeprefix("compute_"))
        )
        flags = 0x11 | (1 << 20 if number.endswith("a") else 0) | (1 << 21 if number.endswith("f") else 0)
        digits = int(number.rstrip("af"))
        body += struct.pack(
            "<HHIQIIHHIIIQQQ", kind, 0x101, 64, len(code), 0, 0, 8, 1, digits, 0, 0, flags, 0, 0
        )
        body += code
    return struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(body)) + body


def offload_bundle(*targets: str) -> bytes:
    """A bundle of ROCm's code objects."""
    names = [f"hipv4-amdgcn-amd-amdhsa--{target}".encode() for target in targets]
    start = 32 + sum(24 + len(name) for name in names)
    table = b"".join(struct.pack("<3Q", start, 8, len(name)) + name for name in names)
    return b"__CLANG_OFFLOAD_BUNDLE__" + struct.pack("<Q", len(names)) + table + b"\0" * 8


def gnu_hash(name: str) -> int:
    """The hash by which a symbol is found."""
    value = 5381
    for byte in name.encode():
        value = (value * 33 + byte) & 0xFFFFFFFF
    return value


class _Texts:
    """A table of names."""

    def __init__(self) -> None:
        self.content = b"\0"

    def add(self, text: str) -> int:
        place = len(self.content)
        self.content += text.encode() + b"\0"
        return place


def make_elf(  # noqa: PLR0915  (one part after the other)
    *,
    needed: tuple[str, ...] = (),
    soname: str | None = None,
    runpath: str | None = None,
    rpath: str | None = None,
    undefined: tuple[str, ...] = (),
    weak: tuple[str, ...] = (),
    defined: tuple[str, ...] = (),
    versions: dict[str, tuple[str, ...]] | None = None,
    sections: dict[str, bytes] | None = None,
    machine: int = 62,
    wide: bool = True,
    order: str = "<",
    padding: bytes = b"",
    with_sections: bool = True,
    reserved: int = 0,
) -> bytes:
    """A shared library; addresses are places in the file. `padding` lies before the dynamic section.

    One of 64 bits in little endian can be loaded: its `undefined` names must be found then, and it takes `reserved`
    bytes of address space besides its own.
    """
    texts = _Texts()
    needed_at = [texts.add(name) for name in needed]
    soname_at = texts.add(soname) if soname else None
    runpath_at = texts.add(runpath) if runpath else None
    rpath_at = texts.add(rpath) if rpath else None
    word = "Q" if wide else "I"
    head = 64 if wide else 52
    parts: dict[str, bytes] = {}
    symbol_rows = [(0, 0, 0), *((texts.add(name), 0x12, 0) for name in undefined)]
    symbol_rows += [(texts.add(name), 0x22, 0) for name in weak]
    first = len(symbol_rows)
    buckets = max(1, len(defined) // 2)
    ordered = sorted(defined, key=lambda name: gnu_hash(name) % buckets)
    symbol_rows += [(texts.add(name), 0x12, 7) for name in ordered]
    layout = f"{order}IBBHQQ" if wide else f"{order}IIIBBH"
    parts[".dynsym"] = b"".join(
        struct.pack(layout, name, info, 0, section, 64 if section else 0, 0)
        if wide
        else struct.pack(layout, name, 64 if section else 0, 0, info, 0, section)
        for name, info, section in symbol_rows
    )
    parts[".gnu.hash"] = _hash_table(ordered, buckets, first, word, order)
    parts[".gnu.version_r"] = _versions(versions or {}, texts, order)
    parts[".dynstr"] = texts.content
    parts.update(sections or {})
    parts[".padding"] = padding
    relocated = undefined if wide and order == "<" else ()
    parts[".got"] = bytes(8 * len(relocated))
    parts[".rela.dyn"] = bytes(24 * len(relocated))

    # Three segments: one that loads everything, the dynamic section, and a stack that nothing is run from.
    program = struct.calcsize(f"{order}IIQQQQQQ" if wide else f"{order}IIIIIIII")
    place = head + 3 * program
    places: dict[str, int] = {}
    body = b""
    for name, content in parts.items():
        body += b"\0" * (-(place + len(body)) % 8)
        places[name] = place + len(body)
        body += content
    body += b"\0" * (-(place + len(body)) % 8)
    if relocated:
        # R_X86_64_64 for each: its address is asked for when the library is loaded.
        rows = [(places[".got"] + 8 * at, (at + 1) << 32 | 1, 0) for at in range(len(relocated))]
        at = places[".rela.dyn"] - place
        table = b"".join(struct.pack("<QQq", *row) for row in rows)
        body = body[:at] + table + body[at + len(table) :]
    tags = [(1, at) for at in needed_at]
    tags += [(14, soname_at)] if soname_at is not None else []
    tags += [(29, runpath_at)] if runpath_at is not None else []
    tags += [(15, rpath_at)] if rpath_at is not None else []
    tags += [
        (5, places[".dynstr"]),
        (10, len(texts.content)),
        (6, places[".dynsym"]),
        (0x6FFFFEF5, places[".gnu.hash"]),
    ]
    if versions:
        tags += [(0x6FFFFFFE, places[".gnu.version_r"]), (0x6FFFFFFF, len(versions))]
    if relocated:
        tags += [(7, places[".rela.dyn"]), (8, 24 * len(relocated)), (9, 24), (11, 24)]
    dynamic = b"".join(struct.pack(f"{order}{word}{word}", *row) for row in [*tags, (0, 0)])
    dynamic_at = place + len(body)
    body += dynamic
    end = place + len(body)
    table, table_at, count, names_index = b"", 0, 0, 0
    if with_sections:
        names = _Texts()
        rows = [(0, 0, 0, 0)]
        for name, content in {**parts, ".dynamic": dynamic}.items():
            rows.append(
                (names.add(name), 1, dynamic_at if name == ".dynamic" else places[name], len(content))
            )
        shstrtab = names.add(".shstrtab")
        names_index, count = len(rows), len(rows) + 1
        rows.append((shstrtab, 3, end, len(names.content)))
        table_at = end + len(names.content)
        table = names.content + b"".join(_section(row, wide, order) for row in rows)
    whole = end
    segments = [
        (1, 0, whole, whole + reserved, PAGE),
        (2, dynamic_at, len(dynamic), len(dynamic), 8),
        (0x6474E551, 0, 0, 0, 16),
    ]
    segment_rows = b"".join(
        struct.pack(f"{order}IIQQQQQQ", kind, 6, at, at, at, size, memory, align)
        if wide
        else struct.pack(f"{order}IIIIIIII", kind, at, at, at, size, memory, 6, align)
        for kind, at, size, memory, align in segments
    )
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + b"\0" * 9
    header = ident + struct.pack(
        f"{order}HHI{word * 3}IHHHHHH",
        3, machine, 1, 0, head, table_at, 0, head, program, 3, 64 if wide else 40, count, names_index,
    )  # fmt: skip
    return header + segment_rows + body + table


def _section(row: tuple[int, int, int, int], wide: bool, order: str) -> bytes:
    name, kind, offset, size = row
    if wide:
        return struct.pack(f"{order}IIQQQQIIQQ", name, kind, 0, offset, offset, size, 0, 0, 8, 0)
    return struct.pack(f"{order}10I", name, kind, 0, offset, offset, size, 0, 0, 8, 0)


def _hash_table(names: list[str], buckets: int, first: int, word: str, order: str) -> bytes:
    heads, chains = [0] * buckets, []
    for index, name in enumerate(names):
        value = gnu_hash(name)
        heads[value % buckets] = heads[value % buckets] or first + index
        last = index + 1 == len(names) or gnu_hash(names[index + 1]) % buckets != value % buckets
        chains.append(value & ~1 | int(last))
    bloom = (1 << (64 if word == "Q" else 32)) - 1  # every name may be there
    table = struct.pack(f"{order}4I{word}", buckets, first, 1, 5, bloom)
    return table + struct.pack(f"{order}{buckets}I{len(chains)}I", *heads, *chains)


def _versions(versions: dict[str, tuple[str, ...]], texts: _Texts, order: str) -> bytes:
    table = b""
    for index, (library, names) in enumerate(versions.items()):
        size = 16 + 16 * len(names)
        following = size if index + 1 < len(versions) else 0
        table += struct.pack(f"{order}HHIII", 1, len(names), texts.add(library), 16, following)
        for place, name in enumerate(names):
            after = 16 if place + 1 < len(names) else 0
            table += struct.pack(f"{order}IHHII", 0, 0, place + 2, texts.add(name), after)
    return table


def make_pe(
    *, imports: tuple[str, ...] = (), delayed: tuple[str, ...] = (), sections: dict[str, bytes] | None = None
) -> bytes:
    """A DLL of 64 bits; each section lies at a page of its own, in memory and in the file."""
    rows, names = b"", _Texts()
    base = PAGE
    delay_at = 20 * (len(imports) + 1)
    names_at = delay_at + 32 * (len(delayed) + 1)
    for name in imports:
        rows += struct.pack("<5I", 0, 0, 0, base + names_at + names.add(name), 0)
    rows += b"\0" * 20
    for name in delayed:
        rows += struct.pack("<8I", 1, base + names_at + names.add(name), 0, 0, 0, 0, 0, 0)
    rows += b"\0" * 32
    parts = {".rdata": rows + names.content, **(sections or {})}
    directories = [
        (0, 0),
        (base, len(rows)),
        *[(0, 0)] * 11,
        (base + delay_at if delayed else 0, 0),
        (0, 0),
        (0, 0),
    ]
    optional = (
        struct.pack("<H", 0x20B) + b"\0" * 110 + b"".join(struct.pack("<II", *row) for row in directories)
    )
    table, body = b"", b""
    for index, (name, content) in enumerate(parts.items()):
        place = base + index * PAGE * 16
        offset = PAGE + len(body)
        padded = content + b"\0" * (-len(content) % 512)
        table += struct.pack("<8sIIII16x", name.encode(), len(content), place, len(padded), offset)
        body += padded
    coff = struct.pack("<4sHHIIIHH", b"PE\0\0", 0x8664, len(parts), 0, 0, 0, len(optional), 0x2022)
    head = b"MZ" + b"\0" * 58 + struct.pack("<I", 64) + coff + optional + table
    return head + b"\0" * (PAGE - len(head)) + body


def make_macho(
    *,
    needed: tuple[str, ...] = (),
    weak: tuple[str, ...] = (),
    name: str | None = None,
    minimum: tuple[int, int] = (11, 0),
    cpu: int = 0x0100000C,
    rpath: str | None = None,
) -> bytes:
    """A library for one processor."""
    commands = [_dylib(0xD, name)] if name else []
    commands += [_dylib(0xC, path) for path in needed]
    commands += [_dylib(0x80000018, path) for path in weak]
    commands.append(struct.pack("<6I", 0x32, 24, 1, minimum[0] << 16 | minimum[1] << 8, 0, 0))
    if rpath:
        text = rpath.encode() + b"\0" * (8 - len(rpath) % 8)
        commands.append(struct.pack("<3I", 0x8000001C, 12 + len(text), 12) + text)
    body = b"".join(commands)
    return struct.pack("<4s7I", b"\xcf\xfa\xed\xfe", cpu, 0, 6, len(commands), len(body), 0, 0) + body


def _dylib(kind: int, path: str) -> bytes:
    text = path.encode() + b"\0" * (8 - len(path) % 8)
    return struct.pack("<6I", kind, 24 + len(text), 24, 0, 0, 0) + text


def make_universal(*slices: tuple[int, bytes]) -> bytes:
    """Several libraries in one file: pairs of processor and content."""
    head = struct.pack(">II", 0xCAFEBABE, len(slices))
    place = PAGE
    table, body = b"", b""
    for cpu, content in slices:
        table += struct.pack(">5I", cpu, 0, place + len(body), len(content), 12)
        body += content + b"\0" * (-len(content) % PAGE)
    return head + table + b"\0" * (PAGE - len(head) - len(table)) + body
