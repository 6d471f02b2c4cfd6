"""What goes into a bundle, for each check and once of the cluster, and how long that may take."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from typing import Any

from pytest_ipv6k8s.bundle import archive, cluster, nodes, probes, readme
from pytest_ipv6k8s.bundle.gathering import File, Gathered, Source, gather
from pytest_ipv6k8s.bundle.parts import Part
from pytest_ipv6k8s.bundle.tables import tables
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.kube import odd
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.kube.inventory import DnsService
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.timeouts import Timeouts

_NO_NODES = (
    "nodes: their routes and rules are read by host-network probes (--ipv6k8s-allow privileged)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A check that failed, or could not find out.

    Attributes:
        name: of its folder: id and, where it has one, family.
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
        run_id: whose namespaces are read; empty for none.
        api: the API server; None when it is not up.
        pods: all probes.
        connect: opens a session with one of them; None when there are none.
        shell: runs a script on the nodes; None when they are not ours.
        dns: the Service of the pods' DNS; None when it is not known, or there is none.
        namespaces: others that are read.
    """

    run_id: str
    api: Api | None = None
    pods: tuple[ProbePod, ...] = ()
    connect: probes.Connect | None = None
    shell: nodes.Shell | None = None
    dns: DnsService | None = None
    namespaces: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Collector:
    """Reads the parts of a bundle; what cannot be read is told in them. For one thread."""

    access: Access
    timeouts: Timeouts = field(default_factory=Timeouts)
    _spent: float = 0.0

    def check(self, failure: Failure) -> Part:
        """Look at what one check saw: its answers, its probes, and its questions once more.

        It gets half of a bundle's time: probes that hang leave some for the cluster.
        """
        started, date = time.monotonic(), _now()
        timeout = min(self.timeouts.bundle, self.timeouts.bundles - self._spent) / 2
        gathered = Gathered(files=tuple(_evidence(failure)))
        if timeout > 0:
            gathered += gather(self._own_sources(failure), timeout=timeout)
        else:
            seconds = f"{self.timeouts.bundles:.0f} s"
            gathered += Gathered(missing=(f"probes: this process has spent its {seconds} on them",))
        found = archive.safe(gathered, archive.LARGEST_CHECK)
        names = [file.name for file in found.files]
        page = readme.of_check(failure.about, names, found.missing, date)
        self._spent += time.monotonic() - started
        return Part(gathered=Gathered(files=(File(name="README.md", text=page), *found.files)))

    def cluster(self, failure: Failure | None = None) -> Part:
        """Look at the cluster: objects, logs, configuration and nodes.

        Args:
            failure: of whose nodes is read what there is too much of.
        """
        started, date = time.monotonic(), _now()
        timeout = min(self.timeouts.bundle, self.timeouts.bundles)
        gathered = gather(self._cluster_sources(failure, timeout), timeout=timeout)
        objects = cluster.objects_in(gathered.files)
        missing = () if self._shows_nodes else (_NO_NODES,)
        found = Gathered(files=tuple(tables(objects)), missing=missing) + gathered
        self._spent += time.monotonic() - started
        return Part(
            gathered=archive.safe(found, archive.LARGEST_CLUSTER),
            odd=odd.among(objects),
            date=date,
        )

    @property
    def _shows_nodes(self) -> bool:
        access = self.access
        hosts = access.connect is not None and any(pod.host_network for pod in access.pods)
        return hosts or access.shell is not None

    def _own_sources(self, failure: Failure) -> dict[str, Source]:
        access = self.access
        if access.connect is None:
            return {}
        found = probes.states(access.connect, self._involved(failure))
        again = partial(probes.asked_again, access.connect, access.pods, failure.failing)
        found["asking again"] = again
        if access.shell is not None and failure.failing:
            found["the CNI's drops meanwhile"] = partial(
                nodes.drops, access.shell, lambda: list(again())
            )
        return found

    def _cluster_sources(self, failure: Failure | None, timeout: float) -> dict[str, Source]:
        access = self.access
        names = tuple(dict.fromkeys(pod.node for pod in self._involved(failure)))
        found: dict[str, Source] = {}
        if access.shell is not None:
            no_api = access.api is None
            found["nodes"] = partial(nodes.read, access.shell, timeout=timeout, pod_logs=no_api)
        elif access.connect is not None:
            found |= probes.nodes(access.connect, access.pods, names)
        if access.api is not None:
            scope = cluster.Scope(
                run_id=access.run_id, namespaces=access.namespaces, dns=access.dns, nodes=names
            )
            found |= cluster.sources(access.api, scope)
        return found

    def _involved(self, failure: Failure | None) -> list[ProbePod]:
        if failure is None:
            return []
        return probes.involved(self.access.pods, failure.failing, failure.records)


def _now() -> str:
    return f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S}"


def _evidence(failure: Failure) -> Iterator[File]:
    if failure.records:
        answers = [{**record.plain(), "path": record.path} for record in failure.records]
        yield File(name="evidence.json", text=json.dumps(answers, indent=1, default=str))
