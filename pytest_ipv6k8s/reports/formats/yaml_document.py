"""The report as YAML, for people."""

from __future__ import annotations

from typing import Any, TextIO

from pytest_ipv6k8s.reports.model import Report

SUFFIXES = (".yaml", ".yml")


def write(report: Report, out: TextIO) -> None:
    """Write the document in block style, its keys in the order of the report."""
    import yaml

    document = report.plain()

    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        """Repeats what occurs twice: an alias helps no reader."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    def dump(*, allow_unicode: bool) -> str:
        text: str = yaml.dump(
            document, Dumper=Dumper, sort_keys=False, allow_unicode=allow_unicode, width=100
        )
        return text

    text = dump(allow_unicode=True)
    if "\x85" in text:  # which PyYAML leaves as it is, though it ends a line
        text = dump(allow_unicode=False)
    out.write(text)
