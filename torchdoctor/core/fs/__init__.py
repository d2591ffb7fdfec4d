"""Changes of the file system that are whole or not at all: locks, atomic writes, swapped directories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.core.fs.atomic import PRIVATE_MODE, SHARED_MODE, atomic_write
    from torchdoctor.core.fs.folder_lock import hold_folder_lock, is_locked_by_other, locks_to_inherit
    from torchdoctor.core.fs.link import link_or_copy, symlink_or_copy
    from torchdoctor.core.fs.run_directories import (
        cached_files_in_use,
        mark_cached_files_in_use,
        run_directory,
    )
    from torchdoctor.core.fs.swap import swap_directories
    from torchdoctor.core.fs.sync import sync_directory, sync_filesystem, sync_tree

__all__ = [
    "PRIVATE_MODE",
    "SHARED_MODE",
    "atomic_write",
    "cached_files_in_use",
    "hold_folder_lock",
    "is_locked_by_other",
    "link_or_copy",
    "locks_to_inherit",
    "mark_cached_files_in_use",
    "run_directory",
    "swap_directories",
    "symlink_or_copy",
    "sync_directory",
    "sync_filesystem",
    "sync_tree",
]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "atomic": ("PRIVATE_MODE", "SHARED_MODE", "atomic_write"),
            "folder_lock": ("hold_folder_lock", "is_locked_by_other", "locks_to_inherit"),
            "link": ("link_or_copy", "symlink_or_copy"),
            "run_directories": ("cached_files_in_use", "mark_cached_files_in_use", "run_directory"),
            "swap": ("swap_directories",),
            "sync": ("sync_directory", "sync_filesystem", "sync_tree"),
        },
    )
