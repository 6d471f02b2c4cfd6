"""The report as YAML, for people."""

from __future__ import annotations

from typing import TextIO

from pytest_ipv6k8s.reports import Report

SUFFIXES = (".yaml", ".yml")


def write(report: Report, out: TextIO) -> None:
    """Write the document."""
    import yaml

    text = yaml.safe_dump(report.plain(), sort_keys=False, allow_unicode=True, width=100)
    if "\x85" in text:  # which PyYAML leaves as it is, though it ends a line
        text = yaml.safe_dump(report.plain(), sort_keys=False, width=100)
    out.write(text)
