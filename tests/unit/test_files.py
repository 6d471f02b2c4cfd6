"""A file is whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ipv6k8s.files import write_whole


def test_a_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("earlier")

    write_whole(path, b"later")

    assert path.read_bytes() == b"later"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_earlier_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("earlier")
    (tmp_path / "x.tmp").symlink_to("/dev/full")

    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"later")

    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]
