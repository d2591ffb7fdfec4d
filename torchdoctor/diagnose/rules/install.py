"""An installation that stopped half-way."""

from __future__ import annotations

from torchdoctor.diagnose.matchers import all_of, contains, hint, likely, possible
from torchdoctor.diagnose.rule import Layer, Rule, Step

__all__ = ["RULES"]

# Names without an open end: a `torch*` would take torchvision and torchaudio along.
EXACT_FOLDERS = (
    "In the environment's site-packages remove these folders, where they are there, and no others: torch, "
    "torch-*.dist-info, ~orch, ~orch-*.dist-info. Then:"
)
BY_HAND = Step(
    text=EXACT_FOLDERS,
    command="{pip_reinstall} --no-deps torch=={torch} --index-url {index_url}",
    otherwise=Step(
        text=EXACT_FOLDERS,
        command="{any_install}",
        otherwise=Step(text=EXACT_FOLDERS, command="{pip_reinstall} torch"),
    ),
)

RULES = (
    Rule(
        id="partial-install",
        layer=Layer.INSTALL,
        severity="error",
        title="An installation stopped half-way",
        explanation=(
            "An install or uninstall did not end: folders begin with ~, files are missing, or "
            "two dist-info folders lie side by side."
        ),
        signs=(
            likely(
                contains(
                    "ignoring invalid distribution",
                    matching=r"ignoring invalid distribution [-~]\S{0,6}(?:orch|rch)",
                )
            ),
            likely(
                contains(
                    "record file was not found",
                    "no record file",
                    "record file not found",
                    "uninstall-no-record-file",
                    "cannot uninstall torch",
                )
            ),
            likely(
                contains(
                    "no module named 'torch._c'",
                    "no module named torch._c",
                    "no module named 'torch.",
                    matching=(
                        r"no module named '?torch\.(?:_c\b|version|_utils|nn|cuda|autograd"
                        r"|_tensor|testing|_\w+)"
                    ),
                )
            ),
            likely(
                contains(
                    "failed to load pytorch c extensions",
                    "cannot import name '_c'",
                    "module 'torch' has no attribute '__version__'",
                    "has no attribute 'version'",
                    "cannot import name 'tensor' from 'torch' (unknown location)",
                    matching=r"c extensions|unknown location|attribute '(?:__version__|version)'|_c",
                )
            ),
            possible(
                contains(
                    "cannot import name",
                    matching=(
                        r"cannot import name '\w+' from (?:partially initialized module "
                        r")?'torch[\w.]*'"
                    ),
                )
            ),
            likely(
                all_of(
                    contains(
                        "interrupted", "ctrl-c", "ctrl+c", "half-way", "killed", "partial", "incomplete"
                    ),
                    contains(
                        "no module named 'torch", "cannot import name", "importerror", "ignoring invalid"
                    ),
                )
            ),
            hint(contains("ignoring invalid distribution")),
        ),
        unless=(
            contains("winerror 5]"),
            contains("access is denied"),
            contains("拒绝访问"),
            contains("partially initialized module 'torch' has no attribute"),
        ),
        steps=(
            # A live machine shows which folders and packages; a paste does not.
            Step(
                text="Remove these, and nothing else: {leftovers}. Then install anew what is not whole:",
                command="{pip_reinstall} --no-deps {not_whole} --index-url {index_url}",
                otherwise=Step(
                    text="Remove these, and nothing else: {leftovers}.",
                    otherwise=Step(
                        text="Install anew what is not whole:",
                        command="{pip_reinstall} --no-deps {not_whole} --index-url {index_url}",
                        otherwise=BY_HAND,
                    ),
                ),
            ),
            Step(text="Or, simplest, make a new environment."),
        ),
        explains=("duplicate-torch-copies",),
        find="`ls` of site-packages: ~orch, torch-*.dist-info; RECORD against the files.",
    ),
)
