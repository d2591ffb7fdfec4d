"""What the activate scripts of a virtual environment get: variables for uv, and their old values back.

The variables of one hold name the same file, or none; where it is missing, nothing is set.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.install.hold.blocks import insert_block, remove_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torchdoctor.install.hold.model import Variable

__all__ = ["SCRIPTS", "hold_script", "release_script"]

_HELD = "_TORCHDOCTOR_HELD"
_COMMENTS = {".bat": "@REM"}
_SIGNATURE = "# SIG # Begin signature block"
_SH_FUNCTION = re.compile(r"^deactivate *\(\) *\{[^\S\n]*\n", re.MULTILINE)
_FISH_FUNCTION = re.compile(r"^function deactivate\b.*\n", re.MULTILINE)
_PS1_FUNCTION = re.compile(r"^function global:deactivate *\(.*\) *\{[^\S\n]*\n", re.MULTILINE | re.IGNORECASE)
_CSH_ALIAS = re.compile(r"^alias deactivate '(.*)'\r?$", re.MULTILINE)
_NU_LOAD = re.compile(r"^    load-env \$new_env[^\S\n]*\n", re.MULTILINE)


def hold_script(name: str, text: str, variables: Sequence[Variable]) -> str | None:
    """Return the script with the variables in it; None for one of a kind that is not known, or that is signed.

    Blocks that are there already are replaced. Raises `ChangedBlock` where somebody changed one.
    """
    if name not in SCRIPTS or _SIGNATURE in text:
        return None
    return SCRIPTS[name](release_script(name, text), variables)


def release_script(name: str, text: str) -> str:
    """Return the script as it was before; raises `ChangedBlock` where somebody changed a block."""
    return remove_blocks(text, _comment(name))


def _comment(name: str) -> str:
    return _COMMENTS.get(name[name.rfind(".") :], "#") if "." in name else "#"


def _old(variable: Variable) -> str:
    return f"_TORCHDOCTOR_OLD_{variable.name}"


def _sh(text: str, variables: Sequence[Variable]) -> str | None:
    function = _SH_FUNCTION.search(text)
    if function is None:
        return None
    path = "'" + variables[0].file.replace("'", "'\\''") + "'"
    is_there = f" && [ -f {path} ]" if variables[0].file else ""
    restore, store = (
        [f'    if [ -n "${{{_HELD}-}}" ] ; then'],
        [f'if [ -z "${{{_HELD}-}}" ]{is_there} ; then'],
    )
    for variable in variables:
        name, old = variable.name, _old(variable)
        value = f'"${{{name}:+${name} }}{variable.value}"' if variable.added else f"'{variable.value}'"
        restore += [
            f'        if [ -n "${{{old}+set}}" ] ; then',
            f'            {name}="${old}" ; export {name} ; unset {old}',
            "        else",
            f"            unset {name}",
            "        fi",
        ]
        store += [
            f'    if [ -n "${{{name}+set}}" ] ; then {old}="${name}" ; fi',
            f"    {name}={value} ; export {name}",
        ]
    restore += [f"        unset {_HELD}", "    fi"]
    store += [f"    {_HELD}=1", "fi"]
    return insert_block(insert_block(text, len(text), store), function.end(), restore)


def _fish(text: str, variables: Sequence[Variable]) -> str | None:
    function = _FISH_FUNCTION.search(text)
    if function is None:
        return None
    path = "'" + variables[0].file.replace("\\", "\\\\").replace("'", "\\'") + "'"
    is_there = f"; and test -f {path}" if variables[0].file else ""
    restore, store = [f"    if set -q {_HELD}"], [f"if not set -q {_HELD}{is_there}"]
    for variable in variables:
        name, old = variable.name, _old(variable)
        value = f'(string trim -- "${name} {variable.value}")' if variable.added else f"'{variable.value}'"
        restore += [
            f"        set -e -g {name}",
            f"        if set -q {old}",
            f'            set -gx {name} "${old}"',
            f"            set -e {old}",
            "        end",
        ]
        store += [
            f"    if set -q -g {name}",
            f'        set -g {old} "${name}"',
            "    end",
            f"    set -gx {name} {value}",
        ]
    restore += [f"        set -e {_HELD}", "    end"]
    store += [f"    set -g {_HELD} 1", "end"]
    return insert_block(insert_block(text, len(text), store), function.end(), restore)


def _csh(text: str, variables: Sequence[Variable]) -> str | None:
    alias = _CSH_ALIAS.search(text)
    if alias is None:
        return None
    store: list[str] = []
    restore: list[str] = []
    for variable in variables:
        name, old = variable.name, _old(variable)
        store += [f"    if ( $?{name} ) then", f'        set {old}="${name}:q"', "    endif"]
        if variable.added:
            store += [
                f"    if ( $?{old} ) then",
                f'        setenv {name} "${old}:q {variable.value}"',
                "    else",
                f"        setenv {name} '{variable.value}'",
                "    endif",
            ]
        else:
            store.append(f"    setenv {name} '{variable.value}'")
        restore += [
            f"unsetenv {name}",
            f'test $?{old} != 0 && setenv {name} "${old}:q" && unset {old}',
        ]
    lines = [f"if ( ! $?{_HELD} ) then", *store, f"    set {_HELD}=1", "endif"]
    lines.append(f"alias deactivate '{'; '.join((*restore, f'unset {_HELD}', alias[1]))}'")
    if variables[0].file:
        path = "'" + variables[0].file.replace("'", "'\\''").replace("!", "\\!") + "'"
        lines = [f"if ( -f {path} ) then", *lines, "endif"]
    return insert_block(text, len(text), lines)


def _ps1(text: str, variables: Sequence[Variable]) -> str | None:
    function = _PS1_FUNCTION.search(text)
    if function is None:
        return None
    restore = [f"    if (Test-Path variable:global:{_HELD}) {{"]
    path = "'" + variables[0].file.replace("'", "''") + "'"
    is_there = f" -and (Test-Path -LiteralPath {path})" if variables[0].file else ""
    store = [f"if (!(Test-Path variable:global:{_HELD}){is_there}) {{"]
    for variable in variables:
        name, old = variable.name, _old(variable)
        restore += [
            f"        if (Test-Path variable:global:{old}) {{",
            f"            $env:{name} = $global:{old}",
            f"            Remove-Variable -Name {old} -Scope global",
            "        } else {",
            f"            Remove-Item env:{name} -ErrorAction SilentlyContinue",
            "        }",
        ]
        value = f"(\"$env:{name} \" + '{variable.value}').Trim()" if variable.added else f"'{variable.value}'"
        store += [
            f"    if (Test-Path env:{name}) {{",
            f"        $global:{old} = $env:{name}",
            "    }",
            f"    $env:{name} = {value}",
        ]
    restore += [f"        Remove-Variable -Name {_HELD} -Scope global", "    }"]
    store += [f"    $global:{_HELD} = $true", "}"]
    return insert_block(insert_block(text, len(text), store), function.end(), restore)


def _nu(text: str, variables: Sequence[Variable]) -> str | None:
    load = _NU_LOAD.search(text)
    if load is None:
        return None
    lines = []
    for variable in variables:
        value = f"'{variable.value}'"
        if variable.added:
            value = f"($'($env.{variable.name}? | default \"\") {variable.value}' | str trim)"
        lines.append(f"    $env.{variable.name} = {value}")
    if variables[0].file:
        path = '"' + variables[0].file.replace("\\", "\\\\").replace('"', '\\"') + '"'
        lines = [f"    if ({path} | path exists) {{", *lines, "    }"]
    return insert_block(text, load.end(), lines)


def _bat(text: str, variables: Sequence[Variable]) -> str:
    lines = []
    for variable in variables:
        name, old, value = variable.name, _old(variable), variable.value.replace("%", "%%")
        lines.append(f'@if not defined {_HELD} @set "{old}=%{name}%"')
        lines.append(f'@set "{name}={value}"')
        if variable.added:
            lines.append(f'@if defined {old} @set "{name}=%{old}% {value}"')
    lines.append(f'@set "{_HELD}=1"')
    if variables[0].file:
        path = variables[0].file.replace("%", "%%")
        lines = [f'@if exist "{path}" {line}' for line in lines]
    return insert_block(text, len(text), lines, _COMMENTS[".bat"])


def _deactivate_bat(text: str, variables: Sequence[Variable]) -> str:
    lines = []
    for variable in variables:
        name, old = variable.name, _old(variable)
        lines += [f'@if defined {_HELD} @set "{name}=%{old}%"', f'@set "{old}="']
    lines.append(f'@set "{_HELD}="')
    return insert_block(text, len(text), lines, _COMMENTS[".bat"])


# The scripts of uv, virtualenv and the standard library's venv. Those of Windows are in `Scripts`.
SCRIPTS: dict[str, Callable[[str, Sequence[Variable]], str | None]] = {
    "activate": _sh,
    "activate.fish": _fish,
    "activate.csh": _csh,
    "activate.ps1": _ps1,
    "Activate.ps1": _ps1,
    "activate.nu": _nu,
    "activate.bat": _bat,
    "deactivate.bat": _deactivate_bat,
}
