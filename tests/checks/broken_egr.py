"""Worlds in which the checks of egress fail."""

from __future__ import annotations

from typing import Any

from tests.checks.breaking import Broken, answers, from_pod

SILENT: dict[str, Any] = {"connected": False, "echoed": False, "pod": "", "error": "ETIMEDOUT"}

ROWS = [
    Broken(
        "EGR-01", "one node has no way out", answers("tcp_connect", from_pod("probe-01"), **SILENT)
    ),
]
