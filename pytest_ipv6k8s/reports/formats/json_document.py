"""The report as JSON, for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TextIO

SUFFIXES = (".json",)


def write(document: Mapping[str, Any], out: TextIO) -> None:
    """Write it."""
    json.dump(document, out, indent=2, ensure_ascii=False)
    out.write("\n")
