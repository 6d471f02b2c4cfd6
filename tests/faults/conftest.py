"""A slice of the faults: those that a word chooses, where SLICE gives one.

Where faults are recorded, those with a record of the same code are left out: it can be resumed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.record import is_recorded
from tests.slices import by_slice

HERE = Path(__file__).parent
AT_ONCE = 4
"""How many files of a slice are tried."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the files that the slice does not choose, and what is recorded already."""
    files = sorted({item.path for item in items if item.path.parent == HERE})
    chosen = by_slice(files, AT_ONCE, key=lambda path: path.name)
    left_out = [item for item in items if item.path in files and item.path not in chosen]
    left_out += [item for item in items if item.path in chosen and is_recorded(item.nodeid)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
