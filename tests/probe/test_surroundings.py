"""Which limit is behind an error: really set where this is possible, else by the files of a machine that had it."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys

import pytest

from torchdoctor.diagnose import diagnose_text
from torchdoctor.probe.mounts import is_writable, mount_of, parse_mounts, room_left
from torchdoctor.probe.surroundings import behind

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it reads Linux's files")

SEGMENT = "libtorch_cpu.so: failed to map segment from shared object"


def put(root, **files):
    """The files of a machine on paper: `proc_self_status` is /proc/self/status."""
    for name, text in files.items():
        path = root / name.replace("__", ".").replace("_", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def found(lines):
    """The failure that the evidence leads to: what doctor, verify and diagnose say."""
    return [finding.id for finding in diagnose_text("\n".join(lines)).findings][:1]


def limited(number, value, error):
    """What is behind an error in a process with that limit."""
    code = (
        "import resource, sys; from torchdoctor.probe.surroundings import behind\n"
        f"resource.setrlimit({number}, ({value}, {value}))\n"
        f"print(chr(10).join(behind({error})))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return ran.stdout.splitlines()


@pytest.mark.process
@pytest.mark.parametrize(
    ("number", "value", "error", "failure"),
    [
        (resource.RLIMIT_AS, 3 << 30, f"ImportError('{SEGMENT}')", "address-space-limit"),
        (resource.RLIMIT_AS, 3 << 30, "MemoryError()", "address-space-limit"),
        (resource.RLIMIT_NOFILE, 64, "OSError(24, 'Too many open files')", "too-many-open-files"),
    ],
)
def test_a_limit_of_the_process_is_named_with_its_value(number, value, error, failure):
    """And leads to its own failure, whatever else the error could mean."""
    (line,) = limited(number, value, error)
    assert line.startswith("limit here: ")
    assert found([error, line]) == [failure]


def test_an_error_that_no_limit_explains_has_none_behind_it(tmp_path):
    """Most have none: nothing is guessed."""
    for error in (ImportError("No module named 'numpy'"), ValueError("a"), OSError(2, "No such file", "/x")):
        assert behind(error, tmp_path) == ()


def test_a_library_on_a_file_system_without_execution_is_named_with_its_mount(tmp_path):
    """The error names the file, and the mounts its options."""
    mounts = "/dev/sda / ext4 rw 0 0\nserver:/x /mnt/my\\040share nfs rw,noexec 0 0\n"
    assert parse_mounts(mounts)[1].place == "/mnt/my share"
    root = put(tmp_path, proc_self_mounts=mounts.replace("my\\040share", "share"))
    lines = behind(OSError(f"/mnt/share/env/torch/lib/{SEGMENT}"), root)
    assert lines == ("limit here: /mnt/share is mounted noexec",)
    assert found(lines) == ["noexec-mount"]
    assert behind(OSError(f"/home/env/torch/lib/{SEGMENT}"), root) == ()


def test_a_read_only_file_system_is_named_with_its_mount(tmp_path):
    """The innermost mount counts, and the last of several at one place."""
    root = put(tmp_path, proc_self_mounts="a / ext4 ro 0 0\nb /data ext4 ro 0 0\nb /data/env ext4 ro 0 0\n")
    lines = behind(OSError(errno.EROFS, "Read-only file system", "/data/env/x"), root)
    assert lines == ("limit here: /data/env is mounted read-only",)
    assert found(lines) == ["read-only-file-system"]
    assert mount_of("/database", root).place == "/"


@pytest.mark.parametrize(
    ("files", "error", "line", "failure"),
    [
        (
            {"proc_self_cgroup": "8:pids:/job\n", "sys_fs_cgroup_pids_job_pids__max": "40\n"},
            RuntimeError("can't start new thread"),
            "processes and threads 40 (pids.max of the control group)",
            "process-limit",
        ),
        (
            {"proc_self_cgroup": "0::/user\n", "sys_fs_cgroup_user_pids__max": "40\n"},
            BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"),
            "processes and threads 40 (pids.max of the control group)",
            "process-limit",
        ),
        (
            {"proc_self_status": "Name:\tpython\nSeccomp:\t2\nSeccomp_filters:\t1\n"},
            RuntimeError("pthread_create failed: Operation not permitted"),
            "seccomp filters system calls (mode 2)",
            "seccomp-denied",
        ),
        (
            {
                "proc_self_attr_current": "system_u:system_r:container_t:s0\0",
                "sys_fs_selinux_enforce": "1",
            },
            ImportError(f"{SEGMENT}: Permission denied"),
            "SELinux enforces (context system_u:system_r:container_t:s0)",
            "security-module-denied",
        ),
        (
            {"proc_self_attr_current": "docker-default (enforce)\n"},
            PermissionError(errno.EACCES, "Permission denied", os.devnull),
            "AppArmor profile docker-default (enforce)",
            "security-module-denied",
        ),
    ],
)
def test_what_a_container_or_the_system_denies_is_named(tmp_path, files, error, line, failure):
    """By the control groups of both versions, the filter of system calls, SELinux and AppArmor."""
    lines = behind(error, put(tmp_path, **files))
    assert f"limit here: {line}" in lines
    assert found([str(error), *lines]) == [failure]


def test_a_security_module_that_does_not_confine_is_not_named(tmp_path):
    """Permissive SELinux, an unconfined process, no filter."""
    root = put(
        tmp_path, proc_self_attr_current="unconfined\n", sys_fs_selinux_enforce="0", proc_self_status="Seccomp:\t0\n"
    )  # fmt: skip
    assert behind(ImportError(f"{SEGMENT}: Permission denied"), root) == ()
    assert behind(RuntimeError("pthread_create failed: Operation not permitted"), root) == ()


def no_temporary(*folders):
    """What tempfile says, whatever the reason is."""
    return FileNotFoundError(2, f"No usable temporary directory found in {[*map(str, folders)]}")


def test_folders_for_temporary_files_that_look_right_are_named_and_nothing_is_claimed(tmp_path):
    """The reason is one that was not seen."""
    (line,) = behind(no_temporary(tmp_path), tmp_path)
    assert str(tmp_path) in line
    assert found([line]) == []
    assert [cause.id for cause in diagnose_text(line).possible][:1] == ["folder-not-writable"]


def test_a_read_only_folder_for_temporary_files_is_named(tmp_path):
    """By the mount that holds it."""
    root = put(tmp_path, proc_self_mounts="overlay / overlay rw 0 0\ntmpfs /srv tmpfs ro,nosuid 0 0\n")
    lines = behind(no_temporary("/srv/tmp"), root)
    assert lines == ("limit here: /srv is mounted read-only",)
    assert found(lines) == ["read-only-file-system"]


@pytest.mark.process
def test_a_folder_for_temporary_files_of_somebody_else_is_named():
    """With the user who may not write there."""
    lines = as_nobody(lambda: behind(no_temporary("/usr/lib")))
    assert lines == ["limit here: user 65534 may not write /usr/lib"]
    assert found(lines) == ["folder-not-writable"]


def as_nobody(action):
    """What an action returns in a child that is not root: no limit of processes and no mode of a file binds root."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            os.write(writing, "\n".join(action()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        lines = answer.read().splitlines()
    os.waitpid(child, 0)
    return lines


@pytest.mark.process
def test_a_folder_of_somebody_else_is_named():
    """With the user who may not write there."""
    error = PermissionError(errno.EACCES, "Permission denied", "/usr/lib/cache")
    (line,) = as_nobody(lambda: behind(error))
    assert line.endswith("may not write /usr/lib/cache")
    assert found([line]) == ["folder-not-writable"]


@pytest.mark.process
def test_the_limit_of_the_user_s_processes_is_named():
    """It counts the threads of all that this user runs."""

    def limited_to_40():
        resource.setrlimit(resource.RLIMIT_NPROC, (40, 40))
        return behind(RuntimeError("can't start new thread"))

    lines = as_nobody(limited_to_40)
    assert "limit here: processes and threads 40 (ulimit -u)" in lines
    assert found(lines) == ["process-limit"]


def test_the_room_of_a_path_that_is_not_there_is_that_of_its_folder(tmp_path):
    """And it may be made where its folder can be written to."""
    assert "MiB free" in room_left(str(tmp_path / "a" / "b"))
    assert is_writable(str(tmp_path / "a" / "b"))


@pytest.mark.process
def test_a_file_system_without_inodes_is_named(tmp_path):
    """A real one of memory, in a mount namespace of its own."""
    code = (
        "import sys; from torchdoctor.probe.surroundings import behind\n"
        "place = sys.argv[1]\n"
        "try:\n    [open(f'{place}/{n}', 'w') for n in range(99)]\n"
        "except OSError as error:\n    print(*behind(error), sep='\\n')"
    )
    mount = f"mount -t tmpfs -o size=1m,nr_inodes=9 none {tmp_path}"
    shell = f'{mount} && "$0" -c "$1" {tmp_path}'
    ran = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", shell, sys.executable, code],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    if ran.returncode:
        pytest.skip(f"a mount namespace may not be made here: {ran.stderr[-200:]}")
    lines = ran.stdout.splitlines()
    assert lines == [f"limit here: {tmp_path} has no free inodes"]
    assert found(lines) == ["disk-full"]
