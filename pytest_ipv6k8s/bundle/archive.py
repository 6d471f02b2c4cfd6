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
from pytest_ipv6k8s.masking import redact_text

LARGEST_FILE = 256 << 10
LARGEST_BUNDLE = 4 << 20
"""Bytes before compression."""

_FOLDERS = {
    "evidence.json": "every question that the check asked, and its answer",
    "asked-again.json": "the questions whose answers failed, asked once more",
    "probes/": "the network as each probe pod sees it: addresses, routes, neighbours, resolv.conf",
    "objects/": "objects of the API, by namespace",
    "config/": "ConfigMaps of CoreDNS, kube-proxy and the CNI, a file for each key",
    "logs/": "the last lines of CoreDNS, kube-proxy and the CNI",
    "nodes/": "each node's addresses, routes, neighbours, packet filter, conntrack and services",
}


def write(path: Path, about: str, gathered: Gathered, *, date: datetime) -> None:
    """Write an archive with a README; folders are made.

    Args:
        path: a name that ends in ``.tar.gz``.
        about: the README's beginning: what happened, and where.
        gathered: what goes in. Secrets are taken out here, whatever was done before.
        date: when it was read; the date of every file.

    Raises:
        HostProblem: it cannot be written; nothing is left of it.
    """
    files, cut = _bounded(gathered.files)
    readme = _readme(about, files, [*gathered.missing, *cut], date)
    folder = path.name.removesuffix(".tar.gz")
    packed = _pack(folder, [File(name="README.md", text=readme), *files], date)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, packed)
    except OSError as error:
        raise HostProblem(
            f"bundle {path} cannot be written: {error.strerror}",
            remedy="free some space or give another folder with --ipv6k8s-bundle",
        ) from None


def _bounded(files: Iterable[File]) -> tuple[list[File], list[str]]:
    """Return the files without secrets, each and all together of bounded size, and what was cut.

    Where there is no room for all, the first ones get it.
    """
    kept, cut, left = [], [], LARGEST_BUNDLE
    for file in files:
        text = redact_text(_cut(file, min(LARGEST_FILE, left)))
        if len(file.text.encode()) > min(LARGEST_FILE, left):
            cut.append(f"{file.name}: only its {file.keep.value} is kept")
        left -= min(left, len(text.encode()))
        if text:
            kept.append(File(name=file.name, text=text, keep=file.keep))
    return sorted(kept, key=lambda file: file.name), cut


def _cut(file: File, most: int) -> str:
    """Return as many whole lines as fit: part of a line may be part of a secret."""
    data = file.text.encode()
    if len(data) <= most:
        return file.text
    if file.keep is Keep.END:
        return data[len(data) - most :].partition(b"\n")[2].decode(errors="replace")
    whole, newline, _ = data[:most].rpartition(b"\n")
    return (whole + newline).decode(errors="replace")


def _readme(about: str, files: Iterable[File], notes: Iterable[str], date: datetime) -> str:
    names = [file.name for file in files]
    there = [
        f"| `{start}` | {what} |"
        for start, what in _FOLDERS.items()
        if any(name.startswith(start) for name in names)
    ]
    left_out = [f"* {' '.join(redact_text(note).split())}" for note in notes] or ["Nothing."]
    return "\n".join(
        [
            redact_text(about).rstrip(),
            "",
            f"Read at {date:%Y-%m-%d %H:%M:%S} UTC. What looks like a secret is replaced; "
            "Secrets are never read.",
            "",
            *(["| file | what |", "|---|---|", *there, ""] if there else []),
            "## What is missing or cut",
            "",
            *left_out,
            "",
        ]
    )


def _pack(folder: str, files: Iterable[File], date: datetime) -> bytes:
    packed, seconds = io.BytesIO(), int(date.timestamp())
    with (
        gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=seconds) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as archive,
    ):
        for file in files:
            data = file.text.encode()
            entry = tarfile.TarInfo(f"{folder}/{file.name}")
            entry.size, entry.mtime = len(data), seconds
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()
