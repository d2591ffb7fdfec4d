"""Machine + Request + listings -> Plan. Pure: no machine, no network."""

from __future__ import annotations
