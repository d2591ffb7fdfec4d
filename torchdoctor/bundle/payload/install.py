"""Installs the wheels of this folder into a new virtual environment. Needs only Python: no network, no other package.

Usage: python install.py [ENV]        (ENV is the folder of the new environment; default: .venv)
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from typing import IO, Any, NoReturn

HERE = os.path.dirname(os.path.abspath(__file__))
RESTARTED_VARIABLE = "TORCHDOCTOR_BUNDLE_PYTHON"
UNFINISHED_MARK = ".torchdoctor-unfinished"


def stop(what: str, fix: str) -> NoReturn:
    """Print what is wrong and what to do, and exit."""
    sys.exit("error: {}\n  fix: {}".format(what, fix))


def path_of(name: str) -> str:
    """Return the path of a file of this folder; raises `OSError` for a pipe or a device, which may never end."""
    path = os.path.join(HERE, name)
    if not os.path.isfile(path):
        raise OSError(2, "it is not a file")
    return path


def read(name: str) -> str:
    """Return the text of a file of this folder."""
    try:
        with open(path_of(name), encoding="utf-8") as file:
            return file.read()
    except OSError:
        stop(
            "there is no {} in {}: the bundle is not complete".format(name, HERE),
            "copy the whole folder again",
        )
    except ValueError:
        stop("{} is damaged".format(name), "copy the whole folder again")


def read_bundle() -> dict[str, Any]:
    """Return what the bundle is for; needed before there is a Python to verify the checksums with."""
    try:
        found = json.loads(read("bundle.json"))
        return {key: str(found[key]) for key in ("python", "implementation", "sys_platform")}
    except (ValueError, KeyError, TypeError):
        stop("bundle.json is damaged", "copy the whole folder again")


def use_required_python(bundle: dict[str, Any]) -> None:
    """Restart in the Python that the wheels are for, if this is another one."""
    wanted = bundle["python"]
    running = "{}.{}".format(*sys.version_info[:2])
    if running == wanted and sys.implementation.name == bundle["implementation"]:
        return
    commands = [["python" + wanted], ["py", "-" + wanted], ["python"], ["python3"]]
    restarted = os.environ.get(RESTARTED_VARIABLE) == wanted
    command = None if restarted else next((words for words in commands if version_of(words) == wanted), None)
    if command is None:
        stop(
            "these wheels are for Python {}, and this is Python {}".format(wanted, running),
            "install Python {0}, or run this file with it: python{0} install.py".format(wanted),
        )
    environ = dict(os.environ, **{RESTARTED_VARIABLE: wanted})
    sys.exit(subprocess.call([*command, os.path.abspath(__file__), *sys.argv[1:]], env=environ))


def version_of(command: list[str]) -> str | None:
    """Return the version of the Python that a command starts; None when it starts none."""
    if shutil.which(command[0]) is None:
        return None
    script = "import sys; print('{}.{}'.format(*sys.version_info[:2]))"
    try:
        completed = subprocess.run(
            [*command, "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=60,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return completed.stdout.decode("ascii", "replace").strip()


def refuse_another_machine(bundle: dict[str, Any]) -> None:
    """Refuse to install on another system, where each wheel would fail with an error that is hard to understand."""
    if sys.platform != bundle["sys_platform"]:
        stop(
            "these wheels are for {}, and this is {}".format(bundle["sys_platform"], sys.platform),
            "make a bundle for this machine: torchdoctor download DIR --platform ...",
        )


def verify_checksums() -> None:
    """Verify that every file in SHA256SUMS is there and unchanged."""
    lines = read("SHA256SUMS").splitlines()
    if not lines:
        stop("SHA256SUMS is empty", "copy the whole folder again")
    for number, line in enumerate(lines, 1):
        match = re.fullmatch(r"([0-9a-f]{64})  ([A-Za-z0-9_.+!-]{1,255})", line)
        if match is None:
            stop("SHA256SUMS is not a list of checksums", "copy the whole folder again")
        name = match.group(2)
        if digest_of(name) != match.group(1):
            stop("{} has changed since it was packed".format(name), "copy that file again")
        print("checked   {}/{} {}".format(number, len(lines), name), flush=True)


def digest_of(name: str) -> str:
    """Return the SHA-256 of a file of this folder."""
    digest = hashlib.sha256()
    try:
        with open(path_of(name), "rb") as file:
            while True:
                block = file.read(1 << 20)
                if not block:
                    return digest.hexdigest()
                digest.update(block)
    except OSError as error:
        stop("{} cannot be read: {}".format(name, error.strerror), "copy the whole folder again")


def install(folder: str) -> None:
    """Create the environment and install into it; nothing is left of it when that fails."""
    clear_unfinished(folder)
    if os.path.lexists(folder) and (not os.path.isdir(folder) or os.listdir(folder)):
        stop("{} exists already".format(folder), "name another folder: install.py ENV")
    existed = os.path.isdir(folder)
    python = os.path.join(folder, *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))
    pip = [python, "-m", "pip", "--isolated", "--disable-pip-version-check", "install", "--no-index"]
    pip += ["--find-links", HERE, "--require-hashes"]
    # No settings of the user, no packages of another environment.
    environ = {
        key: value for key, value in os.environ.items() if not key.upper().startswith(("PIP_", "PYTHON"))
    }
    mark = os.path.join(folder, UNFINISHED_MARK)
    try:
        os.makedirs(folder, exist_ok=True)
        held = hold_mark(mark)
    except OSError as error:
        stop("{} cannot be made: {}".format(folder, error.strerror), "name another folder: install.py ENV")
    done = False
    try:
        run([sys.executable, "-m", "venv", folder], environ)
        print("made      {}".format(folder), flush=True)
        # The pip that comes with Python may be too old for the tags of these wheels.
        if os.path.exists(os.path.join(HERE, "requirements-pip.txt")):
            run([*pip, "--quiet", "-r", os.path.join(HERE, "requirements-pip.txt")], environ)
        run([*pip, "-r", os.path.join(HERE, "requirements.txt")], environ)
        run([python, "-c", "import torch; print('installed torch', torch.__version__)"], environ)
        held.close()
        os.remove(mark)
        done = True
    finally:
        held.close()
        if not done:
            shutil.rmtree(folder, ignore_errors=True)
            if existed:
                os.mkdir(folder)


def clear_unfinished(folder: str) -> None:
    """Remove what a run left that was killed or lost power; otherwise the folder could never be used."""
    mark = os.path.join(folder, UNFINISHED_MARK)
    if not os.path.isfile(mark):
        return
    try:
        hold_mark(mark).close()
        os.remove(mark)  # Windows refuses that while another run has it open
    except OSError:
        stop("another run is installing into {}".format(folder), "wait until it is done")
    print("cleared   {}, left by an interrupted run".format(folder), flush=True)
    shutil.rmtree(folder, ignore_errors=True)


def hold_mark(mark: str) -> IO[bytes]:
    """Return the open and locked mark file of this run; raises `OSError` while another run has it."""
    file = open(mark, "ab")  # noqa: SIM115  (it stays open until the end of the run)
    try:
        import fcntl
    except ImportError:
        return file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise
    except OSError:
        pass  # a file system without locks
    return file


def run(command: list[str], environ: dict[str, str]) -> None:
    """Run a command; exit with a message when it fails."""
    status = subprocess.call(command, env=environ)
    if status != 0:
        what = "`{} {}` failed with status {}".format(
            os.path.basename(command[0]), " ".join(command[1:4]), status
        )
        stop(
            what, "read what it printed above; on Debian and Ubuntu `apt install python3-venv` may be missing"
        )


def main() -> None:
    """Run all steps in order."""
    for stream in (sys.stdout, sys.stderr):
        # On Windows a file or pipe cannot encode every name; a closed stream is None.
        if stream is not None:
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    for name in ("SIGTERM", "SIGHUP"):
        if getattr(signal, name, None) and signal.getsignal(getattr(signal, name)) == signal.SIG_DFL:
            signal.signal(getattr(signal, name), signal.default_int_handler)
    if len(sys.argv) > 2 or sys.argv[1:2] in (["-h"], ["--help"]):
        sys.exit(__doc__)
    bundle = read_bundle()
    refuse_another_machine(bundle)
    use_required_python(bundle)
    verify_checksums()
    folder = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".venv")
    install(folder)
    activate = os.path.join(folder, "Scripts" if os.name == "nt" else "bin", "activate")
    print("use it    {}".format(activate if os.name == "nt" else "source " + shlex.quote(activate)))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("interrupted; nothing was installed", file=sys.stderr)
        sys.exit(130)
