"""The bundle of a run: each process adds what it saw of red checks, the controller packs it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s.bundle import archive
from pytest_ipv6k8s.bundle.bundles import write_now, write_run
from pytest_ipv6k8s.bundle.collect import Access, Collector, Failure
from pytest_ipv6k8s.bundle.nodes import Shell
from pytest_ipv6k8s.bundle.parts import CLUSTER, Parts
from pytest_ipv6k8s.clusters import ownership
from pytest_ipv6k8s.clusters.contract import ClusterProvider, provider
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.kube.config import Kubeconfig
from pytest_ipv6k8s.masking import one_line
from pytest_ipv6k8s.plugin.outcome import BUNDLES, explain
from pytest_ipv6k8s.plugin.run_facts import RunFacts
from pytest_ipv6k8s.plugin.state import COST, FACTS, SETTINGS, TIMEOUTS
from pytest_ipv6k8s.probe.session import connect
from pytest_ipv6k8s.reports.diagnosis import diagnosis
from pytest_ipv6k8s.reports.folding import fold_items
from pytest_ipv6k8s.results import ItemResult
from pytest_ipv6k8s.timeouts import Timeouts


def pytest_sessionstart(session: pytest.Session) -> None:
    """Be ready for red checks, in each process; costs nothing until then."""
    session.config.stash[BUNDLES] = Bundles(session.config)


class Bundles:
    """Adds to the bundle in the process that ran a check; packs it in the controller."""

    def __init__(self, config: pytest.Config) -> None:
        settings = config.stash[SETTINGS]
        assert settings.report.bundle is not None
        self._shown = settings.report.bundle
        self._folder = settings.report.bundle.absolute()
        self._timeouts = config.stash[TIMEOUTS]
        self._provider_name = settings.provider_name
        self._stash = config.stash
        self._collector: Collector | None = None

    def add(self, result: ItemResult, records: tuple[Record[Any], ...], error: Any) -> str:
        """Add an item that is red; the first one of a run adds the cluster, too.

        Args:
            result: what became of the item.
            records: all its answers.
            error: what it raised; an unmet expectation knows the answers that failed.

        Returns:
            The path that the bundle will have, as the option has it.

        Raises:
            OSError: the run's folder cannot be written.
        """
        if self._collector is None:
            self._collector = Collector(access=self._access(), timeouts=self._timeouts)
        failure = Failure(
            name=_folder_of(result),
            about=f"# {result.name}: {result.outcome.verdict.value}\n\n"
            f"```text\n{explain(result)}\n```\n",
            records=records,
            failing=getattr(error, "records", ()),
        )
        parts = self._parts()
        parts.save(failure.name, self._collector.check(failure))
        if parts.claim_cluster():
            parts.save(CLUSTER, self._collector.cluster(failure))
        return str(self._shown / archive.name_of(self._stash[FACTS].run_id))

    def pack(self, results: Sequence[ItemResult]) -> Path:
        """Write the bundle and return its path, as the option has it.

        Args:
            results: of all items.

        Raises:
            HostProblem: it cannot be written.
        """
        facts, parts = self._stash[FACTS], self._parts()
        name = archive.name_of(facts.run_id)
        try:
            write_run(self._folder / name, parts, _about(facts, results))
        finally:
            parts.remove()
        return self._shown / name

    def _parts(self) -> Parts:
        return Parts(folder=self._stash[FACTS].home / "bundle")

    def _access(self) -> Access:
        facts = self._stash[FACTS]
        kubeconfig = Kubeconfig(path=facts.kubeconfig, context=facts.context)
        api = Api(kubeconfig, timeouts=self._timeouts, cost=self._stash[COST])
        shell = shell_of(provider(self._provider_name), facts.run_id)
        return Access(
            run_id=facts.run_id,
            api=api,
            pods=facts.everyone,
            connect=lambda pod: closing(connect(api, pod)),
            shell=shell if facts.owned else None,
            dns=facts.inventory.dns,
            namespaces=(facts.namespace,),
        )


def shell_of(found: ClusterProvider, run_id: str) -> Shell:
    """Return what runs a script on the nodes of the cluster that a run made."""
    name = ownership.cluster_name(run_id)
    return lambda script, timeout: found.on_nodes(name, script, timeout)


def write_of_start(folder: Path, access: Access, why: str, timeouts: Timeouts) -> Path:
    """Write the bundle of a run that cannot begin and return its path, as the option has it.

    Raises:
        HostProblem: it cannot be written.
    """
    name = archive.name_of(access.run_id)
    about = f"# Run {access.run_id} cannot begin\n\n```text\n{why}\n```\n"
    write_now(folder.absolute() / name, access, about=about, timeouts=timeouts)
    return folder / name


def _folder_of(result: ItemResult) -> str:
    return result.name.replace(" ", "-")


def _about(facts: RunFacts, results: Sequence[ItemResult]) -> str:
    """Return the beginning of the README: what is red, roots first."""
    red = {result.name: result for result in results if result.outcome.bundle}
    headlines = [one for one in diagnosis(fold_items(results, {})) if one.name in red]
    lines = []
    for headline in headlines:
        lines.append(f"* {_linked(red.pop(headline.name))}: {one_line(headline.requirement)}")
        lines += [f"  * {name}: {one_line(value)}" for name, value in headline.lines]
    for result in red.values():
        verdict, reason = result.outcome.verdict.value, one_line(result.outcome.reason)
        lines.append(f"* {_linked(result)}: {verdict}, {reason}")
    head = [f"# Bundle of run {facts.run_id}", "", f"{facts.inventory.in_words}."]
    return "\n".join([*head, "", "## What is red", "", *lines])


def _linked(result: ItemResult) -> str:
    return f"[{result.name}](checks/{_folder_of(result)}/README.md)"
