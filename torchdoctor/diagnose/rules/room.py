"""No room: disk, temporary folder, memory."""

from __future__ import annotations

from torchdoctor.diagnose.matchers import all_of, certain, contains, fact, likely, no
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.symptoms import NO_SPACE

__all__ = ["RULES"]

NO_ROOM = NO_SPACE
TMP = contains(
    "/tmp",
    "tmpdir",
    "tmpfs",
    "temp",
    matching=r"(?:/tmp\b|tmpdir|tmpfs|/var/tmp|temp(?:orary)? (?:dir|folder|space))",
)
# Percent in use from which a file system counts as full.
FULL = 95

RULES = (
    Rule(
        id="tmp-too-small",
        layer=Layer.SYSTEM,
        severity="error",
        title="The folder for temporary files is too small",
        explanation=(
            "pip unpacks in TMPDIR, usually /tmp, which is often a small memory file system, "
            "while the disk has room."
        ),
        signs=(
            certain(
                all_of(
                    NO_ROOM,
                    fact(
                        "disk.used",
                        lambda value: int(value.split()[0]) >= FULL and value.endswith(("/tmp", "/var/tmp")),
                    ),
                )
            ),
            likely(
                all_of(
                    NO_ROOM,
                    fact("disk.used", r"[1-8]?\d /.*"),
                    no(fact("disk.used", r"(?:9[5-9]|100) /(?!tmp|dev|run|snap|boot).*")),
                )
            ),
            likely(all_of(NO_ROOM, TMP)),
            likely(
                all_of(
                    NO_ROOM,
                    contains(
                        "plenty",
                        "enough space",
                        "gb free",
                        "free space",
                        "space left",
                        "there is space",
                        "lots of",
                        "have space",
                        "has space",
                        "have room",
                        "is space",
                        matching=(
                            r"(?:plenty|enough|lots|\d+ ?[gt]i?b?)[^.]{0,30}(?:free|available"
                            r"|left|space|room)|(?:free|available)[^.]{0,20}\d+ ?[gt]b?"
                            r"|(?:still|but|though)[^.]{0,40}(?:have|has|is) (?:space|room)"
                        ),
                    ),
                )
            ),
            likely(contains("tmpdir", matching=r"tmpdir[^.]{0,100}(?:fix|solv|work|help|pip|install)")),
        ),
        steps=(
            Step(
                text="Give pip another folder for it:",
                command='mkdir -p "$HOME/tmp" && TMPDIR="$HOME/tmp" python -m pip install torch',
                os=("linux", "macos"),
            ),
        ),
        explains=("disk-full",),
        os=("linux",),
        find="`df -h /tmp` against the wheel's size, several GB with its libraries.",
    ),
    Rule(
        id="disk-full",
        layer=Layer.SYSTEM,
        severity="error",
        title="The disk, or the quota, is full",
        explanation="A CUDA build and its libraries need 5 to 8 GB unpacked, and the cache as much again.",
        signs=(likely(NO_ROOM),),
        steps=(
            Step(text="See what is full, inodes too:", command="df -h . && df -i .", os=("linux", "macos")),
            Step(text="Empty pip's cache:", command="python -m pip cache purge"),
            Step(text="Or put the environment and the cache (PIP_CACHE_DIR) on a bigger disk."),
        ),
        explains=("partial-install",),
        find=(
            "`df -h` of the environment, of the cache and of the temporary folder; `quota` on a "
            "shared machine."
        ),
    ),
    Rule(
        id="pip-killed-oom",
        layer=Layer.SYSTEM,
        severity="error",
        title="pip was killed: not enough memory",
        explanation=(
            "An old pip reads the whole wheel into memory to put it into its cache; on a small "
            "machine or container the kernel ends it."
        ),
        signs=(
            likely(
                contains(
                    "killed",
                    matching=(
                        r"被 ?killed|内存(?:占用过高|不足)[^.]{0,60}killed|killed[^.]{0,60}内存"
                        r"|memory[^.]{0,80}\bkilled\b[^.]{0,80}(?:install|pip|download)"
                        r"|(?:install|pip|download)\w*[^.]{0,80}\bkilled\b"
                    ),
                )
            ),
            likely(
                contains(
                    "killed",
                    matching=(
                        r"(?:pip|collecting|downloading|installing|torch|whl|━|█|100%|\|)[^.]{0,"
                        r"200}\bkilled\b(?! by signal: bus)"
                    ),
                )
            ),
            certain(
                contains(
                    "out of memory: kill",
                    "oom-kill",
                    "oom_kill",
                    "oomkilled",
                    matching=r"(?:kill(?:ed)? process \d+ \((?:pip|python|uv)|pip|oomkilled)",
                )
            ),
            certain(
                contains(
                    "memoryerror",
                    matching=r"(?:pip|cachecontrol|_vendor|install)[^\n]{0,600}memoryerror|memoryerror",
                )
            ),
            likely(
                contains(
                    "exit code 137",
                    "exit code: 137",
                    "returned a non-zero code: 137",
                    "signal: killed",
                    matching=r"137|signal: killed",
                )
            ),
        ),
        unless=(
            contains("bus error"),
            contains("dataloader worker"),
            contains("cuda out of memory"),
            NO_SPACE,
        ),
        steps=(
            Step(
                text="Install without the cache, which needs far less memory, with a current pip:",
                command="python -m pip install --upgrade pip && python -m pip install --no-cache-dir torch",
            ),
            Step(text="Or give the machine or container more memory, or swap.", where="admin"),
        ),
        os=("linux",),
        find="`dmesg | grep -i 'killed process'`, or memory.events of the container's cgroup.",
    ),
)
