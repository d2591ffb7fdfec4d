"""Environments, really broken: one way of breaking each, with the failure that must be found first."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.wheelmaker import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["BROKEN", "Broken", "Place", "copy_of"]

LIBRARY = "nvidia-cublas-cu12==12.8.4.1; platform_system == 'Linux'"
CUDA = "2.9.1+cu128"
A100 = "NVIDIA A100", "8.0"
GPU = (
    "driver {driver}\ncuda {cuda}\ngpu {major} {minor} 25757220864 {name}\n"
    "set uuid GPU-11111111-1111-4111-8111-111111111111\n"
)


@dataclass(frozen=True)
class Place:
    """Where one environment is broken: `env` and its `site` packages, and `folder` for what lies beside it."""

    env: Path
    folder: Path
    library: Path | None = None

    @property
    def site(self) -> Path:
        return next(self.env.glob("lib/python*/site-packages"))

    def put(self, name: str, version: str, where: Path | None = None, **more: object) -> None:
        """Unpack a small wheel over what is there, as a careless installation does."""
        file, content = make_wheel(name, version, **more)  # type: ignore[arg-type]
        path = self.folder / file
        path.write_bytes(content)
        where = where or self.site
        where.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "zipfile", "-e", path, where], check=True)

    def torch(self, version: str, *requires: str) -> None:
        """A small torch of that version in place of the real one."""
        for path in (*self.site.glob("torch-*.dist-info"), self.site / "torch"):
            shutil.rmtree(path)
        # What torchdoctor wrote down is of the other torch, which was not replaced but taken away.
        (self.env / "torchdoctor.json").unlink(missing_ok=True)
        cuda = version.partition("+cu")[2]
        said = f"{cuda[:-1]}.{cuda[-1]}" if cuda else None
        text = f"__version__ = '{version}'\ncuda = {said!r}\nhip = None\n"
        self.put("torch", version, requires=requires, modules={"torch/version.py": text})

    def gpu(
        self, name: str, capability: str, *, driver: str = "570.124.06", more: str = ""
    ) -> dict[str, str]:
        """The variables of a process for which the C library in `tests/machine` is the driver's."""
        major, _, minor = capability.partition(".")
        cuda = {"5": 12080, "4": 11040, "3": 9010}[driver[0]]
        text = GPU.format(driver=driver, cuda=cuda, major=major, minor=minor, name=name) + more
        return self.nvml(text)

    def nvml(self, text: str) -> dict[str, str]:
        """The same, from the lines that the library answers by."""
        assert self.library is not None
        answers = self.folder / "answers"
        answers.write_text(text)
        return {"LD_LIBRARY_PATH": str(self.library), "FAKE_NVML": str(answers)}


@dataclass(frozen=True)
class Broken:
    """One broken environment.

    `broken` breaks it and gives the variables to run with; `cause` and `fix` are words, any of which a text must have
    that names them. `imports` says that the failure shows only when torch is imported, `driver` that a GPU is needed.
    """

    failure: str
    about: str
    broken: Callable[[Place], dict[str, str] | None]
    cause: tuple[str, ...]
    fix: tuple[str, ...]
    imports: bool = False
    driver: bool = False
    here: str = ""


def copy_of(real: Path, target: Path) -> Path:
    """An environment of one's own with the real torch: a copy by hard links, to be broken."""
    shutil.copytree(
        real, target, symlinks=True, copy_function=lambda one, two: os.link(one, two, follow_symlinks=False)
    )
    return target


def _rewritten(path: Path, content: bytes) -> None:
    # A copy by hard links shares its bytes: what is written in place would break the other as well.
    path.unlink()
    path.write_bytes(content)


def _deleted_library(place: Place) -> None:
    (place.site / "torch" / "lib" / "libtorch_cpu.so").unlink()


def _library_cut_short(place: Place) -> None:
    path = place.site / "torch" / "lib" / "libc10.so"
    _rewritten(path, path.read_bytes()[:4096])


def _broken_record(place: Place) -> None:
    path = next(place.site.glob("torch-*.dist-info")) / "RECORD"
    lines = path.read_text().splitlines()
    wrong = [",".join((*line.split(",")[:2], "1")) if "functional.py" in line else line for line in lines]
    _rewritten(path, ("\n".join(wrong) + "\n").encode())


def _own_torch(place: Place) -> None:
    (place.folder / "project").mkdir()
    (place.folder / "project" / "torch.py").write_text("print('mine')\n")


def _own_types(place: Place) -> None:
    (place.folder / "project").mkdir()
    (place.folder / "project" / "random.py").write_text("print('mine')\n")


def _torchvision(place: Place) -> None:
    place.put("torchvision", "0.19.1", requires=("torch==2.4.1",))


def _torchaudio(place: Place) -> None:
    place.put("torchaudio", "2.4.1", requires=("torch==2.4.1",))


def _cpu_torchvision(place: Place) -> dict[str, str]:
    place.torch("2.9.1+cu128")
    place.put("torchvision", "0.24.1+cpu", requires=("torch==2.9.1",))
    return place.gpu("NVIDIA GeForce RTX 4090", "8.9")


def _python_path(place: Place) -> dict[str, str]:
    place.put("torch", "2.9.1+cpu", place.folder / "other")
    return {"PYTHONPATH": str(place.folder / "other")}


def _user_site(place: Place) -> dict[str, str]:
    settings = place.env / "pyvenv.cfg"
    text = settings.read_text().replace("system-site-packages = false", "system-site-packages = true")
    _rewritten(settings, text.encode())
    version = place.site.parent.name
    place.put("torch", "2.9.1+cpu", place.folder / "home" / ".local" / "lib" / version / "site-packages")
    return {"HOME": str(place.folder / "home")}


def _moved(place: Place) -> None:
    for name in ("pip", "pip3"):
        path = place.env / "bin" / name
        _rewritten(path, f"#!/home/somebody/old/bin/python\n{path.read_text()}".encode())


def _openmp(place: Place) -> None:
    for folder in (place.env / "lib", place.site / "faiss.libs"):
        folder.mkdir(exist_ok=True)
        (folder / "libiomp5.so").write_bytes(b"\x7fELF")


def _conda_and_pip(place: Place) -> None:
    meta = place.env / "conda-meta"
    meta.mkdir()
    document = {
        "name": "pytorch",
        "version": "2.5.1",
        "build": "cpu_generic_py311_h1",
        "channel": "conda-forge",
    }
    (meta / "pytorch-2.5.1-cpu_generic_py311_h1.json").write_text(json.dumps(document))


def _libraries_missing(place: Place) -> None:
    place.torch("2.9.1+cu128", LIBRARY, "nvidia-cudnn-cu12==9.10.2.21; platform_system == 'Linux'")


def _libraries_mixed(place: Place) -> None:
    place.torch("2.9.1+cu128", LIBRARY)
    place.put("nvidia-cublas-cu12", "12.4.5.8")


def _dependencies_missing(place: Place) -> None:
    for path in (*place.site.glob("sympy*"), *place.site.glob("filelock*")):
        shutil.rmtree(path)


def _dependency_of_one_missing(place: Place) -> None:
    for path in place.site.glob("mpmath*"):
        shutil.rmtree(path)


def _dependency_too_old(place: Place) -> None:
    for path in place.site.glob("networkx*"):
        shutil.rmtree(path)
    place.put("networkx", "2.4")


def _no_triton(place: Place) -> None:
    place.torch("2.9.1+cu128", "triton==3.5.1; platform_system == 'Linux'")


def _old_for_numpy(place: Place) -> None:
    place.torch("2.2.2+cpu")


def _foreign_library(place: Place) -> dict[str, str]:
    folder = place.folder / "cuda" / "lib64"
    folder.mkdir(parents=True)
    (folder / "libgomp.so.1").write_bytes(b"no library")
    (folder / "libstdc++.so.6").write_bytes(b"no library")
    return {"LD_LIBRARY_PATH": str(folder)}


def _cpu_build(place: Place) -> dict[str, str]:
    return place.gpu("NVIDIA GeForce RTX 4090", "8.9")


def _hidden(value: str) -> Callable[[Place], dict[str, str]]:
    def broken(place: Place) -> dict[str, str]:
        place.torch("2.9.1+cu128")
        return {**place.gpu("NVIDIA GeForce RTX 4090", "8.9"), "CUDA_VISIBLE_DEVICES": value}

    return broken


def _on(version: str, name: str, capability: str, **more: str) -> Callable[[Place], dict[str, str]]:
    def broken(place: Place) -> dict[str, str]:
        place.torch(version)
        return place.gpu(name, capability, **more)

    return broken


def _refused(code: int) -> Callable[[Place], dict[str, str]]:
    def broken(place: Place) -> dict[str, str]:
        place.torch("2.9.1+cu128")
        return place.nvml(f"init {code}\n")

    return broken


BROKEN = (
    Broken("partial-install", "a library of torch deleted", _deleted_library,
           ("libtorch_cpu.so", "missing file", "files are not"), ("reinstall", "anew")),
    Broken("partial-install", "a library cut short", _library_cut_short,
           ("libc10.so", "truncated", "cut short"), ("reinstall", "anew")),
    Broken("partial-install", "a file not as its RECORD says", _broken_record,
           ("functional.py", "record"), ("reinstall", "anew")),
    Broken("local-file-shadows-torch", "a torch.py in the folder", _own_torch,
           ("torch.py",), ("rename",), here="project"),
    Broken("local-file-shadows-torch", "a random.py in the folder", _own_types,
           ("random.py",), ("rename",), here="project"),
    Broken("torchvision-mismatch", "a torchvision of another torch", _torchvision,
           ("torchvision",), ("install torchvision", "torchvision==", "install the torchvision")),
    Broken("torchaudio-mismatch", "a torchaudio of another torch", _torchaudio,
           ("torchaudio",), ("install torchaudio", "torchaudio==", "install the torchaudio")),
    Broken("torchvision-cpu-with-cuda-torch", "a CPU torchvision beside a CUDA torch", _cpu_torchvision,
           ("cpu torchvision", "torchvision cpu", "torchvision is cpu"), ("torchvision==",), driver=True),
    Broken("pythonpath-pollution", "another torch on PYTHONPATH", _python_path,
           ("pythonpath",), ("unset pythonpath",)),
    Broken("user-site-shadowing", "another torch in ~/.local", _user_site,
           (".local",), ("pythonnousersite",)),
    Broken("env-moved-or-copied", "a moved environment", _moved,
           ("moved", "/home/somebody/old"), ("doctor", "new environment beside")),
    Broken("duplicate-openmp", "two Intel OpenMP runtimes", _openmp,
           ("openmp",), ("one source", "nomkl")),
    Broken("conda-pip-mix", "torch by conda and by pip", _conda_and_pip,
           ("conda and pip", "both conda"), ("one installer", "new environment")),
    Broken("nvidia-wheels-missing", "nvidia-* packages left out", _libraries_missing,
           ("nvidia-cublas",), ("install what this torch requires", "nvidia-cublas-cu12==12.8")),
    Broken("nvidia-wheels-mixed", "an nvidia-* package of another version", _libraries_mixed,
           ("nvidia-cublas",), ("put back", "reinstall", "nvidia-cublas-cu12==12.8")),
    Broken("torch-dependency-missing", "sympy and filelock taken away", _dependencies_missing,
           ("sympy", "filelock"), ("install torch again", "reinstall", "install sympy")),
    Broken("torch-dependency-missing", "what sympy needs taken away", _dependency_of_one_missing,
           ("mpmath",), ("install torch again", "reinstall", "install mpmath")),
    Broken("torch-dependency-version", "a package older than torch allows", _dependency_too_old,
           ("networkx",), ("install torch again", "reinstall", "networkx>=")),
    Broken("triton-missing", "Triton left out", _no_triton,
           ("triton",), ("install torch again", "reinstall", "install triton")),
    Broken("numpy2-abi", "NumPy 2 beside torch 2.2", _old_for_numpy,
           ("numpy 2", "numpy"), ("numpy<2", "downgrade numpy")),
    Broken("ld-library-path-pollution", "foreign libraries on LD_LIBRARY_PATH", _foreign_library,
           ("libgomp", "libstdc++", "ld_library_path is searched"), ("unset ld_library_path",), imports=True),
    Broken("cpu-only-wheel", "a CPU build beside an RTX 4090", _cpu_build,
           ("cpu-only", "cpu only"), ("--index-url", "cuda-enabled pytorch wheel"), driver=True),
    Broken("cuda-visible-devices-wrong", "CUDA_VISIBLE_DEVICES empty", _hidden(""),
           ("hides", "hidden"), ("unset cuda_visible_devices",), driver=True),
    Broken("cuda-visible-devices-wrong", "CUDA_VISIBLE_DEVICES=-1", _hidden("-1"),
           ("hides", "hidden"), ("unset cuda_visible_devices",), driver=True),
    Broken("cuda-visible-devices-wrong", "CUDA_VISIBLE_DEVICES=7 with one GPU", _hidden("7"),
           ("hides", "hidden"), ("unset cuda_visible_devices",), driver=True),
    Broken("driver-too-old", "a driver too old for the build",
           _on(CUDA, "NVIDIA GeForce RTX 3090", "8.6", driver="470.82.01"),
           ("too old", "older than", "supports up to", "newer generation than the driver"),
           ("update the nvidia driver", "update the host's nvidia driver", "update the driver", "upgrade gpu driver"),
           driver=True),
    Broken("gpu-arch-too-old", "a GPU that the build dropped", _on(CUDA, "NVIDIA GeForce GTX 1080", "6.1"),
           ("(6.1", "6.1)", "sm_61", "too old for"), ("cu126", "cu118"), driver=True),
    Broken("gpu-arch-too-new", "a GPU newer than the build", _on("2.5.1+cu124", "NVIDIA GeForce RTX 5090", "12.0"),
           ("(12.0", "sm_120", "too new for"), ("cu128", "cu129", "cu130"), driver=True),
    Broken("wrong-vendor-build", "an AMD build beside an NVIDIA GPU",
           _on("2.9.1+rocm6.4", "NVIDIA GeForce RTX 4090", "8.9"),
           ("rocm build", "amd build", "for amd", "another vendor"), ("--index-url", "/cu"), driver=True),
    Broken("driver-library-mismatch", "NVML says version mismatch", _refused(18),
           ("library version mismatch", "nvml version mismatch", "of two versions"), ("reboot", "restart"),
           driver=True),
    Broken("exclusive-compute-mode", "compute mode: prohibited",
           _on(CUDA, *A100, more="set compute_mode 2\n"),
           ("compute mode", "prohibited"), ("-c 0", "compute-mode=0", "-c default"), driver=True),
    Broken("gpu-ecc-errors", "uncorrectable memory errors", _on(CUDA, *A100, more="set ecc_errors 3 9\n"),
           ("ecc", "memory error"), ("reset", "replace", "reboot"), driver=True),
    Broken("gpu-xid-hardware", "a GPU that fell off the bus", _on(CUDA, "lost", "8.0"),
           ("lost", "fallen off", "xid", "hardware"), ("reboot", "reseat", "power"), driver=True),
    Broken("mig-not-selected", "MIG without a slice", _on(CUDA, *A100, more="set mig 1 1\n"),
           ("mig is on", "mig enabled", "mig mode", "mig slice", "no slice"),
           ("mig 0", "make one", "create a mig", "-cgi"), driver=True),
    Broken("gpu-memory-held-by-others", "a GPU whose memory is taken",
           _on(CUDA, *A100, more="set used 25700000000\n"),
           ("in use", "memory"), ("nvidia-smi", "fuser"), driver=True),
)  # fmt: skip
