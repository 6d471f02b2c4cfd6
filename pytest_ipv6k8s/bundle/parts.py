"""What the processes of a run leave for its bundle, until one of them packs it."""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from pytest_ipv6k8s.bundle.gathering import File, Gathered
from pytest_ipv6k8s.files import write_whole
from pytest_ipv6k8s.kube.odd import Finding
from pytest_ipv6k8s.plain import build, plain

CLUSTER = "cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What was read for one check, or once of the cluster.

    Attributes:
        gathered: files, without secrets and of bounded size, and what is missing.
        odd: what of the cluster is not as it should be.
        date: when it was read, in UTC.
    """

    gathered: Gathered
    odd: tuple[Finding, ...] = ()
    date: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts in a folder that is the run's own; each file is whole or not there.

    An item runs in one process only and its id and family name the file, so that no two processes
    write the same one.
    """

    folder: Path

    def claim_cluster(self) -> bool:
        """Tell whether the caller is the first to ask, and so is to read the cluster's part."""
        try:
            (self.folder / CLUSTER).mkdir(parents=True)
        except FileExistsError:
            return False
        return True

    def save(self, name: str, part: Part) -> None:
        """Leave a part.

        Args:
            name: ``cluster``, or that of a check's folder.
            part: what was read.

        Raises:
            OSError: it cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(self.folder / f"{name}.json", json.dumps(plain(part)))

    def cluster(self) -> Part:
        """Return the part of the cluster; it may have been broken off, or not begun."""
        path = self.folder / f"{CLUSTER}.json"
        with contextlib.suppress(FileNotFoundError):
            return build(Part, json.loads(path.read_text()))
        return Part(gathered=Gathered(missing=("the cluster: reading it did not come to its end",)))

    def checks(self) -> dict[str, tuple[File, ...]]:
        """Return the files of each check, by the name of its folder."""
        found = sorted(path for path in self.folder.glob("*.json") if path.stem != CLUSTER)
        return {
            path.stem: build(Part, json.loads(path.read_text())).gathered.files for path in found
        }

    def remove(self) -> None:
        """Remove all parts; a cluster that is kept keeps the run's folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
