"""The tree keeps its shape: small files, one face a package, nothing reached behind a face, no cycle.

The layers themselves are held by `lint-imports`.
"""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import inspect
import re
import statistics
import sys
from pathlib import Path

import grimp
import pytest
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
MODULES = sorted([*ROOT.glob("torchdoctor/**/*.py"), *ROOT.glob("wheels_index/**/*.py")])
MOST_LINES = 350
MEDIAN_LINES = 120
# What stands beside the folders of the stages.
AT_THE_ROOT = {"__init__", "__main__", "_version", "api", "errors"}
# What each stage is called by, and what it returns; its face may offer more.
FACES = {
    "torchdoctor.core": {"Fact"},
    "torchdoctor.core.fs": {"atomic_write", "hold_folder_lock", "run_directory", "swap_directories"},
    "torchdoctor.core.system": {"Completed", "HostSystem", "System", "run_uv"},
    "torchdoctor.detect": {"Detection", "Machine", "detect", "find_python"},
    "torchdoctor.inventory": {"Inventory", "collect_inventory"},
    "torchdoctor.sources": {"Source", "SourceListing", "Sources", "order_sources"},
    "torchdoctor.requirements": {"AskedRequirement", "StackRequest"},
    "torchdoctor.resolve": {"Plan", "Request", "rank", "resolve"},
    "torchdoctor.lock": {"Lock", "LockedWheel", "compile_lock", "read_lock"},
    "torchdoctor.fetch": {"Wheelhouse", "fetch"},
    "torchdoctor.install": {"Environment", "create_environment", "inspect_location", "update_environment"},
    "torchdoctor.verify": {"VerifyReport", "verify"},
    "torchdoctor.bench": {"BenchReport", "bench", "compare"},
    "torchdoctor.kernel": {"Kernel", "check_kernel", "list_kernels"},
    "torchdoctor.bundle": {"Bundle", "write_bundle"},
    "torchdoctor.project": {"ProjectChange", "edit_uv_project", "recognize_project", "write_change"},
    "torchdoctor.diagnose": {"Diagnosis", "Evidence", "Finding", "diagnose", "diagnose_text"},
    "torchdoctor.doctor": {"CheckUp", "inspect", "plan_repairs"},
    "torchdoctor.workflows": {"resolve_online", "run_doctor", "run_install"},
}


def module_of(path):
    """The dotted name of a file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_face(path):
    """Whether the file is a package's `__init__` that has something to offer."""
    return path.name == "__init__.py" and "__all__ = [" in path.read_text("utf-8")


FACE_FILES = [path for path in MODULES if is_face(path)]


def test_no_file_is_too_long():
    """What needs more than a few screens is two things."""
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert {str(path): length for path, length in lengths.items() if length > MOST_LINES} == {}
    assert statistics.median(lengths.values()) <= MEDIAN_LINES


def test_the_root_holds_the_public_surface_alone():
    """Everything else has the folder of its stage."""
    assert {path.stem for path in (ROOT / "torchdoctor").glob("*.py")} == AT_THE_ROOT
    assert (ROOT / "torchdoctor" / "py.typed").is_file()


def test_no_modules_import_each_other():
    """Types and imports inside functions count."""
    graph = grimp.build_graph("torchdoctor", "wheels_index", cache_dir=None)
    edges = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    # What imports nothing that is left is in no cycle: it is taken away until nothing changes.
    while free := {name for name, imported in edges.items() if not imported & edges.keys()}:
        edges = {name: imported for name, imported in edges.items() if name not in free}
    chains = (
        graph.find_shortest_chain(importer=imported, imported=name)
        for name in edges
        for imported in edges[name] & edges.keys()
    )
    assert sorted({" -> ".join((chain[-1], *chain)) for chain in chains if chain}) == []


def imports_of(path):
    """Each `from MODULE import NAME` and `import MODULE` of a file: the module, and the name or ''."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)


def is_private(name):
    """`_one`, and not `__version__`."""
    return name.startswith("_") and not name.startswith("__")


def reaches_behind(importer, module, name):
    """Whether an import takes a private name of another module, or a private module of another package."""
    owner = module.split(".")
    if name and is_private(name) and module != importer:
        package = importer.rpartition(".")[0]
        return not (module == package or package.startswith(f"{module}."))
    private = next((at for at, part in enumerate(owner) if is_private(part)), None)
    return private is not None and not importer.startswith(".".join(owner[:private]) + ".")


@pytest.mark.parametrize("package", ["torchdoctor", "wheels_index"])
def test_nothing_private_is_imported_from_elsewhere(package):
    """Private modules belong to their package, private names to their module."""
    # The version is generated and read where the package says it.
    reached = [
        f"{module_of(path)}: {module} {name}".strip()
        for path in MODULES
        for module, name in imports_of(path)
        if module.split(".")[0] == package
        and module not in ("torchdoctor._version", "wheels_index._version")
        and reaches_behind(module_of(path), module, name)
    ]
    assert reached == []


@pytest.mark.parametrize("package", FACES)
def test_a_stage_is_called_through_its_face(package):
    """Its function and its values are imported from the package."""
    assert FACES[package] - set(importlib.import_module(package).__all__) == set()


@pytest.mark.parametrize("path", FACE_FILES, ids=module_of)
def test_every_name_of_a_face_is_there(path):
    """Also those that are imported on first use; and a typo in the table of a lazy face does not stay unseen."""
    package = importlib.import_module(module_of(path))
    assert [name for name in package.__all__ if not hasattr(package, name)] == []
    assert sorted(set(package.__all__)) == sorted(package.__all__)


@pytest.mark.parametrize("path", FACE_FILES, ids=module_of)
def test_no_module_takes_the_place_of_a_function_of_its_package(path):
    """The first import of `package.name` sets `name` of the package, where a lazy face had a function of that name."""
    if "lazy_names" not in path.read_text("utf-8"):
        return
    modules = {file.stem for file in path.parent.glob("*.py")} | {
        file.name for file in path.parent.iterdir() if file.is_dir()
    }
    package = importlib.import_module(module_of(path))
    functions = {name for name in package.__all__ if not inspect.ismodule(getattr(package, name))}
    assert modules & functions == set()


@pytest.mark.parametrize("path", FACE_FILES, ids=module_of)
def test_a_face_is_light(path):
    """It defines nothing but its names: whatever it offers is in its modules."""
    tree = ast.parse(path.read_text("utf-8"))
    assert [node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)] in (
        [],
        ["__getattr__"],
    )


def test_every_import_at_run_time_is_a_declared_dependency():
    """A development environment has more than a user's: an import that only its packages bring breaks for users."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    declared = {
        canonicalize_name(re.split(r"[<>=;\s]", line)[0])
        for line in tomllib.loads(text)["project"]["dependencies"]
    }
    names = importlib.metadata.packages_distributions()
    missing = {
        (module_of(path), top)
        for path in MODULES
        if not {"probe", "payload"} & set(path.parts) and not path.name.endswith("_script.py")
        for top in imported_at_run_time(path)
        if top not in sys.stdlib_module_names
        and top not in ("torchdoctor", "wheels_index")
        and not {canonicalize_name(name) for name in names.get(top, [top])} & declared
    }
    assert missing == set()


def imported_at_run_time(path):
    """The top-level names of the modules that a file imports, but for those that only the type checker reads."""
    todo = [ast.parse(path.read_text("utf-8"))]
    while todo:
        node = todo.pop()
        if (
            isinstance(node, ast.If)
            and "TYPE_CHECKING" in ast.unparse(node.test)
            and "not" not in ast.unparse(node.test)
        ):
            todo += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.split(".")[0]
        todo += ast.iter_child_nodes(node)


def test_the_probe_names_its_neighbours_relatively():
    """Where it runs, nothing is called torchdoctor."""
    imports = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in ROOT.glob("torchdoctor/probe/**/*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level
            else [each.name for each in node.names] if isinstance(node, ast.Import) else []
        )
        if name.partition(".")[0] == "torchdoctor"
    }  # fmt: skip
    assert imports == set()
