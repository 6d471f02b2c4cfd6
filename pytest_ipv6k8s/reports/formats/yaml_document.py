"""The report as YAML, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TextIO

SUFFIXES = (".yaml", ".yml")


def write(document: Mapping[str, Any], out: TextIO) -> None:
    """Write it."""
    import yaml

    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        """Repeats what occurs twice: an alias helps no reader."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    def dump(*, allow_unicode: bool) -> str:
        text: str = yaml.dump(
            dict(document), Dumper=Dumper, sort_keys=False, allow_unicode=allow_unicode, width=100
        )
        return text

    text = dump(allow_unicode=True)
    if "\x85" in text:  # which PyYAML leaves as it is, though it ends a line
        text = dump(allow_unicode=False)
    out.write(text)
