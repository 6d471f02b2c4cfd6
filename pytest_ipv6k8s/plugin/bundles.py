"""Failure bundles of a run: which process writes them, and how far they look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s.bundle.collect import Access, Collector, Failure
from pytest_ipv6k8s.bundle.nodes import Shell
from pytest_ipv6k8s.clusters import ownership
from pytest_ipv6k8s.clusters.contract import ClusterProvider, provider
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.kube.config import Kubeconfig
from pytest_ipv6k8s.plugin.outcome import BUNDLE, explain
from pytest_ipv6k8s.plugin.state import COST, FACTS, SETTINGS, TIMEOUTS, Cost, RunFacts
from pytest_ipv6k8s.probe.probes import ProbePod, Transport
from pytest_ipv6k8s.probe.session import connect
from pytest_ipv6k8s.timeouts import Timeouts

RUN_BUNDLE = "run"


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Be ready to write bundles, in each process that has a cluster; costs nothing until then."""
    config = session.config
    facts = config.stash.get(FACTS, None)
    if facts is not None:
        config.stash[BUNDLE] = Bundles(config, facts).write


class Bundles:
    """Writes a bundle for a check that failed, in the process that ran it.

    An item runs in one process only and its id and family name the file, so that no two processes
    write the same one.
    """

    def __init__(self, config: pytest.Config, facts: RunFacts) -> None:
        settings = config.stash[SETTINGS]
        assert settings.report.bundle is not None
        self._shown = settings.report.bundle
        self._folder = settings.report.bundle.absolute()
        self._timeouts = config.stash[TIMEOUTS]
        self._provider_name = settings.provider_name
        self._facts, self._cost = facts, config.stash[COST]
        self._collector: Collector | None = None

    def write(self, record: Mapping[str, Any], records: tuple[Record[Any], ...], error: Any) -> str:
        """Write the bundle of an item's record and return its path, as the option has it.

        Raises:
            HostProblem: it cannot be written.
        """
        if self._collector is None:
            self._collector = Collector(
                access=self._access(), folder=self._folder, timeouts=self._timeouts
            )
        check = record["check"]
        failure = Failure(
            name="-".join(filter(None, (check["id"], record["family"]))),
            about=_about(record, self._facts),
            records=records,
            failing=getattr(error, "records", ()),
        )
        api = self._collector.access.api
        before = api.requests if api else 0
        path = self._collector.write(failure)
        self._cost.add(Cost(api_requests=api.requests - before if api else 0))
        return str(self._shown / path.name)

    def _access(self) -> Access:
        facts = self._facts
        kubeconfig = Kubeconfig(path=facts.kubeconfig, context=facts.context)
        api = Api(kubeconfig, timeouts=self._timeouts)

        @contextmanager
        def session(pod: ProbePod) -> Iterator[Transport]:
            opened = connect(api, pod)
            try:
                yield opened
            finally:
                opened.close()
                self._cost.add(Cost(exec_sessions=opened.opened))

        shell = shell_of(provider(self._provider_name), facts.run_id)
        return Access(
            run_id=facts.run_id,
            api=api,
            pods=(*facts.pods, *facts.hosts),
            connect=session,
            shell=shell if facts.owned else None,
        )


def shell_of(found: ClusterProvider, run_id: str) -> Shell:
    """Return what runs a script on the nodes of the cluster that a run made."""
    name = ownership.cluster_name(run_id)
    return lambda script, timeout: found.on_nodes(name, script, timeout)


def write_for_run(folder: Path, access: Access, why: str, timeouts: Timeouts) -> Path:
    """Write the bundle of a run that cannot begin and return its path, as the option has it.

    Raises:
        HostProblem: it cannot be written.
    """
    collector = Collector(access=access, folder=folder.absolute(), timeouts=timeouts)
    about = f"# Run {access.run_id} cannot begin\n\n```text\n{why}\n```\n"
    return folder / collector.write(Failure(name=RUN_BUNDLE, about=about)).name


def _about(record: Mapping[str, Any], facts: RunFacts) -> str:
    check, found = record["check"], facts.inventory
    family = f" [{record['family']}]" if record["family"] else ""
    if "failure" in record:
        told = explain(dict(record))
    else:
        told = f"{check['id']}{family}\n  required  {check['requirement']}\n  {record['reason']}"
    cluster = f"Kubernetes {found.version}, {facts.stack.value}, CNI {found.cni}, {found.proxy}"
    title = f"# {check['id']}{family}: {record['verdict']}"
    return f"{title}\n\n```text\n{told}\n```\n\nRun {facts.run_id}. {cluster}.\n"
