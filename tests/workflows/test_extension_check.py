"""Compiled wheels that do not go with the torch beside them are passed over, or refused with the reason."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from packaging.version import Version

from tests.binaries import make_elf
from tests.faults import Fault, FaultServer
from tests.wheelmaker import make_wheel
from tests.workflows.recorder import Recorder
from torchdoctor.errors import InstallFailed, NoSolution
from torchdoctor.lock import Lock, LockedWheel
from torchdoctor.lock.model import LockRequest
from torchdoctor.resolve import Plan, PlannedPackage
from torchdoctor.resolve.model import SolvedPackage
from torchdoctor.sources import order_sources
from torchdoctor.workflows import extension_check
from torchdoctor.workflows.acquire import fetch_lock
from torchdoctor.workflows.acquire_model import AcquireContext
from torchdoctor.workflows.extension_check import (
    MAX_EXCLUDED,
    exclude_misfit,
    find_misfit_before_fetch,
    find_misfit_without_fetch,
    refuse_replacement,
    skip_extensions,
)

NAME = "_ZN2at4hereEv"
TORCH = {"torch/lib/libtorch_cpu.so": make_elf(defined=(NAME,))}
PLAN = Plan(
    variant="cu126",
    index_url="",
    packages=(
        PlannedPackage(name="torch", version=Version("2.10.0"), known="live", wheel=None, source=None),
    ),
    reasons=(),
)


def extension(
    project="flash-attn",
    *,
    needed=("libtorch.so", "libc10_cuda.so", "libcudart.so.13"),
    undefined=(),
    **extra,
):
    """The name and the bytes of a wheel with one library."""
    library = make_elf(needed=needed, undefined=undefined)
    return make_wheel(project, "1.0", modules={f"{project}/_C.so": library, **extra}, requires=("torch",))


@pytest.fixture
def context(tmp_path):
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    request = LockRequest(
        python=tmp_path / "python", sources=order_sources(offline=False), environ={}, constraints=("numpy<3",)
    )
    return AcquireContext(lock_request=request, cache=tmp_path / "cache", run_dir=run_dir)


def locked(tmp_path, made, url=None):
    """A wheel as a lock has it, on this disk or at a server."""
    name, content = made
    (tmp_path / name).write_bytes(content)
    project = name.partition("-")[0].replace("_", "-")
    return LockedWheel(
        name=project, version=name.split("-")[1], filename=name, url=url or (tmp_path / name).as_uri(),
        sha256=hashlib.sha256(content).hexdigest(), size=len(content),
    )  # fmt: skip


def lock_of(tmp_path, *made):
    torch = make_wheel("torch", "2.10.0+cu126", modules=TORCH)
    return Lock(wheels=tuple(locked(tmp_path, each) for each in (torch, *made)), variant="cu126")


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (extension(), "needs libcudart.so.13 of CUDA 13, and torch 2.10.0 is built for CUDA 12 (cu126)"),
        (
            extension(needed=("libtorch.so", "libc10_hip.so")),
            "needs libc10_hip.so, which torch 2.10.0 as a cu126 build",
        ),
        (
            extension(needed=("libtorch.so",), undefined=("_ZN2at4goneEv",)),
            "torch 2.10.0 has no _ZN2at4goneEv",
        ),
        (extension("new-thing"), "needs libcudart.so.13"),
    ],
    ids=["cuda", "rocm", "symbol", "unknown"],
)
def test_a_lock_with_an_extension_for_another_torch_is_refused(context, tmp_path, made, reason):
    """Nothing of it is installed, and the reason is what its files say."""
    with pytest.raises(InstallFailed) as refused:
        fetch_lock(context, PLAN, lock_of(tmp_path, made), Recorder(), lambda _: None)
    assert refused.value.code == "extension-mismatch"
    assert reason in refused.value.message
    assert refused.value.fix


@pytest.mark.parametrize(
    "made",
    [
        extension(needed=("libtorch.so", "libc10_cuda.so", "libcudart.so.12"), undefined=(NAME,)),
        make_wheel("numpy", "1.0", modules={"numpy/a.so": make_elf(needed=("libcudart.so.13",))}),
        make_wheel("flash-attn", "1.0", tag="py3-none-any", modules={"flash-attn/a.so": "text"}),
        make_wheel("flash-attn", "1.0", modules={"flash-attn/a.so": "no library"}),
    ],
    ids=["fits", "not-torch's", "pure", "damaged"],
)
def test_what_goes_with_torch_is_fetched(context, tmp_path, made):
    """And what cannot be judged, or has nothing to do with torch."""
    report = Recorder()
    acquired = fetch_lock(context, PLAN, lock_of(tmp_path, made), report, lambda _: None)
    assert len(acquired.wheelhouse.wheels) == 2
    assert report.warnings == []


def test_an_extension_that_works_in_part_is_told(context, tmp_path):
    """torchao's kernels are skipped: it can be imported. An unknown package with some that fit may be as well."""
    report = Recorder()
    wheels = (
        extension("torchao"),
        extension("new-thing", **{"new-thing/b.so": make_elf(needed=("libtorch.so",))}),
    )
    fetch_lock(context, PLAN, lock_of(tmp_path, *wheels), report, lambda _: None)
    assert ["only in part" in text for text in report.warnings] == [True, True]


def test_a_package_that_does_not_say_so_is_known_by_its_links(context, tmp_path):
    """Neither its name nor its metadata tells that it is compiled against torch; its library does."""
    library = make_elf(needed=("libtorch.so",), undefined=("_ZN2at4goneEv",))
    made = make_wheel("gemm", "1.0", modules={"gemm/_C.so": library})
    with pytest.raises(InstallFailed, match="has no _ZN2at4goneEv"):
        fetch_lock(context, PLAN, lock_of(tmp_path, made), Recorder(), lambda _: None)


def test_extensions_wait_until_all_is_there(context, tmp_path):
    """They are not unpacked while others download: they may be passed over."""
    made = extension(needed=("libtorch.so", "libcudart.so.12"))
    files = []
    on_file = skip_extensions(files.append)
    assert skip_extensions(None) is None
    fetch_lock(context, PLAN, lock_of(tmp_path, made), Recorder(), lambda _: None, on_file)
    assert [fetched.wheel.name for fetched in files] == ["torch"]


def test_the_names_of_an_installed_torch_count(context, tmp_path):
    """Where torch stays as it is and only the extension is fetched."""
    site = tmp_path / "site"
    (site / "torch" / "lib").mkdir(parents=True)
    (site / "torch" / "lib" / "libtorch_cpu.so").write_bytes(TORCH["torch/lib/libtorch_cpu.so"])
    request = replace(context.lock_request, installed={"torch": "2.10.0+cu126"})
    context = replace(context, lock_request=request, site_packages=(site,))
    lock = lock_of(tmp_path, extension(needed=("libtorch.so",), undefined=("_ZN2at4goneEv",)))
    with pytest.raises(InstallFailed, match="has no _ZN2at4goneEv"):
        fetch_lock(context, PLAN, lock, Recorder(), lambda _: None)


def test_a_wheel_at_a_server_is_looked_into_before_it_is_fetched(context, tmp_path):
    """By ranges; where its server has none, nothing is said yet."""
    name, content = extension()
    with FaultServer() as server:
        server.files[f"/{name}"] = content
        lock = Lock(wheels=(locked(tmp_path, (name, content), f"{server.url}/{name}"),), variant="cu126")
        misfit = find_misfit_before_fetch(PLAN, lock, context)
        assert misfit is not None
        assert (misfit.name, misfit.misfit.code, misfit.misfit.cuda_major) == ("flash-attn", "cuda-major", 13)
        server.fault = lambda _seen: Fault(ranges=False)
        assert find_misfit_before_fetch(PLAN, lock, context) is None
        asked = len(server.seen)
        offline = replace(context, lock_request=replace(context.lock_request, offline=True))
        assert find_misfit_before_fetch(PLAN, lock, offline) is None
        assert len(server.seen) == asked


def serve(server, context, tmp_path, *made, torch=TORCH):
    """A lock of these wheels and of torch, all at the server."""
    wheels = [make_wheel("torch", "2.10.0", modules=torch), *made]
    for name, content in wheels:
        server.files[f"/{name}"] = content
    return Lock(
        wheels=tuple(locked(tmp_path, each, f"{server.url}/{each[0]}") for each in wheels), variant="cu126"
    )


def test_a_dry_run_reads_the_names_of_torch_at_its_server(context, tmp_path):
    """What the installation would find when everything is there; the servers send parts."""
    fits = extension(needed=("libtorch.so",), undefined=(NAME,))
    other = extension("torchtext", needed=("libtorch.so",), undefined=("_ZN2at4goneEv",))
    report = Recorder()
    with FaultServer() as server:
        lock = serve(server, context, tmp_path, fits)
        assert find_misfit_without_fetch(PLAN, lock, context, report) is None
        lock = serve(server, context, tmp_path, fits, other)
        assert find_misfit_before_fetch(PLAN, lock, context) is None
        misfit = find_misfit_without_fetch(PLAN, lock, context, report)
    assert misfit is not None
    assert (misfit.name, misfit.misfit.code, misfit.misfit.needed) == (
        "torchtext",
        "missing-symbol",
        "_ZN2at4goneEv",
    )
    assert not any("not looked into" in text for text in report.notes)


def test_a_dry_run_looks_into_small_wheels_that_require_torch(context, tmp_path):
    """The solve tells which require it; of others neither name nor size tells that a look is worth its time."""
    made = make_wheel(
        "gemm", "1.0", modules={"gemm/_C.so": make_elf(needed=("libtorch.so",), undefined=("_ZN2at4goneEv",))}
    )
    plan = replace(PLAN, solved=(SolvedPackage(name="gemm", version="1.0", asked=True, requires_torch=True),))
    with FaultServer() as server:
        lock = serve(server, context, tmp_path, made)
        assert find_misfit_without_fetch(PLAN, lock, context, Recorder()) is None
        misfit = find_misfit_without_fetch(plan, lock, context, Recorder())
    assert misfit is not None
    assert misfit.name == "gemm"


@pytest.mark.parametrize("silent", ["torch", "flash_attn"])
def test_a_dry_run_says_what_it_could_not_look_into(silent, context, tmp_path):
    """A server without parts of files: the extension's, or the one of torch, whose names are needed then."""
    report = Recorder()
    made = extension(needed=("libtorch.so",), undefined=("_ZN2at4goneEv",))
    with FaultServer() as server:
        lock = serve(server, context, tmp_path, made)
        server.fault = lambda seen: Fault(ranges=silent not in seen.path)
        assert find_misfit_without_fetch(PLAN, lock, context, report) is None
    assert [text for text in report.notes if "not looked into" in text] == [
        "not looked into before it is fetched, whether it goes with this torch: flash-attn 1.0"
    ]


def test_a_dry_run_warns_of_what_loses_parts(context, tmp_path):
    """As the installation does."""
    report = Recorder()
    with FaultServer() as server:
        lock = serve(server, context, tmp_path, extension("torchao"))
        assert find_misfit_without_fetch(PLAN, lock, context, report) is None
    assert ["only in part" in text for text in report.warnings] == [True]


def remote_misfit(context, tmp_path, version="1.0"):
    name, content = extension()
    with FaultServer() as server:
        server.files[f"/{name}"] = content
        wheel = locked(tmp_path, (name, content), f"{server.url}/{name}")
        lock = Lock(wheels=(replace(wheel, version=version),), variant="cu126")
        return find_misfit_before_fetch(PLAN, lock, context)


def test_another_version_is_looked_for_a_few_times(context, tmp_path):
    """Each that was tried is passed over with a warning, and in the end the newest one's reason is the error."""
    report = Recorder()
    for number in range(MAX_EXCLUDED):
        misfit = remote_misfit(context, tmp_path, f"9.{20 - number}")
        context = exclude_misfit(context, misfit, report)
    assert context.lock_request.constraints == (
        "numpy<3",
        *(f"flash-attn!=9.{20 - at}" for at in range(MAX_EXCLUDED)),
    )
    assert len(report.warnings) == MAX_EXCLUDED
    with pytest.raises(NoSolution, match=r"flash-attn 9\.20: _C\.so needs libcudart\.so\.13") as refused:
        exclude_misfit(context, remote_misfit(context, tmp_path, "9.1"), report)
    assert refused.value.code == "extension-mismatch"
    assert "CUDA 13" in refused.value.fix


def test_a_version_of_python_alone_is_no_replacement(context, tmp_path):
    """The early ones of many extensions were, and do something else."""
    context = exclude_misfit(context, remote_misfit(context, tmp_path), Recorder())
    refuse_replacement(context, Lock(wheels=(locked(tmp_path, extension()),)))
    pure = make_wheel("flash-attn", "0.1", tag="py3-none-any")
    with pytest.raises(NoSolution, match=r"no version of flash-attn"):
        refuse_replacement(context, Lock(wheels=(locked(tmp_path, pure),)))


def test_a_slow_server_is_given_up(context, tmp_path, monkeypatch):
    """Looking into wheels takes no longer than its limit; they are looked into when they were fetched."""
    monkeypatch.setattr(extension_check, "_REMOTE_SECONDS", 0.3)
    name, content = extension()
    with FaultServer() as server:
        server.files[f"/{name}"] = content
        server.fault = lambda _seen: Fault(stall_after=0)
        lock = Lock(wheels=(locked(tmp_path, (name, content), f"{server.url}/{name}"),), variant="cu126")
        assert find_misfit_before_fetch(PLAN, lock, context) is None
