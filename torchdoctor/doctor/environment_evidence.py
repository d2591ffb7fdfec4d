"""What lies in an environment, as facts of a case: torch, its neighbours, what is in the way, what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import joined, message, plural
from torchdoctor.diagnose.evidence import Observation
from torchdoctor.doctor.pip_leftovers import half_metadata, is_pips_leftover, unrecorded_packages
from torchdoctor.doctor.requirements import Unmet, unmet_requirements
from torchdoctor.doctor.torch_replaced import replacement_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.doctor.model import CheckUp
    from torchdoctor.inventory.model import Inventory, TorchPackage

__all__ = ["environment_observations", "observation", "translatable_word"]

# What a variable says only where something is wrong: its folders are looked into instead.
_LOOKED_INTO = ("PYTHONPATH", "LD_LIBRARY_PATH")

# Beginnings of the names of packages that torch requires and that rules of their own speak of.
_LARGE = ("nvidia-", "cuda-", "triton", "pytorch-triton")

# The words of the inventory that are for people.
_WORDS = {
    str(row): row
    for row in (
        message("interpreter"), message("standard library"), message("user site"), message("current folder"),
        message("missing"), message("size"), message("hash"), message("unreadable"),
    )
}  # fmt: skip


def translatable_word(text: str) -> str:
    """A word of the inventory as a text; what is a name stays as it is."""
    return _WORDS.get(text, text)


def observation(name: str, value: object, what: str, where: str) -> Observation:
    """A fact whose source says what it is, its value, and where that was read."""
    return Observation(
        name=name,
        value=str(value),
        source=message("{what}: {value} ({where})", what=what, value=value, where=where),
    )


def environment_observations(check_up: CheckUp) -> Iterator[Observation]:
    """Every fact of the environment, under the names that reports have for it or, if live, names of its own."""
    inventory = check_up.inventory
    yield Observation(
        name="environment.prefix",
        value=inventory.prefix,
        source=message("environment: {place}", place=inventory.prefix),
    )
    yield Observation(
        name="environment.python",
        value=inventory.python,
        source=message("interpreter: {place}", place=inventory.python),
    )
    torch = inventory.torch.value
    if torch is not None:
        yield from _torch(torch)
    for row in inventory.distributions.value or ():
        if row.version and row.name != "torch":
            yield observation(f"package.{row.name}", row.version, row.name, row.metadata)
    for variable in inventory.variables.value or ():
        if variable.name in _LOOKED_INTO:
            continue
        yield observation(
            f"env.{variable.name}", variable.value, variable.name, message("the environment variables")
        )
    yield from _wrong_files(inventory)
    yield from _together(inventory)
    yield from _of_conda(inventory)
    yield from _in_front(inventory)
    yield from _unmet(unmet_requirements(inventory, check_up.python))
    for said in check_up.moved:
        yield Observation(name="live.moved", value=said, source=said)
    if (replaced := replacement_of(inventory)) is not None:
        yield Observation(name="live.replaced", value=replaced.now, source=replaced.description)


def _unmet(rows: tuple[Unmet, ...]) -> Iterator[Observation]:
    """NVIDIA's packages and Triton one by one; of the others those that are missing, and those of a wrong version."""
    large = [row for row in rows if row.project.startswith(_LARGE)]
    for row in large:
        yield Observation(
            name="live.unmet", value=f"{row.project} {row.version or 'missing'}", source=row.description
        )
    small = [row for row in rows if row not in large]
    for name, some in (
        ("live.required.missing", [row for row in small if row.version is None]),
        ("live.required.version", [row for row in small if row.version is not None]),
    ):
        if some:
            yield Observation(
                name=name,
                value=", ".join(row.project for row in some),
                source=joined((row.description for row in some), "; "),
            )


def _together(inventory: Inventory) -> Iterator[Observation]:
    """What does not go together, or is imported in place of something else."""
    for copy in inventory.copies.value or ():
        if copy.name == "torch":
            yield observation("live.torch.copy", copy.folder, f"torch {copy.version}", copy.folder)
    copies = {copy.folder for copy in inventory.copies.value or ()}
    for shadow in inventory.shadows.value or ():
        # A whole package on PYTHONPATH is told as what it is.
        if shadow.where == "PYTHONPATH" and any(shadow.path.startswith(f"{row}/") for row in copies):
            continue
        said = message(
            "{file} is imported in place of {module} ({where})",
            file=shadow.path,
            module=shadow.module,
            where=translatable_word(shadow.where),
        )
        yield Observation(name="live.shadow", value=shadow.module, source=said)
    for companion in inventory.companions.value or ():
        if companion.matches is False or companion.same_variant is False:
            said = message(
                "{package} {version} with torch {torch}: {why}",
                package=companion.name,
                version=companion.version,
                torch=companion.torch,
                why=companion.why,
            )
            yield Observation(name="live.companion", value=companion.name, source=said)
    if inventory.numpy.value is not None and inventory.numpy.value.fits is False:
        needed = message("this torch needs NumPy {version}", version=inventory.numpy.value.needed)
        yield observation("live.numpy", inventory.numpy.value.version, needed, inventory.numpy.source)


def _torch(torch: TorchPackage) -> Iterator[Observation]:
    if torch.version:
        yield observation("torch.version", torch.version, "torch", torch.folder)
    if torch.variant.value:
        yield observation("torch.build", torch.variant.value, message("torch's build"), torch.variant.source)
    says = torch.version_file.value
    if says is None:
        return
    for name, value in (("cuda", says.cuda), ("hip", says.hip)):
        if name in says.says:
            yield observation(
                f"torch.{name}", value or "none", f"torch.version.{name}", torch.version_file.source
            )


def _wrong_files(inventory: Inventory) -> Iterator[Observation]:
    for check in inventory.records.value or ():
        if not check.wrong_count:
            continue
        first = joined(
            message("{file}: {problem}", file=row.path, problem=translatable_word(row.problem))
            for row in check.wrong[:3]
        )
        description = {"files": check.files, "package": check.name, "first": first, "record": check.record}
        said = plural(
            check.wrong_count,
            message(
                "1 of {files} files of {package} differs from what was installed ({first}): {record}",
                **description,
            ),
            message(
                "{count} of {files} files of {package} differ from what was installed ({first}): {record}",
                count=check.wrong_count,
                **description,
            ),
        )
        yield Observation(name="live.record", value=check.name, source=said)
    for path in inventory.truncated.value or ():
        yield Observation(name="live.truncated", value=path, source=message("truncated: {file}", file=path))
    for name in sorted(unrecorded_packages(inventory)):
        said = message("the list of files of {package} is missing", package=name)
        yield Observation(name="live.unrecorded", value=name, source=said)
    half = half_metadata(inventory)
    for path in inventory.leftovers.value or ():
        # What is left of packages that PyTorch has nothing to do with is not told.
        if path not in half and not is_pips_leftover(Path(path).name):
            continue
        yield Observation(
            name="live.leftover",
            value=path,
            source=message("left by an interrupted installation: {file}", file=path),
        )


def _of_conda(inventory: Inventory) -> Iterator[Observation]:
    """conda's torch, and whether pip put another one into the same environment."""
    rows = inventory.distributions.value or ()
    torch = next(
        (row for row in rows if row.kind == "conda" and row.name in ("pytorch", "libtorch", "torch")), None
    )
    if torch is None:
        return
    yield observation(
        "conda.torch", f"{torch.version} {torch.build}", message("conda's torch"), torch.metadata
    )
    own = [row for row in rows if row.name in ("torch", "torchvision", "torchaudio") and row.kind == "wheel"]
    for row in own:
        if row.installer not in (None, "conda"):
            by = message("{package} by {installer}", package=row.name, installer=row.installer)
            yield observation("live.conda_and_pip", row.version, by, row.metadata)


def _in_front(inventory: Inventory) -> Iterator[Observation]:
    """Copies of torch and its companions that a foreign folder puts before the environment's own."""
    path = {row.folder: row.origin for row in inventory.path.value or ()}
    own = {row.folder for row in inventory.copies.value or () if row.name == "torch"}
    names = {"PYTHONPATH": "live.python_path", "user site": "live.user_site"}
    for copy in inventory.copies.value or ():
        fact = names.get(path.get(copy.folder, ""))
        # A torch that lies there alone is meant to.
        if fact is None or not own - {copy.folder}:
            continue
        yield observation(
            fact,
            f"{copy.name} {copy.version}",
            message("{place} contains", place=translatable_word(path[copy.folder])),
            copy.folder,
        )
    runtimes = [row for row in inventory.openmp.value or () if row.name == "iomp5"]
    if len(runtimes) > 1:
        for library in runtimes:
            yield observation("live.openmp", library.path, message("OpenMP runtime"), library.name)
