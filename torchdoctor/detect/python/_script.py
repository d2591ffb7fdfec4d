"""Runs inside the target interpreter and prints what it is; any Python from 3.6 on, standard library only."""

# ruff: noqa: T201, PTH118, PTH110
import contextlib
import json
import os
import platform
import site
import struct
import sys
import sysconfig

marker = os.path.join(sysconfig.get_path("stdlib") or "", "EXTERNALLY-MANAGED")
paths = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
try:
    libc = os.confstr("CS_GNU_LIBC_VERSION")
except (AttributeError, OSError, ValueError):
    libc = None
if sys.platform == "darwin":
    system_version = platform.mac_ver()[0]
elif sys.platform == "win32":
    system_version = "{}.{}.{}".format(*sys.getwindowsversion()[:3])
else:
    system_version = None

user_site, translated = None, None
with contextlib.suppress(AttributeError, TypeError, OSError, KeyError):
    user_site = site.getusersitepackages()
if sys.platform == "darwin":
    # 1 in a process that Rosetta runs; a process asks for itself alone.
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        answer, size = ctypes.c_int(0), ctypes.c_size_t(4)
        ask = ctypes.CDLL(None).sysctlbyname
        asked = ask(
            b"sysctl.proc_translated", ctypes.byref(answer), ctypes.byref(size), None, ctypes.c_size_t(0)
        )
        translated = asked == 0 and answer.value == 1

facts = {
    "executable": sys.executable,
    "implementation": sys.implementation.name,
    "version": platform.python_version(),
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "bits": struct.calcsize("P") * 8,
    "soabi": sysconfig.get_config_var("SOABI"),
    "host": sysconfig.get_config_var("HOST_GNU_TYPE"),
    "sys_platform": sys.platform,
    "platform": sysconfig.get_platform(),
    "machine": platform.machine(),
    "prefix": sys.prefix,
    "base_prefix": sys.base_prefix,
    "site_packages": [path for position, path in enumerate(paths) if path and path not in paths[:position]],
    "externally_managed": os.path.exists(marker),
    "libc": libc,
    "system_version": system_version,
    "abi_flags": getattr(sys, "abiflags", ""),
    "debug": hasattr(sys, "gettotalrefcount"),
    "path": [folder for folder in sys.path if folder],
    "user_site": user_site,
    "translated": translated,
}
# A .pth file of the environment may have printed before us, or print after us.
print("\ntorchdoctor-python " + json.dumps(facts))
