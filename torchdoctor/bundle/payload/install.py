"""Installs the wheels of this folder into a new virtual environment. Needs only Python: no network, no other package.

Usage: python install.py [ENV] [--digest sha256:HEX] [--allowed-signers FILE]

ENV is the folder of the new environment; default: .venv. --digest is what was printed when the bundle was made.
FILE has the keys whose signature you accept, as ssh-keygen reads them, or is one public key; it may not come with the
bundle. Both must reach you by another way than the bundle: whoever can exchange the wheels can exchange all the rest.
"""

import sys

if __name__ == "__main__" and not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
    sys.path.pop(
        0
    )  # what lies beside this file is not checked yet: nothing of it is imported, `__future__` neither

import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
from typing import IO, Any, Dict, List, NoReturn, Optional, Set

HERE = os.path.dirname(os.path.abspath(__file__))
RESTARTED_VARIABLE = "TORCHDOCTOR_BUNDLE_PYTHON"
UNFINISHED_MARK = ".torchdoctor-unfinished"
NAMESPACE = "torchdoctor"
SIGNATURE = "SHA256SUMS.sig"
MOST_BYTES = 1 << 20  # of a text file


def stop(what: str, fix: str) -> NoReturn:
    """Print what is wrong and what to do, and exit."""
    sys.exit("error: {}\n  fix: {}".format(what, fix))


def path_of(name: str) -> str:
    """Return the path of a file of this folder; raises `OSError` for a pipe or a device, which may never end."""
    path = os.path.join(HERE, name)
    if os.path.isfile(path):
        return path
    raise OSError(2, "it is not a file")


def read(name: str) -> str:
    """Return the text of a file of this folder."""
    try:
        with open(path_of(name), "rb") as file:
            return file.read(MOST_BYTES).decode("utf-8")
    except OSError:
        what = "there is no {} in {}: the bundle is not complete"
        stop(what.format(name, HERE), "copy the whole folder again")
    except ValueError:
        stop("{} is damaged".format(name), "copy the whole folder again")


def read_bundle() -> Dict[str, Any]:
    """Return what the bundle is for; needed before there is a Python to verify the checksums with."""
    try:
        found = json.loads(read("bundle.json"))
        return {key: str(found[key]) for key in ("python", "implementation", "sys_platform")}
    except (ValueError, KeyError, TypeError):
        stop("bundle.json is damaged", "copy the whole folder again")


def use_required_python(bundle: Dict[str, Any]) -> None:
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


def version_of(command: List[str]) -> Optional[str]:
    """Return the version of the Python that a command starts; None when it starts none."""
    if program(command[0]) is None:
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


def program(name: str) -> Optional[str]:
    """Return the path of a program; None where there is none, or only one that came with the bundle."""
    found = shutil.which(name)  # Windows looks into the current folder first
    return None if found is None or is_carried(found) else found


def is_carried(path: str) -> bool:
    """Whether a file lies in this folder, also through a link."""
    here = os.path.realpath(HERE)
    folder = os.path.dirname(os.path.realpath(path))
    return folder == here or folder.startswith(here + os.sep)


def refuse_another_machine(bundle: Dict[str, Any]) -> None:
    """Refuse to install on another system, where each wheel would fail with an error that is hard to understand."""
    if sys.platform != bundle["sys_platform"]:
        what = "these wheels are for {}, and this is {}".format(bundle["sys_platform"], sys.platform)
        stop(what, "make a bundle for this machine: torchdoctor download DIR --platform ...")


def check_origin(sums: str, digest: Optional[str], signers: Optional[str]) -> None:
    """Check that SHA256SUMS is the one that was made, by its digest, its signature, or the eyes of whoever installs."""
    found = "sha256:" + hashlib.sha256(sums.encode()).hexdigest()
    if digest is not None and digest.strip().lower().replace("sha256:", "") != found[7:]:
        what = "this is not the bundle that you were told of: its digest is {}"
        stop(what.format(found), "ask whoever made it for the digest, and copy the whole folder again")
    if signers is not None:
        print("checked   signature of {}".format(signer_of(sums, signers)), flush=True)
    print("{} {}".format("digest   " if digest is None else "checked  ", found), flush=True)
    if digest is not None or signers is not None:
        return
    if sys.stdin is not None and sys.stdin.isatty() and sys.stdout is not None and sys.stdout.isatty():
        print("Is this the digest that was printed when the bundle was made? [y/N] ", end="", flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            stop("nothing was installed", "compare the digest, or give it: --digest sha256:...")
        return
    print(
        "note      files are compared with SHA256SUMS, which came with them; who made the bundle is not checked,"
    )
    print("          as --digest or --allowed-signers would", flush=True)


def signer_of(sums: str, signers: str) -> str:
    """Return who signed SHA256SUMS; exit where that is nobody whom the file of signers names."""
    if is_carried(signers):
        stop("{} came with the bundle".format(signers), "use a file of your own")
    signature = os.path.join(HERE, SIGNATURE)
    if not os.path.isfile(signature):
        stop("the bundle is not signed: there is no {}".format(SIGNATURE), "ask for a signed one")
    keygen = program("ssh-keygen")
    if keygen is None:
        stop("there is no ssh-keygen here", "install OpenSSH 8.1 or later, or use --digest")
    with tempfile.TemporaryDirectory() as folder:
        files = ["-s", signature, "-f", allowed_signers(signers, folder)]
        name = keygen_says([keygen, "-Y", "find-principals", *files], b"").splitlines()[0]
        keygen_says([keygen, "-Y", "verify", *files, "-I", name, "-n", NAMESPACE], sums.encode())
    return name


def allowed_signers(signers: str, folder: str) -> str:
    """Return a file as ssh-keygen reads it: the given one, or one for the public key that it is."""
    if not os.path.isfile(signers):
        stop("{} is not a file".format(signers), "name a file of keys")
    text = read(os.path.abspath(signers))
    if not re.match(r"(ssh|ecdsa|sk)-\S+ [A-Za-z0-9+/]", text):
        return signers
    path = os.path.join(folder, "allowed")
    with open(path, "w", encoding="utf-8") as file:
        file.write('the-given-key namespaces="{}" {}\n'.format(NAMESPACE, " ".join(text.split()[:2])))
    return path


def keygen_says(command: List[str], text: bytes) -> str:
    """Return what ssh-keygen prints; exit where it refuses."""
    try:
        done = subprocess.run(
            command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=60
        )
    except (OSError, subprocess.SubprocessError) as error:
        stop("the signature could not be checked: {}".format(error), "use --digest")
    said = done.stdout.decode("utf-8", "replace").strip()
    if done.returncode != 0 or not said:
        what = "the signature is of nobody whom that file names, or of another bundle: {}"
        stop(what.format(said), "do not install this bundle; ask whoever made it")
    return said


def verify_checksums(sums: str) -> Set[str]:
    """Verify that every file in SHA256SUMS is there and unchanged, and return their names."""
    lines = sums.splitlines()
    names = set()
    if not lines:
        stop("SHA256SUMS is empty", "copy the whole folder again")
    for number, line in enumerate(lines, 1):
        match = re.fullmatch(r"([0-9a-f]{64})  ([A-Za-z0-9_.+!-]{1,255})", line)
        if match is None:
            stop("SHA256SUMS is not a list of checksums", "copy the whole folder again")
        name = match.group(2)
        if digest_of(name) != match.group(1):
            stop("{} has changed since it was packed".format(name), "copy that file again")
        names.add(name)
        print("checked   {}/{} {}".format(number, len(lines), name), flush=True)
    if not names >= {"requirements.txt", "install.py", "bundle.json"}:
        stop("SHA256SUMS does not name all files", "copy the whole folder again")
    return names


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


def install(folder: str, names: Set[str]) -> None:
    """Create the environment and install into it from the named files; nothing is left of it when that fails."""
    clear_unfinished(folder)
    if os.path.lexists(folder) and (not os.path.isdir(folder) or os.listdir(folder)):
        stop("{} exists already".format(folder), "name another folder: install.py ENV")
    existed = os.path.isdir(folder)
    python = os.path.join(folder, *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))
    pip = [python, "-I", "-m", "pip", "--isolated", "--disable-pip-version-check", "install", "--no-index"]
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
        run([sys.executable, "-I", "-m", "venv", folder], environ)
        print("made      {}".format(folder), flush=True)
        # The pip that comes with Python may be too old for the tags of these wheels.
        if "requirements-pip.txt" in names:
            run([*pip, "--quiet", "-r", os.path.join(HERE, "requirements-pip.txt")], environ)
        run([*pip, "-r", os.path.join(HERE, "requirements.txt")], environ)
        run([python, "-I", "-c", "import torch; print('installed torch', torch.__version__)"], environ)
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
    """Remove what a run of this user left that was killed; otherwise the folder could never be used."""
    mark = os.path.join(folder, UNFINISHED_MARK)
    if not os.path.isfile(mark) or os.lstat(mark).st_uid != getattr(os, "geteuid", int)():
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


def run(command: List[str], environ: Dict[str, str]) -> None:
    """Run a command; exit with a message when it fails."""
    status = subprocess.call(command, env=environ)
    if status != 0:
        name = os.path.basename(command[0])
        what = "`{} {}` failed with status {}".format(name, " ".join(command[1:4]), status)
        fix = "read what it printed above; on Debian and Ubuntu `apt install python3-venv` may be missing"
        stop(what, fix)


def options(words: List[str]) -> Dict[str, str]:
    """Return what was given by the name of the option, the folder as ENV; exit for anything else."""
    given: Dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, sign, value = word.partition("=")
        if name in ("--digest", "--allowed-signers") and (sign or rest):
            given[name] = value if sign else rest.pop(0)
        elif word.startswith("-") or "ENV" in given:
            sys.exit(__doc__)
        else:
            given["ENV"] = word
    return given


def main() -> None:
    """Run all steps in order."""
    for stream in (sys.stdout, sys.stderr):
        # On Windows a file or pipe cannot encode every name; a closed stream is None.
        if stream is not None:
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    for name in ("SIGTERM", "SIGHUP"):
        if getattr(signal, name, None) and signal.getsignal(getattr(signal, name)) == signal.SIG_DFL:
            signal.signal(getattr(signal, name), signal.default_int_handler)
    given = options(sys.argv[1:])
    bundle = read_bundle()
    refuse_another_machine(bundle)
    use_required_python(bundle)
    sums = read("SHA256SUMS")
    check_origin(sums, given.get("--digest"), given.get("--allowed-signers"))
    names = verify_checksums(sums)
    folder = os.path.abspath(given.get("ENV", ".venv"))
    install(folder, names)
    activate = os.path.join(folder, "Scripts" if os.name == "nt" else "bin", "activate")
    print("use it    {}".format(activate if os.name == "nt" else "source " + shlex.quote(activate)))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("interrupted; nothing was installed", file=sys.stderr)
        sys.exit(130)
