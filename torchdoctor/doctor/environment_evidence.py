"""An environment as observations: torch, its companions, what shadows them, what is damaged, what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message, plural
from torchdoctor.diagnose import Observation
from torchdoctor.doctor.amd_device_code import device_code_observations
from torchdoctor.doctor.metadata_evidence import metadata_observations
from torchdoctor.doctor.pip_leftovers import half_metadata, is_pips_leftover, unrecorded_packages
from torchdoctor.doctor.requirements import Unmet, unmet_requirements
from torchdoctor.doctor.runtime_evidence import runtime_observations
from torchdoctor.doctor.stale_metadata import stale_metadata
from torchdoctor.doctor.torch_replaced import replacement_of
from torchdoctor.doctor.unneeded import unneeded_observations
from torchdoctor.doctor.windows_evidence import windows_observations
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.doctor.model import CheckUp
    from torchdoctor.doctor.stack import StackProblem
    from torchdoctor.inventory import Inventory
    from torchdoctor.inventory.package_model import TorchPackage

__all__ = ["environment_observations", "observation", "translatable_word"]

# Variables whose folders are searched instead: by itself their value shows nothing.
_SEARCHED_VARIABLES = ("PYTHONPATH", "LD_LIBRARY_PATH")

# Beginnings of the names of required packages that have failures of their own in the catalogue.
_WITH_OWN_FAILURE = ("nvidia-", "cuda-", "triton", "pytorch-triton")

# Problems of packages that are none where the package was imported.
_DISPROVEN_BY_IMPORT = ("extension", "extension-cuda", "python")
_EXTENSION_KINDS = ("extension", "extension-cuda", "extension-part")
# Words of the inventory that are shown to people.
_WORDS = {
    str(word): word
    for word in (
        message("interpreter"), message("standard library"), message("user site"), message("current folder"),
        message("missing"), message("size"), message("hash"), message("unreadable"),
    )
}  # fmt: skip


def translatable_word(text: str) -> str:
    """Return a word of the inventory as a text that can be translated; a name stays as it is."""
    return _WORDS.get(text, text)


def observation(name: str, value: object, what: str, where: str) -> Observation:
    """Return an observation whose source names what it is, its value, and where that was read."""
    return Observation(
        name=name,
        value=str(value),
        source=message("{what}: {value} ({where})", what=what, value=value, where=where),
    )


def environment_observations(check_up: CheckUp) -> Iterator[Observation]:
    """Yield every fact of the environment, under its name in reports, or below `live.` where reports have none."""
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
    for package in inventory.distributions.value or ():
        if package.version and package.name != "torch":
            yield observation(f"package.{package.name}", package.version, package.name, package.metadata)
    for variable in inventory.variables.value or ():
        if variable.name in _SEARCHED_VARIABLES:
            continue
        yield observation(
            f"env.{variable.name}", variable.value, variable.name, message("the environment variables")
        )
    yield from _changed_files(inventory)
    yield from metadata_observations(inventory)
    yield from _leftovers(inventory)
    yield from _copies_and_shadows(inventory)
    yield from _mismatched(inventory)
    yield from _of_conda(inventory)
    yield from _in_front(inventory)
    yield from _openmp(inventory)
    yield from windows_observations(check_up)
    yield from unneeded_observations(check_up)
    yield from device_code_observations(check_up)
    unmet = unmet_requirements(inventory, check_up.python)
    yield from _unmet(unmet)
    yield from runtime_observations(inventory, unmet)
    yield from _stack(check_up, unmet)
    for sentence in check_up.moved:
        yield Observation(name="live.moved", value=sentence, source=sentence)
    if lost := check_up.hold.lost:
        source = message("pip.conf names {path}, and there is no such file", path=lost)
        yield Observation(name="live.hold_lost", value=lost, source=source)
    if (replaced := replacement_of(inventory)) is not None:
        by_run = not replaced.culprits and (replaced.together or replaced.held)
        name = "live.replaced_by_run" if by_run else "live.replaced"
        yield Observation(name=name, value=replaced.now, source=replaced.description)


def _stack(check_up: CheckUp, unmet: tuple[Unmet, ...]) -> Iterator[Observation]:
    """What is wrong with the packages beside torch: for each kind one observation, with what would put it right.

    What torch itself requires in another version is told as that, and not a second time as an extension.
    """
    required = {requirement.project for requirement in unmet}
    imported = {
        check.id.partition(":")[2] for check in check_up.packages or () if check.status in ("pass", "warn")
    }
    kinds: dict[str, list[StackProblem]] = {}
    for problem in check_up.stack.problems:
        if problem.kind in _EXTENSION_KINDS and problem.package in required:
            continue
        if problem.kind not in _DISPROVEN_BY_IMPORT or problem.package not in imported:
            kinds.setdefault(problem.kind, []).append(problem)
    for kind, problems in kinds.items():
        yield Observation(
            name=f"live.stack.{kind}",
            value=" ".join(dict.fromkeys(problem.requirement for problem in problems)),
            source=joined((problem.description for problem in problems), "; "),
        )


def _unmet(requirements: tuple[Unmet, ...]) -> Iterator[Observation]:
    """NVIDIA's packages and Triton one by one; the others as one list of missing ones and one of wrong versions."""
    single = [
        requirement for requirement in requirements if requirement.project.startswith(_WITH_OWN_FAILURE)
    ]
    for requirement in single:
        yield Observation(
            name="live.unmet",
            value=f"{requirement.project} {requirement.version or 'missing'}",
            source=requirement.description,
        )
    others = [requirement for requirement in requirements if requirement not in single]
    for name, some in (
        ("live.required.missing", [requirement for requirement in others if requirement.version is None]),
        ("live.required.version", [requirement for requirement in others if requirement.version is not None]),
    ):
        if some:
            yield Observation(
                name=name,
                value=", ".join(requirement.project for requirement in some),
                source=joined((requirement.description for requirement in some), "; "),
            )


def _copies_and_shadows(inventory: Inventory) -> Iterator[Observation]:
    """Every copy of torch, and files that are imported in place of an installed module."""
    for copy in inventory.copies.value or ():
        if copy.name == "torch":
            yield observation("live.torch.copy", copy.folder, f"torch {copy.version}", copy.folder)
    copies = {copy.folder for copy in inventory.copies.value or ()}
    for shadow in inventory.shadows.value or ():
        # A whole package on PYTHONPATH is one of the copies.
        if shadow.where == "PYTHONPATH" and any(shadow.path.startswith(f"{folder}/") for folder in copies):
            continue
        text = message(
            "{file} is imported in place of {module} ({where})",
            file=shadow.path,
            module=shadow.module,
            where=translatable_word(shadow.where),
        )
        yield Observation(name="live.shadow", value=shadow.module, source=text)


def _mismatched(inventory: Inventory) -> Iterator[Observation]:
    """Companions and a NumPy that do not match the installed torch."""
    for companion in inventory.companions.value or ():
        if companion.matches is False or companion.same_variant is False:
            text = message(
                "{package} {version} with torch {torch}: {why}",
                package=companion.name,
                version=companion.version,
                torch=companion.torch,
                why=companion.why,
            )
            yield Observation(name="live.companion", value=companion.name, source=text)
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


def _changed_files(inventory: Inventory) -> Iterator[Observation]:
    """Packages whose files are not as they were installed, and truncated libraries."""
    stale = {str(folder / "RECORD") for folder in stale_metadata(inventory)}
    for check in inventory.records.value or ():
        # What neither torch nor a companion requires is somebody else's.
        if not check.wrong_count or not check.needed or check.record in stale:
            continue
        first = joined(
            message("{file}: {problem}", file=file.path, problem=translatable_word(file.problem))
            for file in check.wrong[:3]
        )
        values = {"files": check.files, "package": check.name, "first": first, "record": check.record}
        one = message(
            "1 of {files} files of {package} differs from what was installed ({first}): {record}", **values
        )
        many = message(
            "{count} of {files} files of {package} differ from what was installed ({first}): {record}",
            count=check.wrong_count,
            **values,
        )
        text = plural(check.wrong_count, one, many)
        yield Observation(name="live.record", value=check.name, source=text)
    for path in inventory.truncated.value or ():
        yield Observation(name="live.truncated", value=path, source=message("truncated: {file}", file=path))


def _leftovers(inventory: Inventory) -> Iterator[Observation]:
    """What an interrupted installation left: packages without a list of files, and folders."""
    for name in sorted(unrecorded_packages(inventory)):
        text = message("the list of files of {package} is missing", package=name)
        yield Observation(name="live.unrecorded", value=name, source=text)
    half = half_metadata(inventory)
    for path in inventory.leftovers.value or ():
        # Leftovers of packages that PyTorch has nothing to do with are not reported.
        if path not in half and not is_pips_leftover(Path(path).name):
            continue
        yield Observation(
            name="live.leftover",
            value=path,
            source=message("left by an interrupted installation: {file}", file=path),
        )


def _of_conda(inventory: Inventory) -> Iterator[Observation]:
    """conda's torch, and whether pip put another one into the same environment."""
    packages = inventory.distributions.value or ()
    torch = next(
        (
            package
            for package in packages
            if package.kind == "conda" and package.name in ("pytorch", "libtorch", "torch")
        ),
        None,
    )
    if torch is None:
        return
    yield observation(
        "conda.torch", f"{torch.version} {torch.build}", message("conda's torch"), torch.metadata
    )
    own = [package for package in packages if package.name in TORCH_PROJECTS and package.kind == "wheel"]
    for package in own:
        if package.installer not in (None, "conda"):
            by = message("{package} by {installer}", package=package.name, installer=package.installer)
            yield observation("live.conda_and_pip", package.version, by, package.metadata)


def _in_front(inventory: Inventory) -> Iterator[Observation]:
    """Copies of torch and its companions in a foreign folder that comes before the environment's own."""
    origins = {entry.folder: entry.origin for entry in inventory.path.value or ()}
    holding_torch = {copy.folder for copy in inventory.copies.value or () if copy.name == "torch"}
    names = {"PYTHONPATH": "live.python_path", "user site": "live.user_site"}
    for copy in inventory.copies.value or ():
        name = names.get(origins.get(copy.folder, ""))
        # The only torch on the path is there on purpose.
        if name is None or not holding_torch - {copy.folder}:
            continue
        yield observation(
            name,
            f"{copy.name} {copy.version}",
            message("{place} contains", place=translatable_word(origins[copy.folder])),
            copy.folder,
        )


def _openmp(inventory: Inventory) -> Iterator[Observation]:
    """Copies of Intel's OpenMP runtime, where there are several."""
    runtimes = [library for library in inventory.openmp.value or () if library.name == "iomp5"]
    if len(runtimes) > 1:
        for library in runtimes:
            yield observation("live.openmp", library.path, message("OpenMP runtime"), library.name)
