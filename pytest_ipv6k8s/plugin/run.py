"""A run in the controller: acquire a cluster, deploy probes, and leave nothing behind."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_ipv6k8s import profiles, wanted
from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.clusters import ownership
from pytest_ipv6k8s.clusters.contract import Cluster, ClusterProvider, ClusterSpec
from pytest_ipv6k8s.cost import Cost
from pytest_ipv6k8s.errors import (
    ControlChannelError,
    HostProblem,
    Inconclusive,
    Ipv6k8sError,
)
from pytest_ipv6k8s.evidence import Recorder
from pytest_ipv6k8s.external.declaration import Declaration
from pytest_ipv6k8s.external.model import TESTBED, ExternalNetwork
from pytest_ipv6k8s.files import why_unwritable
from pytest_ipv6k8s.kube import inventory, resolver, rights
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.kube.comeback import await_watchers
from pytest_ipv6k8s.kube.config import Kubeconfig
from pytest_ipv6k8s.plugin.again import again
from pytest_ipv6k8s.plugin.external import ExternalSetup
from pytest_ipv6k8s.plugin.interrupts import defer_interrupts
from pytest_ipv6k8s.plugin.ready import Ready
from pytest_ipv6k8s.plugin.run_facts import EVERYTHING, RunFacts, Used
from pytest_ipv6k8s.plugin.stacks import refuse_another, refuse_without_ipv6
from pytest_ipv6k8s.probe import control
from pytest_ipv6k8s.probe.deploy import Plan, deploy
from pytest_ipv6k8s.probe.placing import Placed, place
from pytest_ipv6k8s.probe.probes import Probes
from pytest_ipv6k8s.probe.removing import remove, remove_inside
from pytest_ipv6k8s.probe.session import Sessions
from pytest_ipv6k8s.reports import HarnessFact, writer_for
from pytest_ipv6k8s.settings import Allow, Settings
from pytest_ipv6k8s.timeouts import Timeouts
from pytest_ipv6k8s.words import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquired:
    """A cluster that may be used.

    Attributes:
        cluster: where it is.
        api: its API server.
        home: the run's own folder.
        stays: whether it outlives the run, so that our things have to be taken off it.
    """

    cluster: Cluster
    api: Api
    home: Path
    stays: bool


class Run:
    """One run's cluster, probes and what became of them.

    Each step of :meth:`start` says how it is undone; :meth:`close` undoes the last one first.

    Args:
        settings: what was asked for.
        timeouts: of all that is waited for.
        tell: called with one line for each step.
        find: returns the provider of a name.
        used: what the selected items use.
    """

    def __init__(
        self,
        settings: Settings,
        timeouts: Timeouts,
        tell: Callable[[str], None],
        find: Callable[[str], ClusterProvider],
        used: Used = EVERYTHING,
    ) -> None:
        self.settings = settings
        self.timeouts = timeouts
        self.tell = tell
        self._find = find
        self._used = used
        self.id = ownership.new_run_id()
        self.harness: list[HarnessFact] = []
        self.cost = Cost()
        self._testbed = False
        self._undo = ExitStack()

    @property
    def _name(self) -> str:
        """The name of a cluster that the run makes."""
        return ownership.cluster_name(self.id)

    def start(self) -> RunFacts:
        """Acquire the cluster, read its facts, give it external targets and deploy the probes.

        Raises:
            Ipv6k8sError: something is in the way.
        """
        self._refuse_settings()
        setup = ExternalSetup(self.settings, self.tell, self.timeouts)
        acquired = self._acquire()
        with self._bundle_on_failure(acquired, wanted=acquired.cluster.owned):
            if not acquired.cluster.owned:
                self._meet(acquired)
            facts = self._read_facts(acquired.api, setup.declared)
            external = self._external(setup, acquired, facts)
            placed = place(facts.nodes, wanted.wish(self.settings, turn=self.id))
        with self._bundle_on_failure(acquired, wanted=True):
            ready = self._ready(acquired, placed, facts)
            refuse_without_ipv6(ready.facts, self._declared_stack(setup.declared))
            if external is not None and self._used.external:
                self.harness.append(setup.control(external, acquired.api))
        return self._facts(acquired, ready, external, lacking=setup.lacking)

    def close(self) -> None:
        """Remove what the run made; the second call does nothing."""
        self._undo.close()

    def _acquire(self) -> Acquired:
        settings = self.settings
        spec = self._spec()
        provider = self._find(settings.provider_name)
        problems = provider.problems(spec)
        if problems:
            text = "; ".join(problem.text for problem in problems)
            raise HostProblem(text, remedy="; ".join(problem.remedy for problem in problems))
        self._fact("META-01", "preflight", ok=True, actual="nothing stops this machine")
        home = ownership.save_state(
            self.id, provider=settings.provider_name, name=self._name, kept=settings.cluster.keep
        )
        if settings.provider_name == "existing":
            self._undo.callback(ownership.remove_state, self.id)
        else:  # what is left of a making that breaks off
            self._undo.callback(self._release, provider, home / "kubeconfig", made=False)
        cluster = provider.create(spec, home, self.tell)
        return self._made(provider, cluster, home)

    def _made(self, provider: ClusterProvider, cluster: Cluster, home: Path) -> Acquired:
        """Take a cluster over. How it is undone takes the place of what was noted before, at once.

        Ctrl-C may come between any two lines.
        """
        kubeconfig = Kubeconfig(path=cluster.kubeconfig, context=cluster.context)
        api = Api(kubeconfig, recorder=Recorder(), timeouts=self.timeouts, cost=self.cost)
        undo = ExitStack()
        if cluster.owned:
            undo.callback(self._release, provider, cluster.kubeconfig, made=True)
        else:
            undo.callback(ownership.remove_state, self.id)
        self._undo = undo
        stays = self.settings.cluster.keep or not cluster.owned
        return Acquired(cluster=cluster, api=api, home=home, stays=stays)

    def _meet(self, acquired: Acquired) -> None:
        """Say which cluster it is, and make sure that we may do there what we have to."""
        api, name = acquired.api, acquired.cluster.context
        self.tell(f"context {name}, server {api.server}")
        given = self.settings.probes.namespace
        try:
            rights.require(api, own_namespaces=given is None)
        except ControlChannelError as error:
            way = f"context {name} of {acquired.cluster.kubeconfig}"
            remedy = f"{error.remedy or 'try again'}; the way there is {way}"
            raise ControlChannelError(error.problem, remedy=remedy) from None

    def _spec(self) -> ClusterSpec:
        settings = self.settings
        return dataclasses.replace(
            settings.cluster,
            run_id=self.id,
            before_removal=lambda name: self._write_bundle("the cluster could not be made"),
            timeouts=self.timeouts,
        )

    def _external(
        self, setup: ExternalSetup, acquired: Acquired, facts: inventory.Inventory
    ) -> ExternalNetwork | None:
        owned = acquired.cluster.owned
        self._undo.callback(self._end_external, setup, acquired.api if acquired.stays else None)
        external = setup.begin(
            acquired.api,
            facts,
            owned=owned,
            run_id=self.id,
            home=acquired.home,
            used=self._used.external,
        )
        self.harness += setup.harness
        self._testbed = external is not None and external.source == TESTBED
        return external

    def _ready(self, acquired: Acquired, placed: Placed, facts: inventory.Inventory) -> Ready:
        """Deploy the probes and examine them."""
        plan = self._plan(facts, placed, acquired.cluster)
        self.tell(
            f"{facts.version}, {facts.stack.value}, {counted(len(facts.nodes), 'node')}, "
            f"CNI {facts.cni}, {facts.proxy}; "
            f"deploying probes to {counted(len(plan.nodes), 'node')}"
        )
        if acquired.stays:
            self._undo.callback(self._remove_probes, acquired.api)
        with closing(Sessions(acquired.api)) as sessions:
            deployed = deploy(acquired.api, plan, sessions.trouble)
            self.tell(f"probes ready after {deployed.seconds:.1f} s")
            await_watchers(acquired.api, self.tell)
            facts = facts.with_pods(pod.ips for pod in deployed.pods)
            if facts.families.differences:
                self.tell(f"families differ: {facts.families.differences}")
            of = (deployed.pods, deployed.hosts, deployed.peers)
            probes = Probes(*([*map(sessions.probe, pods)] for pods in of))
            controlled = control.control(probes, facts.pod_stack.families)
        upon = control.upon_probes(acquired.api, deployed.namespace, self.id)
        ready = Ready(
            facts=facts, placed=placed, deployed=deployed, controlled=controlled, upon=upon
        )
        for line in ready.lacking:
            self.tell(line)
        self.harness += ready.harness()
        return ready

    def _facts(
        self,
        acquired: Acquired,
        ready: Ready,
        external: ExternalNetwork | None,
        *,
        lacking: tuple[str, ...],
    ) -> RunFacts:
        deployed, domain = ready.deployed, ready.controlled.domain
        return RunFacts(
            run_id=self.id,
            home=acquired.home,
            kubeconfig=acquired.cluster.kubeconfig,
            context=acquired.cluster.context,
            server=acquired.api.server,
            owned=acquired.cluster.owned,
            stack=ready.facts.stack,
            inventory=dataclasses.replace(
                ready.facts,
                dns=resolver.service_at(acquired.api, ready.controlled.nameservers),
            ),
            namespace=ready.deployed.namespace,
            pods=deployed.pods,
            hosts=deployed.hosts,
            peers=deployed.peers,
            services=tuple(
                dataclasses.replace(service, domain=domain) for service in deployed.services
            ),
            external=external,
            sctp=ready.controlled.sctp,
            ping=ready.controlled.ping,
            left_out=ready.left_out,
            lacking=(*ready.deployed.lacking, *lacking),
            own_namespaces=self.settings.probes.namespace is None,
            ready_at=time.time(),
        )

    def _refuse_settings(self) -> None:
        """Refuse what cannot be done before anything is made."""
        for path in self.settings.report.files:
            writer_for(path)
            why = why_unwritable(path)
            if why:
                raise HostProblem(f"report {path} cannot be written: {why}", remedy=_ANOTHER_PATH)
        if self.settings.declared_stack is not None:
            self._refuse_profiles(self.settings.declared_stack)

    def _refuse_profiles(self, stack: Stack) -> None:
        profiles.validate(self.settings.profile, stack)

    def _read_facts(self, api: Api, declared: Declaration) -> inventory.Inventory:
        facts = declared.over(inventory.read(api))
        refuse_another(facts, self._declared_stack(declared))
        if facts.families.pods:
            refuse_without_ipv6(facts, self._declared_stack(declared))
        self._refuse_profiles(facts.stack)
        return facts

    def _declared_stack(self, declared: Declaration) -> Stack | None:
        return self.settings.declared_stack or declared.stack

    def _plan(self, facts: inventory.Inventory, placed: Placed, cluster: Cluster) -> Plan:
        settings = self.settings
        allowed = cluster.owned or Allow.PRIVILEGED in settings.probes.allow
        return Plan(
            run_id=self.id,
            manner=wanted.manner(settings),
            stack=facts.stack,
            nodes=placed.nodes,
            host_network=self._used.hosts and allowed,
            peers=self._used.peers,
            given=settings.probes.namespace,
        )

    @contextmanager
    def _bundle_on_failure(self, acquired: Acquired, *, wanted: bool) -> Iterator[None]:
        """Leave a bundle of a run that cannot begin, where pods or nodes stand to be looked at."""
        try:
            yield
        except (Ipv6k8sError, Inconclusive) as error:
            if wanted:
                self._write_bundle(str(error), api=acquired.api, owned=acquired.cluster.owned)
            raise

    def _write_bundle(self, why: str, *, api: Api | None = None, owned: bool = True) -> None:
        if self.settings.report.bundle is None:
            return
        from pytest_ipv6k8s.bundle.collect import Access
        from pytest_ipv6k8s.plugin import bundles

        shell = bundles.shell_of(self._find(self.settings.provider_name), self.id)
        access = Access(run_id=self.id, api=api, shell=shell if owned else None)
        try:
            path = bundles.write_of_start(self.settings.report.bundle, access, why, self.timeouts)
            self.tell(f"bundle {path}")
        except HostProblem as error:
            self.tell(str(error))

    def _fact(self, id: str, title: str, *, ok: bool, actual: str) -> None:
        self.harness.append(HarnessFact(id=id, title=title, ok=ok, actual=actual))

    def _end_external(self, setup: ExternalSetup, api: Api | None) -> None:
        left = setup.end(api)
        if left:
            self._fact("META-06", "clean-up", ok=False, actual=left)
            self.tell(left)

    def _release(self, provider: ClusterProvider, kubeconfig: Path, *, made: bool) -> None:
        """Delete a cluster of ours, or say how a kept one is used.

        Args:
            provider: who deletes it.
            kubeconfig: the cluster's; one that never had any is not worth keeping.
            made: whether it came up; if not, its deletion is no news.
        """
        name = self._name
        if self.settings.cluster.keep and kubeconfig.exists():
            self.tell(f"cluster {name} is kept; use it again with")
            hosts, testbed = self._used.hosts, self._testbed
            self.tell(again(self.settings, kubeconfig, hosts=hosts, testbed=testbed))
            self.tell(f"and delete it with `ipv6k8s reap --kept {name}`")
            return
        if made:
            self.tell(f"deleting cluster {name}")
        try:
            with defer_interrupts("the cluster", self.tell):
                provider.delete(name)
        except Ipv6k8sError as error:
            self._fact("META-06", "clean-up", ok=False, actual=str(error))
            self.tell(f"cluster {name} may still be there: {error} Remove it: `ipv6k8s reap`")
            return
        ownership.remove_state(self.id)
        self._fact("META-06", "clean-up", ok=True, actual=f"cluster {name} is deleted")

    def _remove_probes(self, api: Api) -> None:
        wanted = self.settings.probes
        try:
            with defer_interrupts("the probes", self.tell):
                left = remove(api, self.id)
                if wanted.namespace is not None:
                    remove_inside(api, wanted.namespace, self.id)
        except Ipv6k8sError as error:
            left = [str(error)]
        none = "no pod of the run is left, and its namespaces are being deleted"
        actual = f"still there: {', '.join(left)}" if left else none
        self._fact("META-06", "clean-up", ok=not left, actual=actual)
        if left:
            self.tell(f"{actual}; remove it later with `ipv6k8s reap --kubeconfig FILE`")


_ANOTHER_PATH = "free some space or give another path"

RUN = pytest.StashKey[Run]()
