"""The check of what torch loads late: each library is loaded and asked its version, NVRTC and ptxas are run."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import ctypes
import json
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator, NamedTuple

from ..devices import kind
from ..message import joined, sentence
from ..requirements import required_packages
from ..step import Outcome, failed, passed, skipped, warned

__all__ = ["late_libraries", "table"]

_TABLE = Path(__file__).parent.parent / "late_libraries.json"
_PROGRAM_SECONDS = 30.0
_MAX_NAMED = 4
# What the loader of glibc says, which is not translated: https://sourceware.org/git/?p=glibc.git;f=elf/dl-load.c
_CAUSES = (
    ("late-library-mixed", re.compile(r"undefined symbol|version `[^']*' not found|not defined in file")),
    ("late-library-missing", re.compile(r"cannot open shared object file")),
    (
        "late-library-cut",
        re.compile(r"file too short|invalid ELF header|cannot read file data|ELF load command"),
    ),
)
# Of several problems the outcome carries the first of these codes.
_CODES = ("late-library-cut", "late-library-missing", "late-library-mixed", "late-library-unusable")
_PROGRAM = b'extern "C" __global__ void one(float *x) { x[threadIdx.x] += 1.0f; }\n'


class _Loaded(NamedTuple):
    """A library that was loaded; `version` as it says itself."""

    name: str
    file: Path
    version: str | None


class _Problem(NamedTuple):
    code: str
    text: str


def table() -> dict[str, Any]:
    """Return the libraries and programs that are used late, each with its source."""
    document: dict[str, Any] = json.loads(_TABLE.read_text("utf-8"))
    return document


def late_libraries(torch: Any, device: str) -> Outcome:
    """Load each library that torch uses late, as torch would find it; use each once where `device` is a GPU."""
    cuda = getattr(torch.version, "cuda", None)
    if not cuda or not sys.platform.startswith("linux"):
        return skipped("no-late-libraries", sentence("not a CUDA build for Linux: nothing is loaded late"))
    site = Path(str(torch.__file__)).resolve().parent.parent
    sites = tuple(dict.fromkeys((site, *(Path(folder).resolve() for folder in sys.path if folder))))
    required = {each.name for each in required_packages("torch")}
    loaded: list[_Loaded] = []
    problems: list[_Problem] = []
    elsewhere: list[str] = []
    for library in table()["libraries"]:
        wanted = any(re.match(library["project"] + "$", name) for name in required)
        soname = library["sonames"].get(str(cuda).partition(".")[0])
        found = [
            file
            for file in _files(sites, library["file"], str(cuda))
            if soname is None or file.name == soname or file.name.startswith(soname + ".")
        ]
        if found:
            for file in found:
                _load(library, file, loaded, problems)
        elif wanted:
            _look_elsewhere(library, str(cuda), elsewhere, problems)
    problems += [problem for problem in (_compile_with(loaded),) if problem]
    problems += _run_programs(site)
    problems += _use_on_gpu(torch, device)
    return _outcome(loaded, problems, elsewhere)


def _outcome(loaded: list[_Loaded], problems: list[_Problem], elsewhere: list[str]) -> Outcome:
    if problems:
        code = min((problem.code for problem in problems), key=_CODES.index)
        texts = [problem.text for problem in problems]
        more = len(texts) - _MAX_NAMED
        rest = sentence(" and {shown} more", shown=more) if more > 0 else ""
        text = joined([joined(texts[:_MAX_NAMED], "; "), rest], "")
        return failed(code, text, tuple(str(each) for each in texts))
    if elsewhere:
        return warned("late-library-elsewhere", joined(elsewhere, "; "))
    if not loaded:
        return skipped("no-late-libraries", sentence("its libraries are not in packages of their own"))
    named = [f"{each.name} {each.version}" for each in loaded if each.version]
    if not named:
        return passed(sentence("{count} libraries can be loaded", count=len(loaded)))
    return passed(
        sentence("{count} libraries can be loaded: {named}", count=len(loaded), named=joined(named))
    )


def _files(sites: tuple[Path, ...], pattern: str, cuda: str) -> Iterator[Path]:
    """The files of one kind in the order in which torch looks for them, each name once.

    Torch's own folder first, then the others of the path: an environment may share the packages of its Python, and
    torch finds NVIDIA's there too (`_preload_cuda_deps` in torch/__init__.py).
    """
    folders = [*sorted(sites[0].glob("nvidia/*/lib")), sites[0] / "torch" / "lib"]
    folders += [folder for site in sites[1:] for folder in sorted(site.glob("nvidia/*/lib"))]
    major = cuda.partition(".")[0]
    seen = set()
    for folder in folders:
        # nvidia/cu12 of another family lies beside nvidia/cu13.
        other = re.match(r"cu(\d+)$", folder.parent.name)
        if other and other.group(1) != major:
            continue
        for file in sorted(folder.glob(pattern)):
            if file.name not in seen and ".alt." not in file.name:
                seen.add(file.name)
                yield file


def _is_cut(file: Path) -> bool:
    """Whether a library is shorter than its own headers say: loading it could end the process (SIGBUS).

    https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.pheader.html
    """
    try:
        with file.open("rb") as opened:
            head = opened.read(64)
            if len(head) < 64 or head[:4] != b"\x7fELF":  # the first header of a 64-bit file
                return True
            start, (each, count) = struct.unpack_from("<Q", head, 32)[0], struct.unpack_from("<HH", head, 54)
            opened.seek(start)
            table = opened.read(each * count)
        rows = (
            [struct.unpack_from("<IIQQQQ", table, place) for place in range(0, each * count, each)]
            if each
            else []
        )
    except (OSError, struct.error, ValueError, OverflowError):
        return True
    return file.stat().st_size < max((row[2] + row[5] for row in rows if row[0] == 1), default=0)


def _load(library: dict[str, Any], file: Path, loaded: list[_Loaded], problems: list[_Problem]) -> None:
    if _is_cut(file):
        text = sentence("{name} ({used_by}) is cut or damaged", name=file.name, used_by=library["used_by"])
        problems.append(_Problem("late-library-cut", text))
        return
    try:
        handle = ctypes.CDLL(str(file))
        version = _version(handle, library)
    except OSError as error:
        text = sentence(
            "{name} ({used_by}) cannot be loaded: {why}",
            name=file.name, used_by=library["used_by"], why=" ".join(str(error).split())[:300],
        )  # fmt: skip
        problems.append(_Problem(_code(str(error)), text))
    else:
        loaded.append(_Loaded(library["name"], file, version))


def _code(text: str) -> str:
    return next((code for code, pattern in _CAUSES if pattern.search(text)), "late-library-unusable")


def _version(handle: ctypes.CDLL, library: dict[str, Any]) -> str | None:
    function = getattr(handle, library["version"], None) if library["version"] else None
    if function is None:
        return None
    numbers = [ctypes.c_int(0) for _ in range(library["numbers"])]
    function.restype = ctypes.c_int if numbers else ctypes.c_size_t
    result = function(*[ctypes.byref(number) for number in numbers])
    if numbers:
        return None if result else ".".join(str(number.value) for number in numbers)
    return str(result)


def _look_elsewhere(
    library: dict[str, Any], cuda: str, elsewhere: list[str], problems: list[_Problem]
) -> None:
    """A library that is not in the environment may be one of the system's."""
    name = library["sonames"].get(cuda.partition(".")[0])
    if name is not None and _can_be_loaded(name):
        text = sentence(
            "{name}, which {used_by} uses, is not in the environment; the system's is loaded",
            name=name, used_by=library["used_by"],
        )  # fmt: skip
        elsewhere.append(text)
    else:
        text = sentence(
            "{name} is missing, and {used_by} needs it",
            name=name or library["file"],
            used_by=library["used_by"],
        )
        problems.append(_Problem("late-library-missing", text))


def _can_be_loaded(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _compile_with(loaded: list[_Loaded]) -> _Problem | None:
    """Compile a kernel with NVRTC, which opens its builtins for it and needs no GPU."""
    file = next((each.file for each in loaded if each.file.name.startswith("libnvrtc.so")), None)
    if file is None:
        return None
    nvrtc = ctypes.CDLL(str(file))
    if not hasattr(nvrtc, "nvrtcCreateProgram"):
        return None
    program = ctypes.c_void_p()
    result = nvrtc.nvrtcCreateProgram(ctypes.byref(program), _PROGRAM, b"one.cu", 0, None, None)
    if result == 0:
        result = nvrtc.nvrtcCompileProgram(program, 0, None)
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    if result == 0:
        return None
    nvrtc.nvrtcGetErrorString.restype = ctypes.c_char_p
    said = (nvrtc.nvrtcGetErrorString(result) or b"").decode("utf-8", "replace")
    return _Problem("late-library-unusable", sentence("NVRTC compiles no kernel: {said}", said=said))


def _run_programs(site: Path) -> Iterator[_Problem]:
    for program in table()["programs"]:
        for name in program["files"]:
            path = site / name
            if path.is_file():
                why = _answer(path)
                if why:
                    text = sentence(
                        "{name} ({used_by}) does not run: {why}",
                        name=name,
                        used_by=program["used_by"],
                        why=why,
                    )
                    yield _Problem("late-library-cut", text)


def _use_on_gpu(torch: Any, device: str) -> Iterator[_Problem]:
    """One operation for each library that is first used then; nothing on a device that is no GPU of NVIDIA."""
    if kind(device) != "cuda":
        return
    for name, operation in (
        ("torch.linalg", lambda matrix: torch.linalg.solve(matrix, matrix)),
        ("torch.fft", torch.fft.rfft),
        ("torch.special", torch.special.bessel_j0),
        ("torch.sparse", lambda matrix: matrix.to_sparse_csr() @ matrix),
        ("torch.profiler", lambda matrix: _profile(torch, matrix)),
    ):
        try:
            operation(torch.eye(8, device=device))
            torch.cuda.synchronize(device)
        except Exception as error:  # noqa: BLE001  # whatever it raises is the reason
            text = sentence(
                "{name} fails on the GPU: {why}", name=name, why=" ".join(str(error).split())[:300]
            )
            yield _Problem(_code(str(error)), text)


def _profile(torch: Any, matrix: Any) -> None:
    kinds = torch.profiler.ProfilerActivity
    with torch.profiler.profile(activities=[kinds.CPU, kinds.CUDA]):
        matrix.sum()


def _answer(path: Path) -> str | None:
    """Why a program does not answer with its version; None where it does."""
    try:
        done = subprocess.run(  # a file of the environment's own
            [str(path), "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
            timeout=_PROGRAM_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        return " ".join(str(error).split())[:300]
    said = done.stderr.decode("utf-8", "replace").strip()[:200]
    return None if done.returncode == 0 else said or sentence("it ends with {code}", code=done.returncode)
