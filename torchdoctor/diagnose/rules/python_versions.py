"""No build for this Python: it is newer, or older, than the wheels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.matchers import (
    Match,
    all_of,
    any_of,
    certain,
    contains,
    fact,
    hint,
    likely,
    no,
    possible,
    predicate,
    source,
)
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.no_match import (
    index_unknown,
    new_python,
    only_sources,
    python_above,
    python_below,
    wanted_not_in_index,
    wheel_of_another_python,
)
from torchdoctor.diagnose.rules.symptoms import (
    CUDA_INDEX,
    FROM_NONE,
    NO_MATCHING,
    NOT_SUPPORTED,
    ON_MACOS,
    UV_NONE,
)

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["RULES"]


def _late_python(case: Evidence) -> Match | None:
    """A Python that wheels came late for: what a post says of it is not that it is too old."""
    return next(
        (
            Match(evidence=(source(row),))
            for row in case.observations("python.version")
            if _numbers(row.value) >= (3, 10)
        ),
        None,
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


RULES = (
    Rule(
        id="python-too-new",
        layer=Layer.INSTALL,
        severity="error",
        title="This Python is newer than the wheels",
        explanation=(
            "There is no wheel of this torch for this Python yet, or the version asked for is "
            "older than this Python. Free-threaded Pythons (3.13t) have wheels of their own."
        ),
        signs=(
            certain(predicate(python_above)),
            likely(
                all_of(
                    any_of(FROM_NONE, UV_NONE, predicate(only_sources)), predicate(new_python), no(ON_MACOS)
                )
            ),
            likely(
                all_of(
                    any_of(FROM_NONE, UV_NONE, predicate(only_sources)),
                    predicate(new_python),
                    ON_MACOS,
                    no(CUDA_INDEX),
                    no(fact("chip", "intel-mac")),
                )
            ),
            possible(
                all_of(
                    any_of(FROM_NONE, predicate(only_sources)),
                    no(predicate(new_python)),
                    no(predicate(index_unknown)),
                    no(fact("libc.name", "musl")),
                    no(fact("python.bits", "32")),
                )
            ),
            likely(
                contains(
                    "matching python abi tag",
                    matching=r"matching python (?:abi|implementation|version) tag[^.]{0,60}cp31[2-9]t?",
                )
            ),
            likely(
                contains(
                    "requires-python", "requires python", "require a different python", matching=r"<\s?3\.1\d"
                )
            ),
            likely(all_of(NOT_SUPPORTED, predicate(wheel_of_another_python))),
            possible(all_of(fact("told.python_unsupported"), predicate(_late_python))),
            hint(
                all_of(
                    NO_MATCHING,
                    contains(
                        "python 3.13",
                        "python 3.14",
                        "python 3.12",
                        "python3.13",
                        "python3.14",
                        "python 3.15",
                        "free-thread",
                        "free thread",
                    ),
                )
            ),
            likely(
                contains(
                    "python 3.1",
                    "python3.1",
                    "py3.1",
                    matching=(
                        r"(?:does not|doesn't|not yet|no|isn't|not|only)[^.]{0,"
                        r"50}support\w*[^.]{0,20}python ?3\.1\d|python ?3\.1\d[^.]{0,30}(?:is not"
                        r"|isn't|not yet|too new|unsupported)"
                    ),
                )
            ),
        ),
        unless=(
            contains("distribution found for torchtriton", "distribution found for triton"),
            fact("python.bits", "32"),
            contains("musllinux"),
            predicate(python_below),
        ),
        steps=(
            Step(
                text="Make an environment with a Python that has wheels:",
                command="uv venv --python 3.12",
                installer=("uv",),
            ),
            Step(
                text="Make an environment with a Python that has wheels (with a Python 3.12 installed):",
                command="python3.12 -m venv .venv && .venv/bin/python -m pip install torch",
                os=("linux", "macos"),
                installer=("pip", "poetry"),
            ),
            Step(
                text="Make an environment with a Python that has wheels (with a Python 3.12 installed):",
                command="py -3.12 -m venv .venv",
                os=("windows",),
                installer=("pip", "poetry"),
            ),
            Step(text="Or with conda:", command="conda create -n torch python=3.12", installer=("conda",)),
        ),
        explains=("wrong-index-url",),
        find="`python -VV`, and the pythons in `torchdoctor resolve --python-version 3.12`.",
    ),
    Rule(
        id="python-too-old",
        layer=Layer.INSTALL,
        severity="error",
        title="This Python is older than the wheels",
        explanation=(
            "Newer torch dropped this Python: 2.5 asks for 3.9, 2.9 for 3.10, 2.15 for 3.11. pip "
            "then says that nothing fits, or takes the last old release without a word."
        ),
        signs=(
            certain(
                contains(
                    "ignored the following versions that require a different python version",
                    matching=r"requires-python >=",
                )
            ),
            certain(
                contains(
                    "does not satisfy python",
                    "requires a different python",
                    "requires python",
                    matching=(
                        r"does not satisfy python>=|requires a different python: \d\.\d+\.?\d* "
                        r"not in '?\W{0,2}>=|requires python ?'?>= ?3\.\d+"
                    ),
                )
            ),
            certain(predicate(python_below)),
            likely(
                contains(
                    "matching python",
                    matching=r"matching python (?:abi|version|implementation) tag[^.]{0,40}cp3[6-9]\b",
                )
            ),
            likely(
                all_of(
                    NO_MATCHING,
                    fact("python.version", r"2\.7.*|3\.[0-8](?:\..*)?"),
                    no(predicate(python_above)),
                )
            ),
            possible(
                all_of(
                    NO_MATCHING,
                    fact("python.version", r"3\.(?:9|10)(?:\..*)?"),
                    no(FROM_NONE),
                    no(predicate(only_sources)),
                    no(predicate(python_above)),
                    no(predicate(wanted_not_in_index)),
                    no(ON_MACOS),
                )
            ),
        ),
        unless=(
            fact("python.bits", "32"),
            contains("musllinux"),
            contains(
                "requires-python <3", matching=r"requires-python <3\.\d+\b(?!.{0,200}requires-python >=)"
            ),
        ),
        steps=(
            Step(
                text="Make an environment with a newer Python:",
                command="uv venv --python 3.12",
                installer=("uv",),
            ),
            Step(
                text="Make an environment with a newer Python (with a Python 3.12 installed):",
                command="python3.12 -m venv .venv && .venv/bin/python -m pip install torch",
                os=("linux", "macos"),
                installer=("pip", "poetry"),
            ),
            Step(
                text="Make an environment with a newer Python (with a Python 3.12 installed):",
                command="py -3.12 -m venv .venv",
                os=("windows",),
                installer=("pip", "poetry"),
            ),
            Step(text="Or with conda:", command="conda create -n torch python=3.12", installer=("conda",)),
            Step(text="Or take the last torch for this Python:", command="{any_install}"),
        ),
        explains=("wrong-index-url", "pip-too-old"),
        find="`python -VV` against the Requires-Python of the release.",
    ),
)
