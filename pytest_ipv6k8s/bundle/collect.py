"""One bundle for each failed check: what goes in, and how much time it may take."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from pytest_ipv6k8s.bundle import archive, cluster, nodes, probes
from pytest_ipv6k8s.bundle.gathering import File, Gathered, Source, gather
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.kube.inventory import DnsService
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.timeouts import Timeouts

FRESH = 30.0
"""Seconds for which objects, logs and nodes are not read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A check that failed, or could not find out.

    Attributes:
        name: of the bundle: id and, where it has one, family.
        about: what is told of it, as Markdown.
        records: every answer of the check.
        failing: those that were not as expected, where they are known.
    """

    name: str
    about: str
    records: tuple[Record[Any], ...] = ()
    failing: tuple[Record[Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where a bundle may look.

    Attributes:
        run_id: whose namespaces are read.
        api: the API server; None when it is not up.
        pods: all probes.
        connect: opens a session with one of them; None when there are none.
        shell: runs a script on the nodes; None when they are not ours.
        dns: the Service of the pods' DNS; None when it is not known, or there is none.
    """

    run_id: str
    api: Api | None = None
    pods: tuple[ProbePod, ...] = ()
    connect: probes.Connect | None = None
    shell: nodes.Shell | None = None
    dns: DnsService | None = None


@dataclass(kw_only=True)
class Collector:
    """Writes bundles into a folder. For one thread."""

    access: Access
    folder: Path
    timeouts: Timeouts = field(default_factory=Timeouts)
    _spent: float = 0.0
    _shared: Gathered = field(default_factory=Gathered)
    _shared_at: float = float("-inf")

    def write(self, failure: Failure) -> Path:
        """Look at the cluster and write a bundle; return its path.

        Raises:
            HostProblem: it cannot be written. What cannot be read is told in the bundle instead.
        """
        started, date = time.monotonic(), datetime.now(timezone.utc)
        timeout = min(self.timeouts.bundle, self.timeouts.bundles - self._spent)
        evidence = Gathered(files=tuple(_evidence(failure)))
        if timeout > 0:
            gathered = evidence + self._look(failure, started + timeout)
        else:
            spent = (
                f"the cluster: this process has spent its {self.timeouts.bundles:.0f} s on bundles"
            )
            gathered = evidence + Gathered(missing=(spent,))
        path = self.folder / f"{failure.name}.tar.gz"
        archive.write(path, failure.about, gathered, date=date)
        self._spent += time.monotonic() - started
        return path

    def _look(self, failure: Failure, deadline: float) -> Gathered:
        access = self.access
        pods = probes.involved(access.pods, failure.failing, failure.records)
        own: dict[str, Source] = {}
        if access.connect is not None:
            own = probes.states(access.connect, pods)
            again = partial(probes.asked_again, access.connect, access.pods, failure.failing)
            own["asking again"] = again
            if access.shell is not None and failure.failing:
                own["the CNI's drops meanwhile"] = partial(nodes.drops, access.shell)
        half = (deadline - time.monotonic()) / 2  # probes that hang leave time for the rest
        gathered = gather(own, timeout=half)
        age = time.monotonic() - self._shared_at
        if age < FRESH:
            note = f"objects, logs and nodes: read {age:.0f} s earlier, for another bundle"
            return gathered + self._shared + Gathered(missing=(note,))
        timeout = max(self.timeouts.bundle / 20, deadline - time.monotonic())
        self._shared = gather(self._cluster_sources(pods, timeout), timeout=timeout)
        self._shared_at = time.monotonic()
        return gathered + self._shared

    def _cluster_sources(self, pods: list[ProbePod], timeout: float) -> dict[str, Source]:
        access = self.access
        found: dict[str, Source] = {}
        if access.shell is not None:
            no_api = access.api is None
            found["nodes"] = partial(nodes.read, access.shell, timeout=timeout, pod_logs=no_api)
        if access.api is not None:
            names = list(dict.fromkeys(pod.node for pod in pods))
            found |= cluster.sources(access.api, access.run_id, names, access.dns)
        return found


def _evidence(failure: Failure) -> Iterator[File]:
    if failure.records:
        answers = [{**record.plain(), "path": record.path} for record in failure.records]
        yield File(name="evidence.json", text=json.dumps(answers, indent=1, default=str))
