"""What lies in an environment: each fact with its state and where it was read."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

from torchdoctor.core import Fact, NamedFact
from torchdoctor.core.i18n import message
from torchdoctor.core.serde import FieldError, from_json, to_json
from torchdoctor.errors import UsageError
from torchdoctor.inventory.package_model import (  # noqa: TC001  (serde reads the types at run time)
    CompanionMatch,
    CudaMajor,
    Distribution,
    Duplicate,
    ExtensionFit,
    InstallRecord,
    Library,
    Numpy,
    RecordCheck,
    RuntimeLibrary,
    TorchPackage,
)
from torchdoctor.inventory.settings_model import (  # noqa: TC001  (serde reads the types at run time)
    Certificate,
    PathFolder,
    PthFile,
    Shadow,
    ToolSetting,
    UserSite,
    Variable,
)

__all__ = ["SCHEMA", "Inventory", "Kind"]

SCHEMA = 1

Kind = Literal["venv", "conda", "conda-base", "interpreter"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Inventory:
    """One environment. `python` and `prefix` name it; everything else is a fact with its source.

    `torch`, `torchvision` and `torchaudio` are the copies that are imported; `copies` are all of them, in the
    order of the path. A list that is empty is an absent fact.
    """

    python: str
    prefix: str
    kind: Fact[Kind]
    path: Fact[tuple[PathFolder, ...]]
    distributions: Fact[tuple[Distribution, ...]]
    torch: Fact[TorchPackage]
    torchvision: Fact[TorchPackage]
    torchaudio: Fact[TorchPackage]
    copies: Fact[tuple[TorchPackage, ...]]
    companions: Fact[tuple[CompanionMatch, ...]]
    extensions: Fact[tuple[ExtensionFit, ...]]
    duplicates: Fact[tuple[Duplicate, ...]]
    records: Fact[tuple[RecordCheck, ...]]
    truncated: Fact[tuple[str, ...]]
    runtime: Fact[tuple[RuntimeLibrary, ...]]
    leftovers: Fact[tuple[str, ...]]
    shadows: Fact[tuple[Shadow, ...]]
    python_path: Fact[tuple[str, ...]]
    user_site: Fact[UserSite]
    pth: Fact[tuple[PthFile, ...]]
    numpy: Fact[Numpy]
    openmp: Fact[tuple[Library, ...]]
    cuda_majors: Fact[tuple[CudaMajor, ...]]
    settings: Fact[tuple[ToolSetting, ...]]
    proxies: Fact[tuple[Variable, ...]]
    certificates: Fact[tuple[Certificate, ...]]
    variables: Fact[tuple[Variable, ...]]
    install_record: Fact[InstallRecord]

    def facts(self) -> tuple[NamedFact, ...]:
        """Every fact with its name, in the order of the class: `environment.torch` and so on."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return tuple(
            NamedFact(name=f"environment.{name}", fact=fact)
            for name, fact in values
            if isinstance(fact, Fact)
        )

    def distribution(self, name: str) -> Distribution | None:
        """The first distribution of a normalised name on the path, which is the one that is imported."""
        return next((package for package in self.distributions.value or () if package.name == name), None)

    def to_json(self) -> dict[str, Any]:
        """Return the inventory as JSON: its `schema`, then every field in the order of the class."""
        return {"schema": SCHEMA, **to_json(self)}

    @staticmethod
    def from_json(document: Any) -> Inventory:
        """Return the inventory that `to_json` wrote; fields of later versions are ignored.

        Raises `UsageError` with the path of the field that is wrong, or for a schema of a later torchdoctor.
        """
        fix = "write it anew with `torchdoctor report --format json`"
        schema = document.get("schema") if isinstance(document, dict) else SCHEMA
        if schema != SCHEMA:
            raise UsageError(
                message(
                    "the inventory has schema {schema!r:.20}, and this torchdoctor reads {known}",
                    schema=schema,
                    known=SCHEMA,
                ),
                fix=message("{fix}, or use the torchdoctor that wrote it", fix=fix),
                code="bad-inventory",
            )
        try:
            return from_json(document, Inventory, path="environment")
        except (FieldError, RecursionError) as error:
            raise UsageError(
                message("the inventory cannot be used: {error}", error=error.args[0]),
                fix=fix,
                code="bad-inventory",
            ) from error
