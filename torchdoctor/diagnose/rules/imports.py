"""What is imported or run in place of the installed torch."""

from __future__ import annotations

from torchdoctor.diagnose.matchers import (
    all_of,
    background,
    certain,
    contains,
    fact,
    hint,
    likely,
    no,
    possible,
)
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.symptoms import NO_MODULE_TORCH

__all__ = ["RULES"]

IN_NOTEBOOK = fact("notebook")
SHADOWS = contains(
    "torch.py",
    "types.py",
    "random.py",
    "copy.py",
    "numbers.py",
    "typing.py",
    "inspect.py",
    "token.py",
    "queue.py",
    "logging.py",
    "profile.py",
    "code.py",
    "abc.py",
    "tempfile.py",
    "select.py",
    "io.py",
    "signal.py",
    "string.py",
    "platform.py",
    "enum.py",
    "operator.py",
    "warnings.py",
    "dataclasses.py",
    "secrets.py",
)

RULES = (
    Rule(
        id="local-file-shadows-torch",
        layer=Layer.ENVIRONMENT,
        severity="error",
        title="A file of your own has the name of a module",
        explanation=(
            "A file torch.py, a folder torch, or a file named as a standard module (types.py, "
            "random.py, copy.py) beside the script is imported in place of the real one."
        ),
        signs=(
            # A torch without its compiled part, imported from outside of any site-packages: a checkout.
            certain(
                contains(
                    "torch._c",
                    "_c' is not defined",
                    matching=(
                        r"file \"(?![^\"\n]*(?:site|dist)-packages)[^\"\n]{1,200}[/\\]torch[/\\]__init__\.py\""
                        r"[^$]{0,300}(?:no module named '?torch\._c|name '_c' is not defined)"
                    ),
                )
            ),
            likely(
                all_of(
                    contains(
                        "no module named _c", "no module named '_c'", matching=r"no module named '?_c\b"
                    ),
                    contains(
                        "git tree",
                        "source tree",
                        "cloned repo",
                        "repository",
                        "from source",
                        "pytorch folder",
                    ),
                )
            ),
            likely(
                contains('file "torch/__init__.py"', "file 'torch/__init__.py'", 'file "./torch/__init__.py"')
            ),
            likely(
                contains(
                    "'module' object has no attribute",
                    matching=(
                        r"'module' object has no attribute '(?:tensor|cuda|nn|autograd|version"
                        r"|__version__|floattensor|load|zeros|ones)'[^$]{0,200}|torch[^$]{0,"
                        r"300}'module' object has no attribute '(?:tensor|cuda|nn)'"
                    ),
                )
            ),
            certain(
                contains(
                    "partially initialized module 'torch' has no attribute",
                    matching=(
                        r"partially initialized module 'torch' has no attribute[^\n]{0,"
                        r"80}circular import"
                    ),
                )
            ),
            likely(contains("partially initialized module 'torch' has no attribute")),
            likely(
                contains(
                    "module 'torch' has no attribute",
                    matching=(
                        r"module 'torch' has no attribute '(?:tensor|cuda|nn|autograd|__version__|float32"
                        r"|device|randn|zeros|ones|rand|load|save|no_grad|optim|utils|from_numpy"
                        r"|float|long|int64|manual_seed|empty|cat|stack|arange|backends|jit)'"
                    ),
                )
            ),
            likely(
                all_of(
                    SHADOWS,
                    contains(
                        "rename",
                        "renam",
                        "named torch.py",
                        "circular import",
                        "shadow",
                        "my own",
                        "same folder",
                        "same directory",
                        "same name",
                        "file named",
                        "called torch",
                        "script",
                    ),
                    contains("torch"),
                )
            ),
            background(contains("circular import")),
            likely(
                contains(
                    "consider renaming",
                    "has the same name as the standard library module",
                    "has the same name as the third-party module",
                )
            ),
            # torch's own folder is on the path: its random.py stands for the standard one.
            likely(
                contains(
                    "cannot import name",
                    matching=r"cannot import name '\w+' from '(\w+)' \([^)\n]{1,200}[/\\]torch[/\\]\1\.py\)",
                )
            ),
            possible(
                contains(
                    "cannot import name",
                    matching=(
                        r"cannot import name '\w+' from partially initialized module '(?:torch"
                        r"|types|random|copy|numbers|typing)'|cannot load module more than once "
                        r"per process"
                    ),
                )
            ),
        ),
        unless=(
            contains("torchvision' has no attribute", matching=r"partially initialized module 'torchvision'"),
        ),
        steps=(
            Step(
                text="See which file is imported, from the folder of the script:",
                command="python -c \"import importlib.util as u; print(u.find_spec('torch').origin)\"",
            ),
            Step(text="Rename that file, and delete the folder __pycache__ beside it."),
        ),
        explains=("partial-install", "duplicate-torch-copies", "jetson-generic-wheel"),
        find="The path that is printed must lie in site-packages.",
    ),
    Rule(
        id="python-path-mixup",
        layer=Layer.ENVIRONMENT,
        severity="error",
        title="torch was installed into another Python than the one that runs",
        explanation=(
            "A bare `pip` on PATH belongs to another interpreter than `python`, or the "
            "environment is not active: torch is in the one and missing in the other."
        ),
        signs=(
            likely(
                all_of(
                    NO_MODULE_TORCH,
                    no(IN_NOTEBOOK),
                    no(
                        contains(
                            "failed to build",
                            "subprocess-exited-with-error",
                            "getting requirements to build wheel",
                            "setup.py",
                            "build isolation",
                        )
                    ),
                )
            ),
            hint(
                all_of(
                    NO_MODULE_TORCH,
                    contains(
                        "requirement already satisfied",
                        "successfully installed",
                        "pip show",
                        "pip list",
                        "installed",
                    ),
                )
            ),
            likely(
                contains(
                    "pip",
                    "which python",
                    "which pip",
                    "sys.executable",
                    matching=(
                        r"pip(?:3)? (?:is|belongs to|points? to|--version|-v)[^.]{0,100}(?:other"
                        r"|another|different|python ?[\d.]+\))[^.]{0,60}|(?:different|another"
                        r"|wrong|other) (?:python|interpreter)[^.]{0,60}(?:pip|install|torch)|two "
                        r"pythons|wrong interpreter"
                    ),
                )
            ),
            likely(
                all_of(
                    fact("told.editor_fails"), contains("torch"), contains("import", "导入"), no(IN_NOTEBOOK)
                )
            ),
            likely(fact("told.unresolved")),
            hint(all_of(fact("told.not_importable"), contains("torch"), no(IN_NOTEBOOK))),
            possible(
                all_of(NO_MODULE_TORCH, contains("vscode", "vs code", "pycharm", "interpreter", "path"))
            ),
        ),
        unless=(contains("no module named 'torch._c"), contains("no module named 'torch.")),
        steps=(
            Step(
                text="See both, they must belong together:",
                command='python -c "import sys; print(sys.executable)" && python -m pip --version',
            ),
            Step(
                text="Install with the Python that runs the program:",
                command="{any_install}",
                otherwise=Step(
                    text="Install with the Python that runs the program:",
                    command="python -m pip install torch",
                ),
            ),
            Step(text="In an editor choose the interpreter of that environment."),
        ),
        find="sys.executable of the failing program against the path that `python -m pip --version` prints.",
    ),
    Rule(
        id="env-moved-or-copied",
        layer=Layer.ENVIRONMENT,
        severity="error",
        title="The environment's folder was moved or copied",
        explanation=(
            "The scripts in an environment, and its pyvenv.cfg, hold absolute paths of the place "
            "where it was made."
        ),
        signs=(
            certain(contains("fatal error in launcher", "unable to create process using")),
            likely(contains("bad interpreter", matching=r"bad interpreter:? (?:no such file|permission)")),
            likely(
                contains(
                    "no python at",
                    "did not find executable at",
                    "could not find platform independent libraries",
                    matching=r"no python at|did not find executable at|platform independent libraries",
                )
            ),
            likely(
                contains(
                    "moved",
                    "copied",
                    "renamed",
                    "relocat",
                    matching=(
                        r"\b(?:moved|copied|renamed|relocated|mov\w+|copy\w*|renam\w+)[^.]{0,"
                        r"40}(?:venv|virtualenv|environment|env\b|virtual environment|\.venv"
                        r"|project folder|folder)"
                    ),
                )
            ),
        ),
        steps=(
            Step(
                text="Make the environment again where it is to be:",
                command="python3 -m venv --clear .venv",
                os=("linux", "macos"),
            ),
            Step(
                text="Make the environment again where it is to be:",
                command="py -m venv --clear .venv",
                os=("windows",),
            ),
            Step(text="Until then `python -m pip` of the environment works where the script `pip` does not."),
        ),
        explains=("python-path-mixup",),
        find="The first line of bin/pip, and `home` in pyvenv.cfg, name places that are not there.",
    ),
)
