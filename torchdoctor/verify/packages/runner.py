"""Imports packages side by side, within the memory that is free, and reports each as soon as it is known."""

from __future__ import annotations

import secrets
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.system.leftover_processes import kill_processes_with_variable
from torchdoctor.core.threads import thread_pool
from torchdoctor.verify.memory import SHARE_OF_FREE, free_memory_mib, memory_limit
from torchdoctor.verify.packages.importing import ImportContext, ImportRun
from torchdoctor.verify.packages.limited import limit_selection, nothing_to_do
from torchdoctor.verify.packages.listing import ListingFailed, list_packages
from torchdoctor.verify.packages.results import checks_of, unlisted, without_torch
from torchdoctor.verify.packages.selection import select_packages
from torchdoctor.verify.packages.slots import plan_slots
from wheels_index.extension import extensions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from torchdoctor.verify.model import CheckResult
    from torchdoctor.verify.packages.model import PackageOptions, PackageTask
    from torchdoctor.verify.probe_process import ProbeProcess

__all__ = ["verify_packages"]

# Of this run's processes; what is left of them is found by it.
_RUN_VARIABLE = "TORCHDOCTOR_PACKAGE_RUN"
# Importing must not download anything.
_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
}
_POLL_SECONDS = 0.5


def verify_packages(
    python: Path,
    options: PackageOptions,
    environ: Mapping[str, str],
    *,
    on_result: Callable[[CheckResult], object] | None = None,
    on_progress: Callable[[int, int], object] | None = None,
) -> tuple[CheckResult, ...]:
    """Import the packages of the interpreter's environment; return a result for each, in the order of their names.

    Packages that were asked for come first. `on_result` gets each result as soon as it is known, `on_progress` how many
    of how many packages are done; both are called in this thread.
    """
    token = secrets.token_hex(8)
    environ = {**environ, **_OFFLINE, _RUN_VARIABLE: token}
    with tempfile.TemporaryDirectory(prefix="torchdoctor-", ignore_cleanup_errors=True) as folder:
        try:
            run = _Run(
                python,
                options,
                environ,
                Path(folder),
                on_result or (lambda _: None),
                on_progress or (lambda _done, _total: None),
            )
            return run.results()
        finally:
            kill_processes_with_variable(_RUN_VARIABLE, token)


class _Run:
    def __init__(
        self,
        python: Path,
        options: PackageOptions,
        environ: Mapping[str, str],
        folder: Path,
        on_result: Callable[[CheckResult], object],
        on_progress: Callable[[int, int], object],
    ) -> None:
        self._options, self._folder = options, folder
        self._python, self._environ = python, environ
        self._on_result, self._on_progress = on_result, on_progress
        self._limit_mib = options.memory_limit_mib or memory_limit()
        self._processes: list[ProbeProcess] = []
        self._stopping = threading.Event()
        self._context = ImportContext(
            python=python,
            environ=environ,
            scale=options.scale,
            devices=options.devices,
            has_torch=options.has_torch,
            on_process=self._started,
        )

    def results(self) -> tuple[CheckResult, ...]:
        """List, select and import."""
        options = self._options
        try:
            names = {requirement.name for requirement in options.asked} | set(extensions())
            markers, installed = list_packages(
                self._python, names, self._folder, self._environ, self._limit_mib
            )
        except ListingFailed as error:
            return self._reported([unlisted(error.args[0])])
        selection = select_packages(options.asked, installed, markers, compiled_only=options.compiled_only)
        selection = limit_selection(selection, options)
        found: dict[str, tuple[CheckResult, ...]] = {
            name: (result,) for name, result in selection.results.items()
        }
        before = self._reported(nothing_to_do(selection, options))
        self._reported(selection.results.values())
        for task, results in self._imported(selection.tasks):
            found[task.package.name] = results
            self._reported(results)
            self._on_progress(len(found), len(selection.order))
        return (*before, *(result for name in selection.order for result in found[name]))

    def _reported(self, results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
        checks = tuple(results)
        for check in checks:
            self._on_result(check)
        return checks

    def _imported(
        self, tasks: Sequence[PackageTask]
    ) -> Iterator[tuple[PackageTask, tuple[CheckResult, ...]]]:
        """Yield the results of each task as it ends: side by side first, then alone what took too much memory."""
        runnable = [task for task in tasks if self._options.has_torch or not task.needs_torch]
        for task in tasks:
            if task not in runnable:
                yield task, without_torch(task, self._options)
        free = free_memory_mib()
        slots = plan_slots(
            len(runnable),
            free_mib=None if free is None else int(free * SHARE_OF_FREE),
            torch_mib=self._options.torch_mib,
            limit_mib=self._limit_mib,
            cores=self._options.cores,
        )
        again: list[PackageTask] = []
        for task, run in self._side_by_side(runnable, slots.count, slots.share_mib):
            if run.over_memory and slots.share_mib != self._limit_mib:
                again.append(task)
            else:
                yield task, checks_of(task, run, self._options)
        for task, run in self._side_by_side(again, 1, self._limit_mib):
            yield task, checks_of(task, run, self._options)

    def _side_by_side(
        self, tasks: Sequence[PackageTask], count: int, memory_mib: int | None
    ) -> Iterator[tuple[PackageTask, ImportRun]]:
        from concurrent.futures import FIRST_COMPLETED, wait

        with thread_pool(count) as pool:
            waiting: dict[Future[ImportRun], PackageTask] = {
                pool.submit(self._import_one, task, memory_mib): task for task in tasks
            }
            try:
                while waiting:
                    # In pieces, because Ctrl-C does not interrupt a waiting thread on Windows.
                    done, _ = wait(waiting, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield waiting.pop(future), future.result()
            except BaseException:
                self._stop(waiting)
                raise

    def _import_one(self, task: PackageTask, memory_mib: int | None) -> ImportRun:
        run = ImportRun(task, self._context, self._folder / task.package.name, memory_mib)
        return run if self._stopping.is_set() else run.run()

    def _started(self, process: ProbeProcess) -> None:
        self._processes.append(process)
        if self._stopping.is_set():
            process.stop()

    def _stop(self, waiting: Mapping[Future[ImportRun], object]) -> None:
        """End every process, so that the threads that wait for them end too."""
        self._stopping.set()
        for future in waiting:
            future.cancel()
        for process in tuple(self._processes):
            process.stop()
