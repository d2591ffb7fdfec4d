"""What torch's own metadata requires: packages that are not there, or are there in another version."""

from __future__ import annotations

from torchdoctor.diagnose.matchers import certain, contains, likely, possible
from torchdoctor.diagnose.rule import Layer, Rule, Step

__all__ = ["RULES"]

# Requires-Dist of torch 2.0 to 2.15 and of what that requires, as their modules are imported.
_MODULES = "typing_extensions|filelock|sympy|mpmath|networkx|jinja2|markupsafe|fsspec"
# NVIDIA's packages, Triton, and torch's own versions are told by rules of their own.
_OTHERS = r"(?!nvidia|cuda|triton|pytorch-triton|torch\b|torch[=<>~!])"
_AGAIN = Step(
    text="Install torch again at its version; what it requires comes along:",
    command="{pip_install} torch=={torch} --index-url {index_url}",
    otherwise=Step(
        text="Install torch again at its version; what it requires comes along:",
        command="{right_install}",
        otherwise=Step(
            text="Install torch again at its version; what it requires comes along:",
            command="{pip_install} torch",
        ),
    ),
)
_LOOK = Step(text="See what does not fit:", command="python -m pip check")

RULES = (
    Rule(
        id="torch-dependency-missing",
        layer=Layer.INSTALL,
        severity="error",
        title="A package that torch requires is not installed",
        explanation=(
            "torch needs a handful of small packages (typing_extensions, filelock, sympy, networkx, jinja2, "
            "fsspec). One was removed, or torch was installed without them: --no-deps, or a folder or an index "
            "that lacks them."
        ),
        signs=(
            certain(
                contains(
                    "which is not installed",
                    "is not installed",
                    matching=rf"\btorch(?:vision|audio)? \d\S* requires {_OTHERS}\S+, which is not installed",
                )
            ),
            certain(
                contains(
                    "no module named",
                    matching=(
                        r"(?:site|dist)-packages[/\\](?:torch|sympy|jinja2)[/\\][^$]{0,800}"
                        rf"no module named '?(?:{_MODULES})\b"
                    ),
                )
            ),
            likely(
                contains(
                    "no module named",
                    matching=rf"import torch\b[^$]{{0,800}}no module named '?(?:{_MODULES})\b",
                )
            ),
            possible(
                contains("no module named", matching=rf"no module named '?(?:{_MODULES})(?:\.[\w.]+)?'?\s*$")
            ),
        ),
        steps=(_LOOK, _AGAIN),
        find="`python -m pip check` names what is missing.",
    ),
    Rule(
        id="torch-dependency-version",
        layer=Layer.INSTALL,
        severity="warning",
        title="A package that torch requires is there in a version that torch does not allow",
        explanation=(
            "Another installation changed a package that torch names with a range of versions, or brought one newer "
            "than torch's own requirements know. Much of torch may work all the same; what needs that package "
            "fails, and `import torch` with it where that is needed at once."
        ),
        signs=(
            likely(
                contains(
                    "but you have",
                    "but you'll have",
                    matching=(
                        rf"\btorch(?:vision|audio)? \d\S* (?:requires|has requirement) {_OTHERS}"
                        r"\S+(?: [^\n,]{0,60})?, but you(?:'ll)? have"
                    ),
                )
            ),
            likely(
                contains(
                    "has no attribute",
                    matching=rf"module '(?!sympy'|typing_ext)(?:{_MODULES})(?:\.[\w.]+)?' has no attribute '\w+'",
                )
            ),
        ),
        steps=(
            _LOOK,
            Step(
                text="Where the error names mpmath or sympy, a newer sympy asks for an mpmath that fits:",
                command='{pip_install} "sympy>=1.13"',
            ),
            _AGAIN,
        ),
        find="`python -m pip check` names the version that is there.",
    ),
    Rule(
        id="torch-dependency-too-old",
        layer=Layer.INSTALL,
        severity="error",
        title="A package that torch imports is too old for this torch",
        explanation=(
            "torch imports a name that the package has only in newer versions. An older copy is there: the system's "
            "(/usr/lib/python3/dist-packages), or one that another installation put back."
        ),
        signs=(
            certain(
                contains(
                    "cannot import name",
                    matching=(
                        r"(?:site|dist)-packages[/\\]torch[/\\][^$]{0,800}"
                        rf"cannot import name '\w+' from '(?:{_MODULES})[\w.]*'"
                    ),
                )
            ),
            likely(
                contains(
                    "cannot import name",
                    "has no attribute",
                    matching=(
                        rf"cannot import name '\w+' from '(?:{_MODULES})[\w.]*'"
                        r"|module 'typing_extensions' has no attribute '\w+'"
                    ),
                )
            ),
        ),
        steps=(
            Step(
                text="Bring a newer one into the environment; it is nearly always this:",
                command="{pip_install} --upgrade typing_extensions",
            ),
            Step(text="See whether everything fits now:", command="python -m pip check"),
        ),
        explains=("torch-dependency-version",),
        find="The path in brackets after the error is the copy that is imported.",
    ),
)
