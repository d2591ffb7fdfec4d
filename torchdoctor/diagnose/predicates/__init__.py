"""The predicates that failure files name: functions for what words and facts alone cannot say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.diagnose.predicates import (
    amd_targets,
    arch_compare,
    download,
    driver,
    environment,
    newer_names,
    no_match,
    pairs,
    paths,
    python_versions,
    releases,
    replaced,
    toolkit,
    visibility,
    wheel,
    wsl,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torchdoctor.diagnose.matchers import Match

__all__ = ["PREDICATES"]

PREDICATES: Mapping[str, Callable[..., Match | None]] = {
    predicate.__name__: predicate
    for predicate in (
        amd_targets.gfx_target_not_in_build,
        amd_targets.integrated_gpu_beside_card,
        arch_compare.build_covers_every_gpu,
        arch_compare.gpu_above_build_targets,
        arch_compare.gpu_below_build_targets,
        arch_compare.gpu_between_build_targets,
        arch_compare.gpu_generation_dropped,
        arch_compare.gpu_newer_than_cuda,
        arch_compare.gpu_older_than_cuda,
        download.same_wrong_hash_twice,
        driver.driver_below_build_minimum,
        driver.driver_below_named_cuda_minimum,
        driver.driver_below_pypi_build_minimum,
        driver.module_and_library_versions_differ,
        driver.named_cuda_below_pypi_build,
        environment.numpy_2_with_older_torch,
        environment.several_torch_copies,
        environment.torch_2_9_or_newer,
        environment.torch_from_conda_and_pip,
        environment.torch_listed_in_two_versions,
        newer_names.newer_name_of_torch_not_found,
        newer_names.torch_has_newer_name,
        newer_names.torch_lacks_newer_name,
        no_match.intel_mac_wheel_refused,
        no_match.index_of_unknown_variant,
        no_match.listing_ends_with_intel_macs,
        no_match.python_is_recent,
        no_match.only_source_archives_listed,
        no_match.python_newer_than_wheels,
        no_match.python_older_than_wheels,
        no_match.uv_wants_platform_tag,
        no_match.requested_version_not_listed,
        no_match.wheel_for_another_python,
        no_match.wheel_for_another_system,
        pairs.companion_build_differs,
        pairs.companion_for_another_torch,
        pairs.cpu_torchvision_with_cuda_torch,
        pairs.torchcodec_for_another_torch,
        paths.half_of_a_path_with_a_space,
        python_versions.glibc_below_2_28,
        python_versions.python_3_10_or_newer,
        releases.requested_release_fits_python,
        releases.requested_release_is_early,
        releases.requested_release_newer_than_python,
        releases.requested_release_older_than_python,
        releases.requested_version_never_released,
        replaced.torch_replaced_in_log,
        toolkit.gpu_of_capability,
        toolkit.missing_library_of_another_cuda,
        toolkit.missing_library_of_this_cuda,
        toolkit.nvcc_lacks_named_architecture,
        toolkit.nvcc_of_another_cuda,
        toolkit.ptxas_older_than_gpu,
        visibility.gpu_memory_used_above,
        visibility.other_processes_hold_memory,
        visibility.variable_hides_gpu,
        wheel.cpu_build_on_gpu_machine,
        wsl.windows_older_than_21h2,
    )
}
"""Name in a failure file (`predicate = "..."`) -> function of the evidence and the keywords of `with`."""
