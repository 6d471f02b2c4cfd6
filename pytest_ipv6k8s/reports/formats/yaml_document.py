"""The report as YAML, for people."""

from __future__ import annotations

from typing import TextIO

from pytest_ipv6k8s.reports import Report

SUFFIXES = (".yaml", ".yml")


def write(report: Report, out: TextIO) -> None:
    """Write the document."""
    import yaml

    yaml.safe_dump(report.plain(), out, sort_keys=False, allow_unicode=True, width=100)
