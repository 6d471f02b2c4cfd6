"""Failure bundles of a run: which process writes them, and how far they look."""

from __future__ import annotations

from collections.abc import Iterator
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
from pytest_ipv6k8s.plugin.run_facts import RunFacts
from pytest_ipv6k8s.plugin.state import COST, FACTS, SETTINGS, TIMEOUTS
from pytest_ipv6k8s.probe.probes import ProbePod, Transport
from pytest_ipv6k8s.probe.session import connect
from pytest_ipv6k8s.results import ItemResult
from pytest_ipv6k8s.timeouts import Timeouts

RUN_BUNDLE = "run"


def pytest_sessionstart(session: pytest.Session) -> None:
    """Be ready to write bundles, in each process; costs nothing until then."""
    session.config.stash[BUNDLE] = Bundles(session.config).write


class Bundles:
    """Writes a bundle for a check that failed, in the process that ran it.

    An item runs in one process only and its id and family name the file, so that no two processes
    write the same one.
    """

    def __init__(self, config: pytest.Config) -> None:
        settings = config.stash[SETTINGS]
        assert settings.report.bundle is not None
        self._shown = settings.report.bundle
        self._folder = settings.report.bundle.absolute()
        self._timeouts = config.stash[TIMEOUTS]
        self._provider_name = settings.provider_name
        self._stash = config.stash
        self._collector: Collector | None = None

    def write(self, result: ItemResult, records: tuple[Record[Any], ...], error: Any) -> str:
        """Write the bundle of an item and return its path, as the option has it.

        Args:
            result: what became of the item.
            records: all its answers.
            error: what it raised; an unmet expectation knows the answers that failed.

        Raises:
            HostProblem: it cannot be written.
        """
        if self._collector is None:
            self._collector = Collector(
                access=self._access(), folder=self._folder, timeouts=self._timeouts
            )
        family = result.outcome.family
        failure = Failure(
            name=f"{result.check.id}-{family.value}" if family else result.check.id,
            about=_about(result, self._stash[FACTS]),
            records=records,
            failing=getattr(error, "records", ()),
        )
        return str(self._shown / self._collector.write(failure).name)

    def _access(self) -> Access:
        facts = self._stash[FACTS]
        kubeconfig = Kubeconfig(path=facts.kubeconfig, context=facts.context)
        api = Api(kubeconfig, timeouts=self._timeouts, cost=self._stash[COST])

        @contextmanager
        def session(pod: ProbePod) -> Iterator[Transport]:
            opened = connect(api, pod)
            try:
                yield opened
            finally:
                opened.close()

        shell = shell_of(provider(self._provider_name), facts.run_id)
        return Access(
            run_id=facts.run_id,
            api=api,
            pods=(*facts.pods, *facts.hosts, *facts.peers),
            connect=session,
            shell=shell if facts.owned else None,
            dns=facts.inventory.dns,
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


def _about(result: ItemResult, facts: RunFacts) -> str:
    found = facts.inventory
    cluster = f"Kubernetes {found.version}, {facts.stack.value}, CNI {found.cni}, {found.proxy}"
    title = f"# {result.name}: {result.outcome.verdict.value}"
    return f"{title}\n\n```text\n{explain(result)}\n```\n\nRun {facts.run_id}. {cluster}.\n"
