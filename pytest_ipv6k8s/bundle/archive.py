"""Writing a bundle: bounded, without secrets, whole or not at all, in an order of its own."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from pytest_ipv6k8s.bundle.gathering import File, Gathered, Keep
from pytest_ipv6k8s.errors import HostProblem
from pytest_ipv6k8s.files import write_whole
from pytest_ipv6k8s.masking import masked, redact_text

SUFFIX = ".tar.gz"
LARGEST_FILE = 256 << 10
LARGEST_CHECK = 1 << 20
LARGEST_CLUSTER = 4 << 20
LARGEST_BUNDLE = 16 << 20
"""Bytes before compression: a file, what one check leaves, what is read of the cluster, and all."""


def name_of(run_id: str) -> str:
    """Return the name of a run's bundle."""
    return f"ipv6k8s-bundle-{run_id}{SUFFIX}"


def safe(gathered: Gathered, most: int) -> Gathered:
    """Return what was gathered without secrets, and of bounded size; what was cut is told.

    Args:
        gathered: as it was read. Where there is no room for all, the first files get it.
        most: bytes for all of them.
    """
    kept, cut, left = [], [], most
    for file in gathered.files:
        text = redact_text(_cut(file, min(LARGEST_FILE, left)))
        if len(file.text.encode()) > min(LARGEST_FILE, left):
            cut.append(f"{file.name}: only its {file.keep.value} is kept")
        left -= min(left, len(text.encode()))
        if text:
            kept.append(File(name=file.name, text=text, keep=file.keep))
    return Gathered(files=tuple(kept), missing=(*gathered.missing, *cut))


def _cut(file: File, most: int) -> str:
    """Return as many whole lines as fit: part of a line may be part of a secret."""
    data = file.text.encode()
    if len(data) <= most:
        return file.text
    if file.keep is Keep.END:
        return data[len(data) - most :].partition(b"\n")[2].decode(errors="replace")
    whole, newline, _ = data[:most].rpartition(b"\n")
    return (whole + newline).decode(errors="replace")


def write(path: Path, files: Iterable[File], *, date: datetime) -> None:
    """Write an archive with one folder in it; folders on the way are made.

    Args:
        path: a name that ends in ``.tar.gz``.
        files: what goes in, in this order; what this process knows to be secret is taken out.
        date: that of every file.

    Raises:
        HostProblem: it cannot be written; nothing is left of it.
    """
    packed = _pack(path.name.removesuffix(SUFFIX), files, date)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, packed)
    except OSError as error:
        raise HostProblem(
            f"{path} cannot be written: {error.strerror}",
            remedy="free some space or give another place for it",
        ) from None


def _pack(folder: str, files: Iterable[File], date: datetime) -> bytes:
    packed, seconds = io.BytesIO(), int(date.timestamp())
    with (
        gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=seconds) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as archive,
    ):
        for file in files:
            data = masked(file.text).encode()
            entry = tarfile.TarInfo(f"{folder}/{file.name}")
            entry.size, entry.mtime = len(data), seconds
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()
