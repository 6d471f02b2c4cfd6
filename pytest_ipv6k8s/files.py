"""Files that are whole or not there."""

from __future__ import annotations

import contextlib
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write a file under another name first, so that an earlier one stays until all is written.

    Args:
        path: the file; ``path.tmp`` beside it is used and removed.
        data: its content.

    Raises:
        OSError: it cannot be written.
    """
    unfinished = path.with_name(f"{path.name}.tmp")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
