"""`torchdoctor config`: each setting, its value, and where it came from."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from torchdoctor.cli.config.all_settings import check_config, every_setting, setting_names
from torchdoctor.cli.config.settings import config_path, read_config, refuse_unknown
from torchdoctor.cli.options import AsTyped, output_options
from torchdoctor.cli.output import Output, print_json
from torchdoctor.cli.param_types import SETTING
from torchdoctor.core.fs.user_folders import cache_folder, data_folder
from torchdoctor.core.i18n import message, translate
from torchdoctor.core.i18n.catalog import gettext as _
from torchdoctor.report.terminal.echo import echo
from torchdoctor.report.terminal.wrap import padded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torchdoctor.cli.config.all_settings import Setting

__all__ = ["command"]


@click.group("config", invoke_without_command=True, short_help="Each setting, and where it came from.")
@click.option("--all", "everything", cls=AsTyped, is_flag=True, help="Show what is at its default too.")
@output_options
@click.pass_context
def command(ctx: click.Context, *, everything: bool, output: Output) -> int:
    """Show each setting, its value and where it came from; `set` and `unset` change the config file.

    An option on the command line comes first, then its TORCHDOCTOR_ variable, then the config file.

    \b
    torchdoctor config
    torchdoctor config set install.mirror nju
    torchdoctor config set lang zh
    torchdoctor config unset install.mirror
    """
    ctx.obj = output
    if ctx.invoked_subcommand is not None:
        return 0
    path = config_path()
    config = read_config(path)
    settings = list(every_setting(config, everything=everything))
    folders = {
        "config": str(path),
        "cache": str(cache_folder(os.environ)),
        "data": str(data_folder(os.environ)),
    }
    if output.json:
        rows = [asdict(setting) for setting in settings]
        print_json({"schema": 1, "files": folders, "exists": config is not None, "settings": rows})
        return 0
    _show(folders, settings, there=config is not None)
    if not everything and not output.quiet:
        for_all = (
            message("see what else can be set: torchdoctor config --all")
            if settings
            else message("nothing is set; see what can be: torchdoctor config --all")
        )
        echo(translate(for_all))
    return 0


def _show(folders: Mapping[str, str], settings: Iterable[Setting], *, there: bool) -> None:
    for name, folder in folders.items():
        missing = _("(not there)") if name == "config" and not there else ""
        echo(f"{padded(_(name), 8)} {folder}  {missing}".rstrip())
    for setting in settings:
        origin = _("default") if setting.origin == "default" else translate(setting.origin)
        line = message(
            "{key} = {value}  ({origin})", key=setting.key, value=_shown(setting.value), origin=origin
        )
        echo(translate(line))


@command.command("set", short_help="Write a setting into the config file.")
@click.argument("key", type=SETTING)
@click.argument("value", nargs=-1, required=True)
@output_options
def set_command(*, key: str, value: tuple[str, ...], output: Output) -> int:
    """Write a setting into the config file; KEY is a command and its option, as in install.mirror.

    Several values make a list, for an option that may be given more than once.

    \b
    torchdoctor config set lang zh
    torchdoctor config set install.mirror nju
    torchdoctor config set install.find-links ~/wheels /mnt/wheels
    """
    from torchdoctor.cli.config.edit import change

    path = config_path()
    change(path, key, value, check=check_config)
    document = {"schema": 1, "file": str(path), "key": key, "value": list(value)}
    _tell(output, document, message("{key} is set in {path}", key=key, path=path))
    return 0


@command.command("unset", short_help="Remove a setting from the config file.")
@click.argument("key", type=SETTING)
@output_options
def unset_command(*, key: str, output: Output) -> int:
    """Remove a setting from the config file.

    \b
    torchdoctor config unset install.mirror
    """
    from torchdoctor.cli.config.edit import change

    path = config_path()
    if change(path, key, None, check=check_config):
        text = message("{key} is no longer set in {path}", key=key, path=path)
    else:
        refuse_unknown(key, setting_names())
        text = message("{key} was not set; nothing to do", key=key)
    _tell(output, {"schema": 1, "file": str(path), "key": key, "value": None}, text)
    return 0


def _tell(output: Output, document: dict[str, Any], text: str) -> None:
    if output.json:
        print_json(document)
    elif not output.quiet:
        echo(translate(text))


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    return (" ".join(map(str, value)) or "-") if isinstance(value, list | tuple) else str(value)
