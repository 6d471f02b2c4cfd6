"""The controller's start and end: acquire a cluster, deploy probes, and leave nothing behind."""

from __future__ import annotations

import dataclasses
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s import catalogue, profiles
from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.clusters import ownership
from pytest_ipv6k8s.clusters.contract import Cluster, ClusterProvider, ClusterSpec
from pytest_ipv6k8s.cost import Cost
from pytest_ipv6k8s.errors import ClusterError, HostProblem, Inconclusive, Ipv6k8sError
from pytest_ipv6k8s.evidence import Recorder
from pytest_ipv6k8s.external.declaration import Declaration
from pytest_ipv6k8s.kube import inventory, rights
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.kube.config import Kubeconfig
from pytest_ipv6k8s.options import Allow
from pytest_ipv6k8s.plugin.external import ExternalSetup
from pytest_ipv6k8s.plugin.interrupts import defer_interrupts
from pytest_ipv6k8s.plugin.state import FACTS, SETTINGS, RunFacts
from pytest_ipv6k8s.plugin.workers import is_worker, receive
from pytest_ipv6k8s.probe import control
from pytest_ipv6k8s.probe.deploy import Deployed, Plan, deploy, probe_nodes, remove
from pytest_ipv6k8s.probe.probes import Probe, Probes
from pytest_ipv6k8s.probe.session import connect
from pytest_ipv6k8s.reports import HarnessFact, writer_for
from pytest_ipv6k8s.settings import Settings


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin the run, in the controller only, and only when tests are going to run.

    Raises:
        pytest.UsageError: for every known trouble; pytest ends with exit code 4.
    """
    config = session.config
    if is_worker(config):
        receive(config)
        return
    if config.option.collectonly or _only_shows(config):
        return
    run = Run(config.stash[SETTINGS], _teller(config), _finder(config))
    config.stash[RUN] = run
    config.add_cleanup(run.close)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        config.stash[FACTS] = run.start()
    except (Ipv6k8sError, Inconclusive) as error:
        run.leave_bundle(str(error))
        raise pytest.UsageError(str(error)) from None
    except OSError as error:
        raise pytest.UsageError(f"{error}. Check this machine's disk and rights.") from None


def _only_shows(config: pytest.Config) -> bool:
    names = ("showfixtures", "show_fixtures_per_test", "markers", "version", "help", "cacheshow")
    return any(getattr(config.option, name, None) for name in names)


def _teller(config: pytest.Config) -> Callable[[str], None]:
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")

    def tell(line: str) -> None:
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(f"ipv6k8s: {line}")

    return tell


def _finder(config: pytest.Config) -> Callable[[str], ClusterProvider]:
    def find(name: str) -> ClusterProvider:
        found: ClusterProvider = config.hook.pytest_ipv6k8s_cluster_provider(name=name)
        return found

    return find


class Run:
    """One run's cluster, probes and what became of them.

    Args:
        settings: what was asked for.
        tell: told one line for each step.
        find: returns the provider of a name.
    """

    def __init__(
        self,
        settings: Settings,
        tell: Callable[[str], None],
        find: Callable[[str], ClusterProvider],
    ) -> None:
        self.settings = settings
        self.tell = tell
        self._find = find
        self.id = ownership.new_run_id()
        self.harness: list[HarnessFact] = []
        self.cost = Cost()
        self.cluster: Cluster | None = None
        self._api: Api | None = None
        self._outside: ExternalSetup | None = None
        self._home = Path()
        self._begun = False
        self._deploying = False
        self._closed = False

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
        self._outside = ExternalSetup(self.settings, self.tell)
        self.cluster = cluster = self._acquire()
        kubeconfig = Kubeconfig(path=cluster.kubeconfig, context=cluster.context)
        self._api = Api(kubeconfig, recorder=Recorder(), cost=self.cost)
        if not cluster.owned:
            rights.require(self._api)
        facts = self._read_facts(self._api, self._outside.declared)
        external = self._outside.begin(
            self._api, facts, owned=cluster.owned, run_id=self.id, home=self._home
        )
        plan = self._plan(facts)
        deployed = self._deploy(plan, facts)
        controlled = self._control(deployed, facts)
        if external is not None:
            self.harness.append(self._outside.control(external, self._api))
        return RunFacts(
            run_id=self.id,
            kubeconfig=kubeconfig.path,
            context=kubeconfig.context,
            owned=cluster.owned,
            stack=facts.stack,
            inventory=facts,
            namespace=plan.namespace,
            pods=deployed.pods,
            hosts=deployed.hosts,
            services=tuple(
                dataclasses.replace(service, domain=controlled.domain)
                for service in deployed.services
            ),
            external=external,
            sctp=controlled.sctp,
        )

    def _read_facts(self, api: Api, declared: Declaration) -> inventory.Inventory:
        facts = declared.over(inventory.read(api))
        self._compare_stack(facts, declared.stack)
        self._refuse_profiles(facts.stack)
        return facts

    def _deploy(self, plan: Plan, facts: inventory.Inventory) -> Deployed:
        assert self._api is not None
        self.tell(
            f"{facts.version}, {facts.stack.value}, {len(facts.nodes)} nodes, CNI {facts.cni}, "
            f"{facts.proxy}; deploying probes to {len(plan.nodes)} nodes"
        )
        self._deploying = True
        deployed = deploy(self._api, plan)
        self.tell(f"probes ready after {deployed.seconds:.1f} s")
        return deployed

    def _acquire(self) -> Cluster:
        settings = self.settings
        spec = ClusterSpec(
            run_id=self.id,
            stack=settings.stack,
            workers=settings.workers,
            cni=settings.cni,
            cni_command=settings.cni_command,
            cni_chart=settings.cni_chart,
            cni_values=settings.cni_values,
            kube_proxy=settings.kube_proxy,
            pod_cidrs=settings.pod_cidr,
            service_cidrs=settings.service_cidr,
            k3s_disable=settings.k3s_disable,
            node_image=settings.node_image,
            probe_image=settings.probe_image,
            kubeconfig=settings.kubeconfig,
            context=settings.context,
            keep=settings.keep,
            before_removal=lambda name: self._write_bundle("the cluster could not be made"),
        )
        found = self._find(settings.provider_name)
        problems = found.problems(spec)
        if problems:
            told = "; ".join(problem.text for problem in problems)
            raise HostProblem(told, remedy="; ".join(problem.remedy for problem in problems))
        self._fact("META-01", "preflight", ok=True, actual="nothing stops this machine")
        self._home = ownership.save_state(
            self.id, provider=settings.provider_name, name=self._name, kept=settings.keep
        )
        self._begun = settings.provider_name != "existing"
        return found.create(spec, self._home, self.tell)

    def _refuse_settings(self) -> None:
        """Refuse what cannot be done before anything is made."""
        for path in self.settings.report:
            writer_for(path)
        if self.settings.stack is not None:
            self._refuse_profiles(self.settings.stack)

    def _refuse_profiles(self, stack: Stack) -> None:
        if self.settings.profile:
            profiles.validate(self.settings.profile, stack, catalogue.checks().values())

    def _compare_stack(self, facts: inventory.Inventory, by_file: Stack | None) -> None:
        declared = self.settings.stack or by_file
        if declared is not None and declared is not facts.stack:
            raise ClusterError(
                f"the cluster was declared to be {declared.value}, and it is {facts.stack.value}",
                remedy="correct --ipv6k8s-stack or the declaration, or the cluster",
            )

    def _plan(self, facts: inventory.Inventory) -> Plan:
        settings = self.settings
        assert self.cluster is not None
        return Plan(
            run_id=self.id,
            image=settings.probe_image,
            stack=facts.stack,
            nodes=probe_nodes(
                facts, most=settings.max_nodes, selector=dict(settings.node_selector)
            ),
            host_network=self.cluster.owned or Allow.PRIVILEGED in settings.allow,
            tolerations=settings.toleration,
            pull_secret=settings.pull_secret,
        )

    def _control(self, deployed: Deployed, facts: inventory.Inventory) -> control.Controlled:
        assert self._api is not None
        recorder = self._api.recorder
        sessions = {
            pod.name: connect(self._api, pod, timeout_factor=self.settings.timeout_factor)
            for pod in (*deployed.pods, *deployed.hosts)
        }

        def probes(pods: tuple[Any, ...]) -> list[Probe]:
            return [Probe(pod, sessions[pod.name], recorder) for pod in pods]

        try:
            everyone = Probes(probes(deployed.pods), probes(deployed.hosts))
            found = control.control(everyone, facts.stack.families)
        finally:
            for session in sessions.values():
                session.close()
        self._fact("META-04", "negative control", ok=True, actual=found.negative)
        skewed = f"{found.servers}; clocks differ by at most {found.skew:.1f} s"
        timeout = found.skew < control.WORST_SKEW
        self._fact("META-05", "probe servers and clocks", ok=timeout, actual=skewed)
        return found

    def leave_bundle(self, why: str) -> None:
        """Leave a bundle of a run that cannot begin, where pods or nodes stand to be looked at.

        Args:
            why: what is in the way.
        """
        if self._deploying or (self.cluster is not None and self.cluster.owned):
            self._write_bundle(why)

    def _write_bundle(self, why: str) -> None:
        if self.settings.bundle is None:
            return
        from pytest_ipv6k8s.bundle.collect import Access
        from pytest_ipv6k8s.plugin import bundles

        shell = bundles.shell_of(self._find(self.settings.provider_name), self.id)
        access = Access(run_id=self.id, api=self._api, shell=shell if self._makes else None)
        try:
            self.tell(f"bundle {bundles.write_for_run(self.settings.bundle, access, why)}")
        except HostProblem as error:
            self.tell(str(error))

    def _fact(self, id: str, title: str, *, ok: bool, actual: str) -> None:
        self.harness.append(HarnessFact(id=id, title=title, ok=ok, actual=actual))

    def close(self) -> None:
        """Remove what the run made; the second call does nothing."""
        if self._closed:
            return
        self._closed = True
        keep = self.settings.keep and self._makes and self._kubeconfig.exists()
        stays = keep or not self._makes
        if self._outside is not None:
            left = self._outside.end(self._api if stays else None)
            if left:
                self._fact("META-06", "clean-up", ok=False, actual=left)
                self.tell(left)
        if self._deploying and stays:
            self._remove_probes()
        if keep:
            self._tell_how_to_use_it()
        elif self._makes:
            self._delete_cluster()
        else:
            ownership.remove_state(self.id)

    @property
    def _makes(self) -> bool:
        """Whether a cluster was made, or the making of one was begun."""
        return self._begun and (self.cluster is None or self.cluster.owned)

    @property
    def _kubeconfig(self) -> Path:
        """Of a cluster that was made, also of one that did not become ready."""
        return self.cluster.kubeconfig if self.cluster else self._home / "kubeconfig"

    def _tell_how_to_use_it(self) -> None:
        self.tell(f"cluster {self._name} is kept; use it again with")
        self.tell(f"  pytest --ipv6k8s-kubeconfig {self._kubeconfig}")
        self.tell(f"and delete it with `ipv6k8s reap --kept {self._name}`")

    def _delete_cluster(self) -> None:
        name, settings = self._name, self.settings
        if self.cluster is not None:
            self.tell(f"deleting cluster {name}")
        try:
            with defer_interrupts("the cluster", self.tell):
                self._find(settings.provider_name).delete(name)
        except Ipv6k8sError as error:
            self._fact("META-06", "clean-up", ok=False, actual=str(error))
            self.tell(f"cluster {name} may still be there: {error} Remove it: `ipv6k8s reap`")
            return
        ownership.remove_state(self.id)
        self._fact("META-06", "clean-up", ok=True, actual=f"cluster {name} is deleted")

    def _remove_probes(self) -> None:
        assert self._api is not None
        try:
            with defer_interrupts("the probes", self.tell):
                left = remove(self._api, self.id)
        except Ipv6k8sError as error:
            left = [str(error)]
        seen = f"still there: {', '.join(left)}" if left else "no namespace of the run is left"
        self._fact("META-06", "clean-up", ok=not left, actual=seen)
        if left:
            self.tell(f"{seen}; remove it later with `ipv6k8s reap --kubeconfig FILE`")


RUN = pytest.StashKey[Run]()
