"""The operating system, CPU, memory, container and cgroup."""

from __future__ import annotations
