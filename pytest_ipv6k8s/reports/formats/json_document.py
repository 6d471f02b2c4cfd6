"""The report as JSON, for programs."""

from __future__ import annotations

import json
from typing import TextIO

from pytest_ipv6k8s.reports.model import Report

SUFFIXES = (".json",)


def write(report: Report, out: TextIO) -> None:
    """Write the document, indented."""
    json.dump(report.plain(), out, indent=2, ensure_ascii=False)
    out.write("\n")
