"""The kinds of value that options take: checked wherever a value comes from, offered where a shell completes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from torchdoctor.cli import completions
from torchdoctor.cli.value_origin import remember

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from click.shell_completion import CompletionItem

    # click 8.5 has it generic, click 8.2 does not.
    _ParamType = click.ParamType[str]
else:
    _ParamType = click.ParamType

__all__ = [
    "CASES",
    "CHECKS",
    "CHECKUPS",
    "DEVICE",
    "DEVICES",
    "DIGEST",
    "DISPLAY_NAME",
    "DRIVER",
    "FAILURE",
    "GPU",
    "KERNEL",
    "KERNEL_NAME",
    "LIBC",
    "MIRROR",
    "OVERRIDE",
    "PLATFORM",
    "PYTHON_VERSION",
    "RELEASE",
    "RUN_NAME",
    "SETTING",
    "TIME",
    "TORCH",
    "URL",
    "VARIABLE",
    "VARIANT",
    "VENDOR",
    "WITH",
    "Word",
]


class Word(_ParamType):
    """Text that `check` accepts: it gets the text and how the option is typed, and raises `UsageError`.

    `offered` gives the words that a shell completes, and is called by a shell alone. With `commas` the text is a list
    of words.
    """

    name = "text"

    def __init__(
        self,
        check: Callable[[str, str], object] | None = None,
        offered: Callable[[], Iterable[str]] = tuple,
        *,
        commas: bool = False,
    ) -> None:
        self._check, self._offered, self._commas = check, offered, commas

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text as it is, once it was looked at."""
        text = str(value)
        if ctx is not None:
            remember(ctx, param)
        if self._check is not None:
            option = max(param.opts, key=len) if param is not None else ""
            for word in self._words(text):
                self._check(word, option)
        if ctx is not None:
            remember(ctx)
        return text

    def _words(self, text: str) -> list[str]:
        return [word.strip() for word in text.split(",") if word.strip()] if self._commas else [text]

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        """The words that begin so; of a list, the last one."""
        from click.shell_completion import CompletionItem

        before, comma, begun = incomplete.rpartition(",") if self._commas else ("", "", incomplete)
        return [
            CompletionItem(f"{before}{comma}{word}") for word in self._offered() if word.startswith(begun)
        ]


def _mirror(text: str, _option: str) -> None:
    from torchdoctor.sources.mirrors import AUTO, mirror

    if text not in ("", AUTO):
        mirror(text)


def _vendor(text: str, _option: str) -> None:
    from torchdoctor.sources.vendors import check_vendor

    if text:
        check_vendor(text)


def _torch(text: str, _option: str) -> None:
    from torchdoctor.cli.requests import parse_torch_option

    parse_torch_option(text)


def _variant(text: str, _option: str) -> None:
    if text != "auto":  # the usual one, without a look at the facts
        from torchdoctor.cli.requests import parse_variant_option

        parse_variant_option(text)


def _requirement(text: str, option: str) -> None:
    from torchdoctor.requirements import check_requirement

    check_requirement(text, option)


def _url(text: str, option: str) -> None:
    from torchdoctor.sources.source import as_url

    if text:
        as_url(text, origin=option)


def _time(text: str, option: str) -> None:
    from datetime import datetime, timezone

    from torchdoctor.sources.cutoff import parse_uv_time

    parse_uv_time(text, option, datetime.now(timezone.utc))


def _described(field: str) -> Callable[[str, str], object]:
    """A check that the word describes a machine."""

    def check(text: str, _option: str) -> None:
        from torchdoctor.detect import machine_from_options

        usual: dict[str, Any] = {"platform": "linux", "python_version": "3.12", "libc": None}
        machine_from_options(
            **{**usual, "driver": None, "gpus": (), field: (text,) if field == "gpus" else text}
        )

    return check


def _kernel_name(text: str, option: str) -> None:
    from torchdoctor.kernel.names import validate_kernel_name

    validate_kernel_name(text, option=option)


def _display_name(text: str, _option: str) -> None:
    from torchdoctor.kernel.names import validate_display_name

    validate_display_name(text)


def _variable(text: str, _option: str) -> None:
    from torchdoctor.kernel.names import parse_settings

    parse_settings([text])


def _check(text: str, _option: str) -> None:
    from torchdoctor.verify import select_checks

    select_checks([text], ())


def _case(text: str, _option: str) -> None:
    from torchdoctor.bench.measure import select_cases

    select_cases([text], (), quick=False)


def _device(text: str, _option: str) -> None:
    from torchdoctor.verify.devices import valid_device

    valid_device(text)


def _run_name(text: str, _option: str) -> None:
    from torchdoctor.bench.saved_runs import check_run_name

    check_run_name(text)


def _digest(text: str, option: str) -> None:
    from torchdoctor.bundle.origin import parse_digest

    parse_digest(text, option)


DIGEST = Word(_digest)
MIRROR = Word(_mirror, completions.mirror_names)
TORCH = Word(_torch, completions.release_versions)
VARIANT = Word(_variant, completions.variant_names)
VENDOR = Word(_vendor, completions.vendor_names)
WITH = Word(_requirement, completions.companion_names)
OVERRIDE = Word(_requirement, completions.companion_names)
TIME = Word(_time)
URL = Word(_url)
PLATFORM = Word(_described("platform"), completions.platform_tags)
PYTHON_VERSION = Word(_described("python_version"))
LIBC = Word(_described("libc"))
DRIVER = Word(_described("driver"))
GPU = Word(_described("gpus"))
KERNEL_NAME = Word(_kernel_name)
KERNEL = Word(None, completions.kernel_names)
DISPLAY_NAME = Word(_display_name)
VARIABLE = Word(_variable)
CHECKS = Word(_check, completions.verify_check_names, commas=True)
CASES = Word(_case, completions.bench_case_names, commas=True)
DEVICE = Word(_device, completions.device_names)
DEVICES = Word(_device, completions.device_names, commas=True)
CHECKUPS = Word(None, completions.doctor_check_names)
FAILURE = Word(None, completions.failure_ids)
RELEASE = Word(None, completions.release_versions)
RUN_NAME = Word(_run_name)
SETTING = Word(None, completions.setting_keys)
