"""One bundle: of a run, from what its processes left, or of a cluster as it is now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

from pytest_ipv6k8s.bundle import archive, readme
from pytest_ipv6k8s.bundle.collect import Access, Collector
from pytest_ipv6k8s.bundle.gathering import File
from pytest_ipv6k8s.bundle.parts import Part, Parts
from pytest_ipv6k8s.timeouts import Timeouts


def write_run(path: Path, parts: Parts, about: str) -> None:
    """Pack what the processes of a run left.

    Args:
        path: the archive, whose name ends in ``.tar.gz``.
        parts: theirs.
        about: what happened, and where, as Markdown.

    Raises:
        HostProblem: it cannot be written; nothing is left of it.
    """
    _write(path, parts.cluster(), parts.checks(), about)


def write_now(path: Path, access: Access, *, about: str, timeouts: Timeouts | None = None) -> None:
    """Look at a cluster, whether or not something failed, and write what is there.

    It takes no longer than ``timeouts.bundle``; what cannot be read by then is told.

    Args:
        path: the archive, whose name ends in ``.tar.gz``.
        access: where to look; without probes the API is what there is.
        about: the README's beginning, as Markdown.
        timeouts: of the run.

    Raises:
        HostProblem: it cannot be written; nothing is left of it.
    """
    collector = Collector(access=access, timeouts=timeouts or Timeouts())
    _write(path, collector.cluster(), {}, about)


def _write(path: Path, cluster: Part, checks: Mapping[str, tuple[File, ...]], about: str) -> None:
    left = archive.LARGEST_BUNDLE - _size(cluster.gathered.files)
    kept, missing = list(cluster.gathered.files), list(cluster.gathered.missing)
    for name, files in checks.items():
        left -= _size(files)
        if left < 0:
            missing.append(f"checks/{name}: there is no room for it")
            continue
        kept += [File(name=f"checks/{name}/{file.name}", text=file.text) for file in files]
    names = sorted(file.name for file in kept)
    page = readme.of_run(about, cluster.odd, names, missing, cluster.date)
    ordered = sorted(kept, key=lambda file: (not file.name.startswith("tables/"), file.name))
    everything = [File(name="README.md", text=page), *ordered]
    archive.write(path, everything, date=datetime.now(timezone.utc))


def _size(files: tuple[File, ...]) -> int:
    return sum(len(file.text.encode()) for file in files)
