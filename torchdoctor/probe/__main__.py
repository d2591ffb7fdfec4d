"""The entry: loads this folder as a package of a private name, then runs the request in argv[1].

Started as `python -I -B .../probe/__main__.py REQUEST`. Up to the version test it is
written in the oldest syntax, so that an old Python reports that it is too old.
"""

import sys

if sys.version_info < (3, 8):  # noqa: UP036
    sys.exit("Python %d.%d is too old for PyTorch 2: Python 3.8 or later is needed" % sys.version_info[:2])  # noqa: UP031

import importlib
import importlib.util
from pathlib import Path

# A private name: neither a torchdoctor installed in the environment nor a module of the user's can have it. The folder
# itself is never on sys.path (-I leaves it out), so no file here can shadow a library.
NAME = "_torchdoctor_probe"


def load(folder: Path) -> None:
    """Make the folder importable as the package NAME."""
    spec = importlib.util.spec_from_file_location(
        NAME, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        sys.exit("the probe's files are missing in " + str(folder))
    package = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = package
    spec.loader.exec_module(package)


# Worker processes that a check starts need the package too; there this file has another name.
load(Path(__file__).resolve().parent)
if __name__ == "__main__":
    importlib.import_module(NAME + ".session").main(sys.argv[1])
