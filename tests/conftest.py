"""Real parts that the tests share: the program as a process, an index on loopback, one real environment."""

from __future__ import annotations

import contextvars
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from filelock import FileLock

from tests.kinds import (
    pytest_collection_modifyitems,
    pytest_runtest_call,
    pytest_runtest_makereport,
    pytest_runtest_protocol,
)
from tests.loopback import LoopbackIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = [
    "pytest_collection_modifyitems",
    "pytest_runtest_call",
    "pytest_runtest_makereport",
    "pytest_runtest_protocol",
]

# A busy machine is no failure: nothing in a test rests on time.
hypothesis.settings.register_profile("torchdoctor", deadline=None)
hypothesis.settings.load_profile("torchdoctor")

# Most tests install small wheels under the names of real ones, which nobody vouches for; tests/security/ takes it back.
TRUSTING = {
    f"TORCHDOCTOR_{command}_TRUST_MIRROR": "1"
    for command in (
        "INSTALL",
        "ADD",
        "DOCTOR",
        "HOLD",
        "RESTORE",
        "UNDO",
        "UPGRADE",
        "RESOLVE",
        "DOWNLOAD",
        "JUPYTER_KERNEL_ADD",
    )
}
os.environ.update(TRUSTING)
# Several tests run at a time: a thread of torch that waits leaves its core to the others.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# The release that the tests prove end to end: a CPU build of moderate size.
TORCH = "2.13.0"
PYTHON = "3.11"


if "PYTEST_XDIST_WORKER" in os.environ:
    # A worker ignores Ctrl-C, and so would every program that a test starts and interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        document = json.loads(self.out)
        assert isinstance(document, dict)
        return document


def run_torchdoctor(
    *arguments: object, environ: dict[str, str] | None = None, cwd: Path | None = None, limit: float = 300
) -> Ran:
    """Run the program as a user would, and give up after `limit` seconds."""
    done = subprocess.run(
        [sys.executable, "-m", "torchdoctor", *map(str, arguments)],
        capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=limit, check=False,
        env={**os.environ, **(environ or {})}, cwd=cwd, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    """An index on loopback that lists nothing yet."""
    with LoopbackIndex() as made:
        yield made


def settings_of_nobody(folder: Path, index_url: str) -> dict[str, str]:
    """Variables for a user below `folder` who has no settings of pip's and uv's, and whose PyPI is at `index_url`."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CONFIG_DIRS": str(home / "etc"),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": f"{index_url}/simple",
        "PIP_FIND_LINKS": "",
        "PIP_EXTRA_INDEX_URL": "",
        "TORCHDOCTOR_CACHE_DIR": str(folder / "cache"),
        "TORCHDOCTOR_DATA_DIR": str(folder / "data"),
        "UV_CACHE_DIR": str(folder / "uv-cache"),
        "JUPYTER_DATA_DIR": str(home / "jupyter"),
        "NO_PROXY": "*",
    }


@pytest.fixture
def alone(tmp_path: Path, index: LoopbackIndex) -> dict[str, str]:
    """Variables for a user who has no settings of pip's and uv's, and whose PyPI is the loopback index."""
    return settings_of_nobody(tmp_path, index.url)


@pytest.fixture
def torchdoctor(alone: dict[str, str], tmp_path: Path) -> Callable[..., Ran]:
    """The program, run with the settings of `alone` in a folder of its own."""
    folder = tmp_path / "work"
    folder.mkdir()

    def run(*arguments: object, limit: float = 300, **more: str) -> Ran:
        return run_torchdoctor(*arguments, environ={**alone, **more}, cwd=folder, limit=limit)

    return run


def run_here(arguments: Sequence[object], environ: dict[str, str], cwd: Path) -> Ran:
    """Run a command in this process, in English: what `run_torchdoctor` gives, without the start of a Python."""
    from torchdoctor.cli import app
    from torchdoctor.cli.language import set_requested_language
    from torchdoctor.core.i18n import catalog

    argv = [str(argument) for argument in arguments]
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch, Path(os.devnull).open(encoding="utf-8") as nothing:
        for name, value in {**environ, "LC_ALL": "C.UTF-8", "LANGUAGE": "en"}.items():
            patch.setenv(name, value)
        patch.chdir(cwd)
        # As in a process of its own: no other test has chosen a language for this context.
        patch.setattr(catalog, "_context_language", contextvars.ContextVar("language", default=None))
        patch.setattr(catalog, "_program_language", "en")  # and no later one is in the language of this
        patch.setattr(sys, "stdin", nothing)
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        set_requested_language(argv)
        status = app._run(argv)
    return Ran(status, out.buffer.getvalue().decode(), err.buffer.getvalue().decode())


@pytest.fixture
def in_process(alone: dict[str, str], tmp_path: Path) -> Callable[..., Ran]:
    """The program as `torchdoctor` runs it, in this process: for commands that start none themselves."""
    folder = tmp_path / "work"
    folder.mkdir(exist_ok=True)
    return lambda *arguments, **more: run_here(arguments, {**alone, **more}, folder)


@dataclass(frozen=True)
class RealInstall:
    """What `torchdoctor install` made of the real torch, once for the whole run."""

    folder: Path
    ran: Ran

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"


def _missing(reason: str) -> None:
    """Without a torch to be had these tests cannot run; where CI counts on them that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run, the same one for all workers of xdist."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def once(run_folder: Path) -> Callable[[str, Callable[[Path], object]], Any]:
    """Make something in a folder once for the whole run; gives what the first worker that came got, through JSON."""

    def made(name: str, make: Callable[[Path], object]) -> Any:  # whatever JSON holds
        result = run_folder / f"{name}.json"
        with FileLock(run_folder / f"{name}.lock"):
            if not result.exists():
                folder = run_folder / name
                folder.mkdir()
                result.write_text(json.dumps(make(folder)), "utf-8")
        return json.loads(result.read_text("utf-8"))

    return made


@pytest.fixture(scope="session")
def _real_install(once: Callable[[str, Callable[[Path], object]], Any], run_folder: Path) -> RealInstall:
    folder = run_folder / "real" / "an environment"

    def install(_: Path) -> dict[str, object]:
        ran = run_torchdoctor(
            "install", folder, "--torch", TORCH, "--variant", "cpu", "--python", PYTHON, "--with", "ipykernel",
            "--with", "numpy", "--no-verify", "--json", limit=900,
        )  # fmt: skip
        return asdict(ran)

    return RealInstall(folder, Ran(**once("real", install)))


@pytest.fixture
def real(_real_install: RealInstall) -> RealInstall:
    """The real torch, installed by `torchdoctor install`."""
    ran = _real_install.ran
    if ran.status != 0:
        _missing(
            f"torchdoctor install could not bring torch {TORCH}+cpu for Python {PYTHON}: {ran.out}{ran.err}"
        )
    return _real_install


@pytest.fixture
def torch_python(real: RealInstall) -> Path:
    """The interpreter of an environment that has the real torch."""
    return real.python


@pytest.fixture(scope="session")
def _quick_bench(
    once: Callable[[str, Callable[[Path], object]], Any], _real_install: RealInstall
) -> dict[str, object]:
    def measure(_: Path) -> dict[str, object]:
        options = ("--quick", "--device", "cpu", "--json")
        return asdict(run_torchdoctor("bench", _real_install.folder, *options, limit=600))

    return once("bench", measure)


@pytest.fixture
def quick_bench(real: RealInstall, _quick_bench: dict[str, Any]) -> Ran:  # without torch, skip
    """`torchdoctor bench --quick` of the real torch on the CPU, once for the whole run."""
    return Ran(**_quick_bench)
