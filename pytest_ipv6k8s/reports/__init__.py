"""The report that a run leaves: its document, its formats, and what can be done with a file."""

from pytest_ipv6k8s.reports.model import API_VERSION, HarnessFact, Report
from pytest_ipv6k8s.reports.writers import known_suffixes, save, writer_for

__all__ = ["API_VERSION", "HarnessFact", "Report", "known_suffixes", "save", "writer_for"]
