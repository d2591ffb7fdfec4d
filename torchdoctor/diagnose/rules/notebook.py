"""Jupyter: a kernel of another environment, a kernel whose Python is gone."""

from __future__ import annotations

from torchdoctor.diagnose.matchers import all_of, any_of, certain, contains, fact, hint, likely, no, possible
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.symptoms import CUDA_UNAVAILABLE, NO_DRIVER, NO_MODULE_TORCH, ON_NVIDIA

__all__ = ["RULES"]

IN_NOTEBOOK = any_of(
    fact("notebook"),
    contains(
        "kernel",
        matching=(
            r"(?:jupyter|notebook|ipython|python|vs ?code)[^.]{0,60}\bkernels?\b"
            r"|\bkernels?\b[^.]{0,60}(?:jupyter|notebook|ipython|python|vs ?code)"
        ),
    ),
    contains("ipykernel", "<ipython-input", "cell in[", "cell in ["),
)

HOSTED = contains(
    "colab",
    "kaggle",
    "paperspace",
    "sagemaker studio lab",
    matching=r"\b(?:google )?colab(?:oratory)?\b|\bkaggle (?:notebook|kernel|session)|paperspace|sagemaker studio lab",
)

RULES = (
    Rule(
        id="jupyter-kernel-python-missing",
        layer=Layer.NOTEBOOK,
        severity="error",
        title="The notebook's kernel points to a Python that is gone",
        explanation=(
            "A kernel spec holds the full path of its Python. That environment or Python was "
            "removed, renamed or upgraded."
        ),
        signs=(
            likely(
                contains(
                    "kernel",
                    "kernal",
                    matching=(
                        r"kern[ea]l[^.]{0,160}(?:removed|deleted|uninstalled|old|former)[^.]{0,"
                        r"30}(?:venv|env\b|environment|virtualenv|python|anaconda)|(?:removed"
                        r"|deleted|uninstalled)[^.]{0,40}(?:venv|env\b|environment|virtualenv"
                        r"|anaconda)[^.]{0,120}kern[ea]l"
                    ),
                )
            ),
            certain(
                contains(
                    "failed to run command",
                    "error starting kernel",
                    "failed to start the kernel",
                    "kernel failed to start",
                    matching=(
                        r"(?:failed to run command|starting kernel|start the kernel|failed to "
                        r"start)[^$]{0,400}(?:no such file|filenotfound|cannot find|not found"
                        r"|does not exist|winerror [23])"
                    ),
                )
            ),
            likely(contains("failed to run command", "error starting kernel")),
            likely(
                all_of(
                    IN_NOTEBOOK,
                    contains(
                        "filenotfounderror",
                        "no such file or directory",
                        "winerror 2]",
                        "winerror 3]",
                        "系统找不到指定的文件",
                        matching=(
                            r"(?:no such file or directory:? ['\"]?\S*(?:python|bin/)\S*)"
                            r"|winerror [23]\]|系统找不到指定的文件"
                        ),
                    ),
                )
            ),
            likely(
                contains(
                    "kernel.json",
                    "kernelspec",
                    "argv",
                    matching=(
                        r"(?:kernel\.json|kernelspec|argv)[^.]{0,160}(?:no longer exists?|does "
                        r"not exist|doesn't exist|deleted|removed|old python|missing|not found"
                        r"|uninstalled)"
                    ),
                )
            ),
            possible(
                contains(
                    "no such file or directory:",
                    matching=r"no such file or directory: '?[^' ]*(?:bin/python[\d.]*|python\.exe)'?",
                )
            ),
        ),
        steps=(
            Step(text="See every kernel and its Python:", command="jupyter kernelspec list --json"),
            Step(
                text="Re-point the kernel to a living environment (the name is in that list):",
                command="torchdoctor jupyter-kernel repair {kernel_gone} {kernel_environment}",
            ),
            Step(
                text="Or remove it, and register the environment anew:",
                command="jupyter kernelspec remove {kernel_gone}",
            ),
        ),
        explains=("jupyter-kernel-other-env", "env-moved-or-copied"),
        find="argv[0] in the kernel's kernel.json must exist.",
    ),
    Rule(
        id="jupyter-kernel-without-ipykernel",
        layer=Layer.NOTEBOOK,
        severity="error",
        title="The kernel's Python has no ipykernel",
        explanation=(
            "The Python that the kernel spec names is there, and the package ipykernel, by which a notebook "
            "talks to it, is not installed in its environment."
        ),
        signs=(
            likely(
                contains(
                    "ipykernel",
                    matching=r"no module named '?ipykernel(?:_launcher)?'?(?![\w.])",
                )
            ),
        ),
        steps=(
            Step(
                text="Let torchdoctor install it there and try the kernel:",
                command="torchdoctor jupyter-kernel repair {kernel_without_ipykernel}",
            ),
            Step(text="Or by hand: install ipykernel with the very Python that the kernel's spec names."),
        ),
        find="`jupyter kernelspec list --json` names the kernel's Python; there, `import ipykernel` must work.",
    ),
    Rule(
        id="jupyter-kernel-spec-broken",
        layer=Layer.NOTEBOOK,
        severity="error",
        title="A kernel spec cannot be read",
        explanation=(
            "The kernel.json is damaged, or this user may not read it: Jupyter leaves the kernel out or "
            "cannot start it."
        ),
        signs=(likely(contains("error loading kernelspec")),),
        steps=(
            Step(
                text="Write it anew; the broken file is kept beside it:",
                command="torchdoctor jupyter-kernel repair {kernel_corrupt} {kernel_environment}",
            ),
            Step(text="Or remove it:", command="torchdoctor jupyter-kernel remove {kernel_corrupt}"),
        ),
        find="`torchdoctor jupyter-kernel list` names the file and what is wrong with it.",
    ),
    Rule(
        id="notebook-without-gpu",
        layer=Layer.NOTEBOOK,
        severity="error",
        title="The hosted notebook was started without a GPU",
        explanation=(
            "Colab, Kaggle and the like give a GPU only to a session that asked for one, and only while "
            "some are free and the quota lasts. Without one torch finds no driver."
        ),
        signs=(
            likely(
                all_of(
                    HOSTED,
                    any_of(
                        CUDA_UNAVAILABLE, NO_DRIVER, contains("cuda is not available", "gpu is not available")
                    ),
                    no(ON_NVIDIA),
                    no(fact("torch.build", "cpu")),
                )
            ),
            hint(all_of(HOSTED, contains("no cuda gpus are available"), no(ON_NVIDIA))),
        ),
        unless=(
            contains(
                "gpu runtime",
                "runtime type",
                "accelerator",
                matching=(
                    r"gpu runtime (?:is |was )?(?:selected|on|enabled|chosen)"
                    r"|(?:in|with|on|using) (?:a |the |\w\d )?gpu runtime"
                    r"|(?:set|changed|selected|chose)[^.\n]{0,40}(?:runtime type|accelerator)"
                ),
            ),
        ),
        steps=(
            Step(text="Colab: Runtime, Change runtime type, a GPU; then run the cells again."),
            Step(text="Kaggle: Settings, Accelerator, a GPU; the account's phone number must be verified."),
            Step(text="If none is offered, the quota is used up: wait, or take a paid one."),
        ),
        explains=("cuda-visible-devices-wrong", "driver-missing", "cpu-only-wheel", "container-without-gpu"),
        os=("linux",),
        find="`!nvidia-smi` in a cell must print a table.",
    ),
    Rule(
        id="jupyter-kernel-other-env",
        layer=Layer.NOTEBOOK,
        severity="error",
        title="The notebook runs another environment than the one with torch",
        explanation=(
            "Jupyter starts the Python of the chosen kernel, whatever environment is active in "
            "the terminal. Without ipykernel and a kernel of its own, the environment with torch "
            "is not among them."
        ),
        signs=(
            likely(all_of(NO_MODULE_TORCH, IN_NOTEBOOK)),
            likely(
                all_of(
                    IN_NOTEBOOK,
                    contains(
                        "works in",
                        "terminal",
                        "command line",
                        "ipython",
                        "python shell",
                        "but not in",
                        "only in",
                        "in the shell",
                        "in python",
                        "console",
                        "cmd",
                        matching=(
                            r"(?:works?|fine|true|success\w*|import\w*|ok)[^.]{0,80}(?:terminal"
                            r"|command line|shell|console|cmd|python prompt|ipython|script)[^.]{0,"
                            r"160}(?:notebook|jupyter|kernel)|(?:notebook|jupyter|kernel)[^.]{0,"
                            r"160}(?:fail\w*|false|error|not|different|wrong|other)[^.]{0,"
                            r"160}(?:terminal|command line|shell|console|cmd|environment|env\b)"
                        ),
                    ),
                )
            ),
            likely(
                contains(
                    "sys.executable",
                    "kernelspec",
                    "ipykernel",
                    matching=(
                        r"sys\.executable[^.]{0,160}(?:notebook|jupyter|kernel)|(?:install"
                        r"|register|add)\w*[^.]{0,60}(?:ipykernel|kernelspec|kernel)[^.]{0,"
                        r"80}(?:fix|solv|work|help|env)|(?:wrong|different|other|another|base"
                        r"|default) (?:\w+ )?kernel|kernel (?:is|was|uses|used|runs|points)[^.]{0,"
                        r"40}(?:base|different|other|another|wrong|system)"
                    ),
                )
            ),
            hint(NO_MODULE_TORCH),
            possible(
                all_of(
                    fact("told.notebook_fails"),
                    contains("torch"),
                    contains("activate", "conda", "venv", "environment", "prompt", "virtualenv", "环境"),
                )
            ),
        ),
        unless=(
            contains("failed to run command"),
            contains("no module named 'torch._c"),
            no(any_of(IN_NOTEBOOK, contains("jupyter", "notebook", "kernel"))),
        ),
        steps=(
            Step(
                text=(
                    "Give the environment with torch a kernel, and choose it in the notebook's Kernel menu:"
                ),
                command="torchdoctor jupyter-kernel add .venv --name torch",
            ),
            Step(
                text="Or by hand, with the Python of that environment:",
                command="python -m pip install ipykernel && python -m ipykernel install --user --name torch",
            ),
        ),
        explains=("python-path-mixup",),
        find="In the notebook: `import sys; print(sys.executable)`; it must be the environment's Python.",
    ),
)
